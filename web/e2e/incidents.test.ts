// Incidents: told of by Alertmanager, linked with crashes, shown on all of their pages.
import { mkdirSync, readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { beforeAll, expect, it } from "vitest";
import { ago, alert, webhook } from "./alerts";
import { PHONE, accessible, fits, open, ownServer, settle, show, tabs } from "./browser";
import { fixture } from "./fixtures";

const server = ownServer();
let page: Page;
const opened = tabs(
  () => server().url,
  (now) => {
    page = now;
  },
);
const FOLDER = new URL("../screenshots/", import.meta.url).pathname;
beforeAll(() => {
  mkdirSync(FOLDER, { recursive: true });
});

const DESCRIPTION = "Three restarts in ten minutes.\nLook at the panics first.";
const RUNBOOK = "https://runbooks.example/auth#restarts";
const COMMON = { alertname: "Restarts", severity: "page", job: "shop/auth", namespace: "prod" };
const ANNOTATIONS = { summary: "auth restarts", description: DESCRIPTION, runbook_url: RUNBOOK };
const GROUP = { alertname: "Restarts", job: "shop/auth" };
const began = ago(4);

/** Two alerts of the service `auth`, one of which leads nowhere. */
const auth = (endsAt?: string) =>
  webhook(GROUP, [
    alert(
      "c4ca4238a0b92382",
      began,
      { ...COMMON, pod: "auth-1" },
      {
        annotations: { ...ANNOTATIONS, dashboard: "javascript:alert(1)" },
        ...(endsAt === undefined ? {} : { endsAt }),
      },
    ),
    alert(
      "c81e728d9d4c2f63",
      began,
      { ...COMMON, pod: "auth-2" },
      {
        annotations: { ...ANNOTATIONS, dashboard: "https://graphs.example/auth-2" },
        endsAt: endsAt ?? ago(2),
      },
    ),
  ]);

async function crashed(service: string, hostname: string): Promise<string> {
  // What the same evidence tells is the same crash: each process prints its own first line.
  const { id: text } = await server().json<{ id: string }>("/blobs/text?name=stderr.log", {
    method: "PUT",
    body: `${service} starts on ${hostname}\n${readFileSync(fixture("nil-map-write").stderr, "utf8")}`,
  });
  const { id } = await server().json<{ id: string }>("/crashes", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ texts: [text], service, hostname }),
  });
  await server().until(id, "done");
  return id;
}

/** In both themes and on a phone. */
async function looks(path: string, name: string) {
  for (const [theme, size] of [
    ["light", undefined],
    ["dark", PHONE],
  ] as const) {
    const other = await open(opened.browser, server().url, { theme, ...(size ? { size } : {}) });
    await show(other.page, path);
    await other.page.screenshot({ path: `${FOLDER}${name}-${theme}.png`, fullPage: true });
    await fits(other.page);
    await accessible(other.page);
    expect(other.complaints).toEqual([]);
    await other.context.close();
  }
}

it("say how Alertmanager is connected while there is none", async () => {
  await show(page, "/incidents");
  await page.getByRole("heading", { name: "No incident has been told of yet" }).waitFor();
  const receiver = page.getByRole("group", { name: "the receiver of Alertmanager" });
  expect(await receiver.textContent()).toContain(`url: ${server().url}/api/v1/hooks/alertmanager`);
  await looks("/incidents", "incidents-none");
  expect(opened.tab.complaints).toEqual([]);
});

it("say that they could not be read, and read again", async () => {
  let broken = true;
  await page.route("**/api/v1/incidents?*", (route) =>
    broken
      ? route.fulfill({
          status: 500,
          contentType: "application/problem+json",
          body: JSON.stringify({ type: "about:blank", title: "It broke", status: 500, detail: "Badly." }),
        })
      : route.continue(),
  );
  await page.goto("/incidents");
  await page.getByRole("heading", { name: "It broke" }).waitFor();
  await accessible(page);
  broken = false;
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("heading", { level: 1, name: "Incidents" }).waitFor();
});

