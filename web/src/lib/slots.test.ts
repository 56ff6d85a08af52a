import { describe, expect, it } from "vitest";
import type { KeyPlace, MapLayoutRow, MapSlot } from "../api/types";
import { blockOf, hexByte, moved, occupancy, octets, pageOf, rowOfKey, rowRole, sampleBlocks } from "./slots";

const slots = (text: string): MapSlot[] =>
  Array.from(text, (letter) => ({
    state: ({ f: "full", d: "deleted", m: "evacuated" } as const)[letter] ?? "empty",
    byte: 0,
  }));
const row = (index: number, text: string, more: Partial<MapLayoutRow> = {}): MapLayoutRow => ({
  index,
  address: "0x1",
  old: false,
  evacuated: false,
  slots: slots(text),
  overflow: text.length / 8 - 1,
  ...more,
});
const place: KeyPlace = {
  key: '"k1"',
  hash_function: "",
  home: 4,
  found_in: 6,
  slot: 1,
  probed: [4, 5, 6],
  explain: [],
};

it("parts a chain into its buckets", () => {
  expect(octets(slots("ffffffffdddddddd")).map(([first]) => first?.state)).toEqual(["full", "deleted"]);
});

it("sums up how full rows are", () => {
  const sums = occupancy([
    row(0, "fff....."),
    row(1, "fffffffff..d...."),
    row(2, "mmmmmmmm", { old: true, evacuated: true }),
    row(3, "........", { problem: "unreadable" }),
  ]);
  expect(sums.slots).toEqual({ full: 12, deleted: 1, evacuated: 8, empty: 19 });
  expect(sums.fill).toEqual([1, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
  expect(sums).toMatchObject({ chained: 1, overflow: 1, longest: 1, evacuated: 1, broken: 1 });
});

it("reads all of a small map, and parts that lie apart of a large one", () => {
  expect(sampleBlocks(0, 512, 4)).toEqual([]);
  expect(sampleBlocks(513, 512, 4)).toEqual([0, 512]);
  const blocks = sampleBlocks(131_072, 512, 4);
  expect(blocks).toEqual([0, 32_768, 65_536, 98_304]);
});

it("finds the part that holds a row", () => {
  expect(blockOf(70)).toBe(64);
  expect(pageOf(70)).toBe(64);
  expect(pageOf(31)).toBe(0);
});

describe("a key that was looked up", () => {
  it("marks where it is, where the search began and what was searched", () => {
    expect([3, 4, 5, 6].map((index) => rowRole(index, place))).toEqual([null, "home", "probed", "found"]);
    expect(rowRole(4, null)).toBeNull();
  });

  it("is shown where it is, else where it would be", () => {
    expect(rowOfKey(place)).toBe(6);
    expect(rowOfKey({ ...place, found_in: null })).toBe(4);
    expect(rowOfKey({ ...place, found_in: null, home: null })).toBeNull();
  });
});

it.each([
  [{ row: 0, slot: 0 }, "left", { row: 0, slot: 0 }],
  [{ row: 0, slot: 7 }, "right", { row: 0, slot: 7 }],
  [{ row: 1, slot: 15 }, "down", { row: 2, slot: 7 }],
  [{ row: 2, slot: 3 }, "down", { row: 2, slot: 3 }],
  [{ row: 1, slot: 2 }, "row-end", { row: 1, slot: 15 }],
  [{ row: 1, slot: 2 }, "first", { row: 0, slot: 0 }],
  [{ row: 0, slot: 0 }, "last", { row: 2, slot: 7 }],
] as const)("goes from %j %s", (from, direction, to) => {
  expect(moved(from, direction, [8, 16, 8])).toEqual(to);
});

it("writes bytes as the runtime's source does", () => {
  expect(hexByte(5)).toBe("0x05");
});
