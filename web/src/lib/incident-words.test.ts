import { expect, it } from "vitest";
import type { IncidentCrash } from "../api/types";
import {
  groupsOf,
  incidentHeadline,
  isSilent,
  labelsInOrder,
  lasted,
  own,
  said,
  webAddress,
} from "./incident-words";

it("follows addresses of pages only", () => {
  expect(webAddress(" https://runbooks.example/auth#restarts ")).toBe(
    "https://runbooks.example/auth#restarts",
  );
  expect(webAddress("HTTP://wiki/auth")).toBe("http://wiki/auth");
  for (const text of [
    null,
    "",
    "see the wiki",
    "javascript:alert(1)",
    " JavaScript://x/%0aalert(1)",
    "data:text/html,x",
    "//wiki/auth",
    "https://",
    "https:wiki",
    "https://wiki/a and b",
  ]) {
    expect(webAddress(text), text ?? "null").toBeNull();
  }
});

it("calls alerts without a common name by the labels that they share", () => {
  const labels = { job: "auth", cluster: "eu", severity: "page", zone: "a" };
  expect(incidentHeadline({ title: "auth restarts", labels })).toBe("auth restarts");
  expect(incidentHeadline({ title: "Alerts", labels })).toBe("Alerts of severity page, cluster eu, job auth");
  expect(incidentHeadline({ title: "Alerts", labels: {} })).toBe("Alerts");
});

it("puts the labels that say most first", () => {
  const labels = { zone: "a", severity: "page", alertname: "Restarts", app: "auth" };
  expect(labelsInOrder(labels).map(([name]) => name)).toEqual(["alertname", "severity", "app", "zone"]);
});

it("says each sentence once, and what it does not know with its name", () => {
  const annotations = {
    description: "Three restarts.\nSee the panics.",
    summary: "auth restarts",
    message: "auth restarts",
    runbook_url: "https://runbooks.example/auth",
    dashboard: "https://graphs.example/auth",
    empty: " ",
  };
  expect(said(annotations, [])).toEqual({
    sentences: ["auth restarts", "Three restarts.\nSee the panics."],
    runbook: "https://runbooks.example/auth",
    others: [["dashboard", "https://graphs.example/auth"]],
  });
  expect(said(annotations, ["auth restarts"]).sentences).toEqual(["Three restarts.\nSee the panics."]);
  // What is no address stays a text.
  expect(said({ runbook_url: "javascript:alert(1)" }, [])).toEqual({
    sentences: [],
    runbook: null,
    others: [["runbook_url", "javascript:alert(1)"]],
  });
});

it("tells what is an alert's own", () => {
  expect(own({ job: "auth", pod: "auth-1", env: "prod" }, { job: "auth", env: "test" })).toEqual({
    pod: "auth-1",
    env: "prod",
  });
});

it("says how long it was, and nothing while it is not over", () => {
  const starts_at = "2026-11-22T10:00:00Z";
  expect(lasted({ starts_at, ends_at: null })).toBeNull();
  expect(lasted({ starts_at, ends_at: "2026-11-22T10:20:05.4Z" })).toBe("20 min 5 s");
  expect(lasted({ starts_at, ends_at: starts_at })).toBe("less than a second");
});

it("knows when nobody has repeated an open incident for a day", () => {
  const now = Date.parse("2026-11-22T10:00:00Z");
  expect(isSilent({ state: "open", updated_at: "2026-11-21T10:00:01Z" }, now)).toBe(false);
  expect(isSilent({ state: "open", updated_at: "2026-11-21T09:59:59Z" }, now)).toBe(true);
  expect(isSilent({ state: "resolved", updated_at: "2026-11-01T00:00:00Z" }, now)).toBe(false);
});

it("counts the crashes of each group", () => {
  const crash = (group_id: string | null) => ({ crash: { group_id } }) as IncidentCrash;
  expect(groupsOf([crash("a"), crash(null), crash("b"), crash("b")])).toEqual([
    { id: "b", count: 2 },
    { id: "a", count: 1 },
  ]);
});
