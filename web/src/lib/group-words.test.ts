import { describe, expect, it } from "vitest";
import {
  canUndo,
  changes,
  muteProgress,
  muteWords,
  resolvedWords,
  shareWords,
  stateSentence,
} from "./group-words";

const REVISION = "0123456789abcdef0123456789abcdef01234567";

it.each([
  [{ version: "v1.4.2" }, "in v1.4.2"],
  [{ revision: REVISION }, "in revision 0123456789ab"],
  [{}, "in whatever is built later"],
])("says what %j is resolved in", (resolved, words) => {
  expect(resolvedWords(resolved)).toBe(words);
});

it.each([
  [{}, "until somebody unmutes it"],
  [{ count: 1 }, "until 1 more crash has come"],
  [
    { count: 10, time: "2026-11-22T10:00:00Z", version: "v1.5.0" },
    "until 10 more crashes have come, or until 22 Nov 2026, 10:00:00 UTC, or until v1.5.0 or newer crashes",
  ],
  [{ escalation: { per_hour: 12 } }, "until more than 12 crashes come within an hour"],
])("says until when %j is muted", (until, words) => {
  expect(muteWords(until)).toBe(words);
});

it("says how far a mute has come", () => {
  const mute = { until: { count: 10 }, crashes_at_start: 5, state_before: "new" } as const;
  expect(muteProgress(mute as never, 8)).toBe("3 of 10 have come so far");
  expect(muteProgress({ ...mute, until: {} }, 8)).toBeNull();
});

describe("the state of a group in a sentence", () => {
  it("tells why it regressed", () => {
    const reason = "v1.4.3 crashed, and it was resolved in v1.4.2.";
    expect(stateSentence({ state: "regressed", state_reason: reason })).toBe(
      "Regressed: v1.4.3 crashed, and it was resolved in v1.4.2.",
    );
  });

  it("tells what it is resolved in and muted until", () => {
    const resolved = { version: "v1.4.2", at: "2026-11-22T10:00:00Z" } as never;
    expect(stateSentence({ state: "resolved", resolved })).toMatch(/^Resolved in v1\.4\.2\. A crash of that/);
    const mute = { until: { count: 2 }, crashes_at_start: 0, state_before: "new" } as never;
    expect(stateSentence({ state: "muted", mute, state_reason: "known" })).toBe(
      "Muted until 2 more crashes have come: known.",
    );
  });
});

it("puts a change into words, the state first", () => {
  const entry = {
    from: { owner: null, state: "new" },
    to: { owner: "ada", state: "resolved", resolved: { in: { version: "v1.4.2" }, at: 1 } },
  };
  expect(changes(entry)).toEqual([
    { what: "State", from: "New", to: "Resolved" },
    { what: "Owner", from: null, to: "ada" },
    { what: "Resolved", from: null, to: "in v1.4.2" },
  ]);
});

it("counts what is too much to list, and leaves out what is nothing", () => {
  const to = { crashes: ["a", "b", "c", "d"], fingerprints: [], into: "0123456789abcdef" };
  expect(changes({ from: {}, to })).toEqual([
    { what: "Into", from: null, to: "0123456789ab", groups: ["0123456789abcdef"] },
    { what: "Crashes", from: null, to: "4" },
  ]);
  // What a split was about is told by what undoing it needs: it was not another thing before.
  const from = { crashes: [{ crash: "a" }, { crash: "b" }] };
  expect(changes({ from, to: {} })).toEqual([{ what: "Crashes", from: null, to: "2" }]);
});

it("offers to take back what the server takes back", () => {
  expect(canUndo({ action: "changed", undone_by: null })).toBe(true);
  expect(canUndo({ action: "changed", undone_by: 4 })).toBe(false);
  expect(canUndo({ action: "signature", undone_by: null })).toBe(false);
});

it("writes shares so that little is not nothing", () => {
  expect([0, 0.001, 0.256, 1].map(shareWords)).toEqual(["0 %", "under 1 %", "26 %", "100 %"]);
});