it("show what the alerts said, and what crashed meanwhile and why", async () => {
  const [before, other] = [await crashed("auth", "web-1"), await crashed("cart", "web-1")];
  const id = await server().tell(auth());
  const after = await crashed("auth", "auth-1");

  // With the keyboard alone, from the navigation.
  await show(page, "/");
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Incidents" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Incidents" }).waitFor();
  const needed = page.getByRole("list", { name: "What needs something" });
  await needed.getByRole("link", { name: "1 open incident" }).waitFor();
  const row = page.getByRole("table", { name: "Open incidents" }).getByRole("row", { name: "auth restarts" });
  await row.waitFor();
  expect(await row.textContent()).toMatch(/severity page.*Open.*not over.*2 alerts.*2 crashes/);
  await page.getByText("No incident is over yet.").waitFor();
  await row.getByRole("link", { name: "auth restarts" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "auth restarts" }).waitFor();
  await settle(page);
  expect(new URL(page.url()).pathname).toBe(`/incidents/${id}`);

  const head = page.locator("header.page-title");
  await head.getByText("Three restarts in ten minutes.").waitFor();
  expect(await head.getByRole("link", { name: "Open the runbook" }).getAttribute("href")).toBe(RUNBOOK);
  const labels = page.getByRole("complementary");
  expect(await labels.textContent()).toMatch(
    /alertnameRestarts.*severitypage.*jobshop\/auth.*namespaceprod.*Receiverpanicle/s,
  );

  const crashes = page.getByRole("table", { name: "Crashes during this incident" }).locator("tbody tr");
  expect(await crashes.count()).toBe(2);
  expect(await crashes.first().textContent()).toContain(
    "Its service auth is the label job of an alert and its host auth-1 is the label pod of an alert; it happened",
  );
  const linked = await crashes.getByRole("link").evaluateAll((all) => all.map((a) => a.getAttribute("href")));
  expect(linked).toEqual([`/crashes/${after}`, `/crashes/${before}`]);
  const groups = page.getByRole("list", { name: "Groups of these crashes" }).getByRole("listitem");
  expect(await groups.allTextContents()).toEqual([expect.stringMatching(/nil map.*2 crashes of these/)]);

  const alerts = page.getByRole("list", { name: "Alerts, in the order" }).locator("> li");
  expect(await alerts.count()).toBe(2);
  expect(await alerts.nth(0).textContent()).toMatch(/RestartsFiring|Restarts Firing.*since/);
  expect(await alerts.nth(0).textContent()).toContain("pod auth-1");
  expect(await alerts.nth(1).textContent()).toMatch(/Resolved.*to .*2 min/);
  // What all have in common is said once, and what is no address is a text.
  expect(await alerts.getByText("Three restarts").count()).toBe(0);
  expect(await alerts.nth(0).getByText("javascript:alert(1)").count()).toBe(1);
  expect(await page.locator('a[href^="javascript"]').count()).toBe(0);
  expect(await alerts.nth(1).getByRole("link", { name: "https://graphs.example/auth-2" }).count()).toBe(1);
  await looks(`/incidents/${id}`, "incident");

  // The crash and its group lead back.
  await groups.getByRole("link").click();
  const line = page.getByRole("list", { name: "Incidents" }).getByRole("listitem");
  await expect.poll(() => line.textContent()).toMatch(/^During incident auth restarts Open Began/);
  await looks(new URL(page.url()).pathname, "incident-group");
  await show(page, `/crashes/${before}`);
  expect(await line.textContent()).toMatch(
    /During incident auth restarts Open Its service auth is the label job of an alert/,
  );
  await looks(`/crashes/${before}`, "incident-crash");
  await line.getByRole("link", { name: "auth restarts" }).click();
  await page.getByRole("heading", { level: 1, name: "auth restarts" }).waitFor();
  await show(page, `/crashes/${other}`);
  expect(await line.count()).toBe(0);
  expect(opened.tab.complaints).toEqual([]);
});

it("are over when their alerts are, and are listed after those that are open", async () => {
  const id = await server().tell(auth(ago(1)));
  for (let number = 0; number < 51; number += 1) {
    const name = `Slow ${number}`;
    await server().tell(
      webhook({ alertname: name }, [
        alert(`5${number}`, ago(1), { alertname: name }, { annotations: { summary: `${name} disk` } }),
      ]),
    );
  }
  await show(page, "/incidents");
  const rows = (name: string) => page.getByRole("table", { name: `${name} incidents` }).locator("tbody tr");
  expect(await rows("Open").count()).toBe(50);
  await page.getByRole("button", { name: "More open incidents" }).click();
  await expect.poll(() => rows("Open").count()).toBe(51);
  expect(await page.getByRole("button", { name: "More open incidents" }).count()).toBe(0);
  expect(await rows("Open").first().textContent()).toContain("Slow 50 disk");
  expect(await rows("Resolved").allTextContents()).toEqual([
    expect.stringMatching(/auth restarts.*Resolved.*3 min.*2 alerts.*2 crashes/),
  ]);
  expect(await page.getByRole("heading", { level: 2 }).allTextContents()).toEqual([
    expect.stringContaining("Open"),
    expect.stringContaining("Resolved"),
  ]);
  await accessible(page);
  await looks("/incidents", "incidents-many");
  await show(page, `/incidents/${id}`);
  expect(await page.locator("header.page-title").textContent()).toMatch(/Resolved.*lasted 3 min/s);
  expect(await page.getByText("Firing").count()).toBe(0);
  await show(page, "/incidents/none");
  await page.getByRole("heading", { name: "There is no such incident" }).waitFor();
});
