import { expect, it } from "vitest";
import { EMPTY_MUTE, muteOf } from "./mute-form";

const NOW = Date.parse("2026-11-21T10:00:00Z");

it("asks for what was filled in alone", () => {
  expect(muteOf({ ...EMPTY_MUTE, escalates: false }, NOW)).toEqual({});
  expect(muteOf(EMPTY_MUTE, NOW)).toEqual({ escalation: {} });
  expect(muteOf({ ...EMPTY_MUTE, count: " 10 ", version: "v1.5.0", perHour: "20" }, NOW)).toEqual({
    count: 10,
    version: "v1.5.0",
    escalation: { per_hour: 20 },
  });
});

it("counts times from now", () => {
  expect(muteOf({ ...EMPTY_MUTE, time: "hour" }, NOW)).toMatchObject({ time: "2026-11-21T11:00:00.000Z" });
});

it.each([
  [{ count: "0" }, "count"],
  [{ count: "many" }, "count"],
  [{ perHour: "-1" }, "perHour"],
  [{ time: "at" as const, at: "" }, "at"],
  [{ time: "at" as const, at: "2020-01-01T00:00" }, "at"],
])("says which field is wrong in %j", (change, field) => {
  expect(muteOf({ ...EMPTY_MUTE, ...change }, NOW)).toMatchObject({ wrong: field });
});
