import { describe, expect, it } from "vitest";
import { absoluteTime, baseName, bytes, counted, duration, relativeTime } from "./format";

const NOW = Date.parse("2026-11-21T12:00:00Z");

describe("relativeTime", () => {
  it.each([
    ["2026-11-21T11:59:58Z", "just now"],
    ["2026-11-21T12:00:03Z", "just now"],
    ["2026-11-21T11:59:20Z", "40s ago"],
    ["2026-11-21T11:00:01Z", "59m ago"],
    ["2026-11-21T11:00:00Z", "1h ago"],
    ["2026-11-19T11:00:00Z", "2d ago"],
    ["2025-11-20T12:00:00Z", "1y ago"],
    ["not a time", "at an unknown time"],
  ])("%s is %s", (time, words) => {
    expect(relativeTime(time, NOW)).toBe(words);
  });
});

it("names the zone of an absolute time", () => {
  expect(absoluteTime("2026-11-21T09:13:36.942793Z")).toBe("21 Nov 2026, 09:13:36 UTC");
  expect(absoluteTime("")).toBe("unknown time");
});

it.each([
  [0, "0 bytes"],
  [1, "1 byte"],
  [1_023, "1,023 bytes"],
  [1_024, "1.00 KiB"],
  [40_353_792, "38.5 MiB"],
  [1_073_741_824, "1.00 GiB"],
])("%d is %s", (size, words) => {
  expect(bytes(size)).toBe(words);
});

it.each([
  [0, "0 ms"],
  [0.0031, "3 ms"],
  [4.25, "4.3 s"],
  [59, "59 s"],
  [185, "3 min 5 s"],
  [7_200, "2 h"],
  [86_400 * 4 + 3_600 * 3, "4 d 3 h"],
])("%d seconds are %s", (seconds, words) => {
  expect(duration(seconds)).toBe(words);
});

it("counts with the right number", () => {
  expect(counted(1, "crash", "crashes")).toBe("1 crash");
  expect(counted(12_000, "goroutine")).toBe("12,000 goroutines");
});

it("takes the last component of a path", () => {
  expect(baseName("/usr/bin/app")).toBe("app");
  expect(baseName("app")).toBe("app");
  expect(baseName("/usr/bin/")).toBe("/usr/bin/");
});
