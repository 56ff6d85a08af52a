import { expect, it } from "vitest";
import type { GoMap, MapUser, Report } from "../api/types";
import { mapOfVerdict, partiesOf, unnamedOther } from "./map-verdict";

const map = (address: string, more: Partial<GoMap> = {}): GoMap => ({
  address,
  state: "writing",
  flags: [],
  problems: [],
  roots: [],
  roots_left_out: 0,
  users: [],
  ...more,
});
const user = (goroutine: number, noticed: boolean, certain = true) =>
  ({ goroutine, noticed, certain }) as MapUser;
const report = (verdict: Partial<Report["verdict"]>, maps: GoMap[]) =>
  ({
    verdict: { class: "concurrent-map-write", goroutine: 7, other_goroutines: [9], evidence: [], ...verdict },
    maps,
  }) as unknown as Report;

it("finds the map of the verdict by its address", () => {
  const maps = [map("0x1"), map("0x2")];
  expect(mapOfVerdict(report({ map: "0x2" }, maps))).toBe(maps[1]);
  expect(mapOfVerdict(report({ map: "0x3" }, maps))).toBeNull();
  expect(mapOfVerdict(report({ map: null }, maps))).toBeNull();
});

it("finds the nil map that the goroutine at fault holds", () => {
  const nil = { state: "nil" as const };
  const maps = [map("0x0", nil), map("0x0", { ...nil, users: [user(7, true)] })];
  expect(mapOfVerdict(report({ class: "nil-map-write", map: null }, maps))).toBe(maps[1]);
  expect(mapOfVerdict(report({ class: "nil-map-write" }, [map("0x5")]))).toBeNull();
});

it("says nothing of another party where one is named, or where there was no conflict", () => {
  const both = map("0x1", { users: [user(7, true), user(9, false)] });
  expect(unnamedOther(report({}, [both]), both)).toBeNull();
  const nil = map("0x0", { state: "nil", users: [user(7, true)] });
  expect(unnamedOther(report({ class: "nil-map-write" }, [nil]), nil)).toBeNull();
});

it("parts those who clash from those who were only there", () => {
  const one = map("0x1", { users: [user(7, true), user(8, false), user(9, false)] });
  const { clashing, beside } = partiesOf(report({}, [one]), one);
  expect(clashing.map(({ goroutine }) => goroutine)).toEqual([7, 9]);
  expect(beside.map(({ goroutine }) => goroutine)).toEqual([8]);
});

it("is no surer of the other party than of the map in question", () => {
  const one = map("0x1", { users: [user(7, true, false), user(9, false)] });
  expect(partiesOf(report({}, [one]), one).clashing.map(({ certain }) => certain)).toEqual([false, false]);
});

it("gives the reasons and the holders where nobody is named", () => {
  const one = map("0x1", {
    users: [user(7, true)],
    roots: [
      { goroutine: 7, kind: "argument", certain: true },
      { goroutine: 9, kind: "local", certain: true },
      { goroutine: null, kind: "global", certain: true },
    ],
  });
  const evidence = [
    { kind: "fatal", text: "fatal error: concurrent map writes" },
    { kind: "other-party", text: "Every other goroutine had left the map." },
  ];
  const other = unnamedOther(report({ evidence, other_goroutines: [] }, [one]), one);
  expect(other?.reasons).toEqual(["Every other goroutine had left the map."]);
  expect(other?.holders.map(({ goroutine }) => goroutine)).toEqual([9]);
});
