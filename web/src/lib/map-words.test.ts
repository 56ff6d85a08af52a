import { describe, expect, it } from "vitest";
import type { GoMap, MapRoot, MapUser } from "../api/types";
import { bestPath, flagWords, headerFacts, mapName, sizeWords, stateSentence } from "./map-words";

const map: GoMap = {
  address: "0xc000112210",
  type: "map[string]int",
  state: "normal",
  flags: [],
  problems: [],
  roots: [],
  roots_left_out: 0,
  users: [],
};
const hmap = {
  flags: 4,
  b: 5,
  noverflow: 2,
  hash0: "0x1",
  buckets: "0xc000300000",
  oldbuckets: "0x0",
  nevacuate: 0,
  extra: "0x0",
  bucket_count: 32,
  load_factor: 5.25,
};
const root = (variable: string | null, more: Partial<MapRoot> = {}): MapRoot => ({
  variable,
  kind: "local",
  certain: true,
  ...more,
});

describe("the name of a map", () => {
  it("is its type where nobody holds it under a name", () => {
    expect(mapName(map)).toBe("map[string]int");
    expect(mapName({ ...map, type: null, roots: [root(null)] })).toBe("map of unknown type");
  });

  it("is a certain path rather than a likely one, and a global rather than a local", () => {
    const roots = [root("m"), root("x.m", { certain: false }), root("main.sessions", { kind: "global" })];
    expect(bestPath({ roots, users: [] })).toBe("main.sessions");
    expect(bestPath({ roots: roots.slice(0, 2), users: [] })).toBe("m");
  });

  it("is what those call it who were at it", () => {
    const roots = [root("main.all", { kind: "global" }), root("s.byPath", { goroutine: 7, frame: 3 })];
    const users = [{ goroutine: 7, caller_frame: 3 } as MapUser];
    expect(bestPath({ roots, users })).toBe("s.byPath");
  });
});

describe("the state of a map", () => {
  it.each([
    [{ state: "normal" }, /No write and no growth/],
    [{ state: "normal", users: [{ operation: "write" }] }, /shows no write: each writer turns it over/],
    [{ state: "nil" }, /never made.*write panics/],
    [{ state: "empty", allocated: false }, /nothing is allocated/],
    [{ state: "empty", allocated: true }, /has room/],
    [{ state: "empty", allocated: null }, /^It is empty\.$/],
    [{ state: "growing", header: null }, /are moving/],
    [
      { state: "growing", header: { ...hmap, growth: { same_size: false, old_buckets: 16, evacuated: 5 } } },
      /twice as many buckets: 5 of 16 old ones are done/,
    ],
    [
      { state: "growing", header: { ...hmap, growth: { same_size: true, old_buckets: 16, evacuated: 5 } } },
      /to fresh buckets/,
    ],
  ] as [Partial<GoMap>, RegExp][])("says of %j what it means", (more, words) => {
    expect(stateSentence({ ...map, ...more })).toMatch(words);
  });
});

describe("the header", () => {
  const facts = (header: GoMap["header"]) =>
    Object.fromEntries(
      headerFacts({ ...map, count: 168, header: header ?? null }).map((fact) => [fact.name, fact]),
    );

  it("explains buckets", () => {
    expect(facts(hmap).B).toMatchObject({ value: "5", meaning: "two to the power of 5 makes 32 buckets" });
    expect(facts(hmap).count?.value).toBe("168");
    expect(facts(hmap)["load factor"]?.value).toBe("5.25");
    expect(facts({ ...hmap, b: 16 }).noverflow?.meaning).toMatch(/estimate/);
  });

  it("explains groups, and leaves out what a small map or an older Go has not", () => {
    const small = {
      used: 3,
      seed: "0x1",
      dir_ptr: "0xc000012340",
      dir_len: 0,
      global_depth: 0,
      global_shift: 0,
      writing: 0,
      small: true,
      tables: [],
    };
    expect(Object.keys(facts(small))).toEqual(["used", "writing", "dirLen", "seed", "dirPtr"]);
    const large = {
      ...small,
      small: false,
      dir_len: 2,
      tombstone_possible: false,
      clear_seq: 1,
      table_count: null,
    };
    expect(facts(large).tables?.value).toBeNull();
    expect(facts(large).tombstonePossible?.value).toBe("false");
    expect(facts({ ...large, writing: 1 }).writing?.meaning).toMatch(/inside a write/);
  });

  it("explains both forms of sync.Map", () => {
    expect(Object.keys(facts({ form: "hash-trie" }))).toEqual(["form"]);
    const facing = facts({ form: "read-dirty", read: 3, dirty: null, amended: false, misses: 0 });
    expect(facing.dirty?.value).toBe("nil");
    expect(facing.amended?.value).toBe("false");
  });

  it("is silent where it could not be read", () => {
    expect(headerFacts(map)).toEqual([]);
  });
});

it("does not make up a meaning for a flag", () => {
  expect(flagWords("hashWriting")).toMatch(/inside a write/);
  expect(flagWords("new")).toMatch(/not explained/);
});

it("says how large it is, as far as that is known", () => {
  expect(sizeWords(map)).toBe("an unknown number of entries");
  expect(sizeWords({ ...map, count: 1, room: 8, size_bytes: 240 })).toBe(
    "1 entry, with room for 8; 240 bytes",
  );
});
