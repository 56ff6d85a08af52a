import { describe, expect, it } from "vitest";
import { goroutineFilter, narrowed, parseGoroutineSearch } from "./goroutine-search";
import { isFiltered, parseGroupSearch } from "./group-search";

import {
  mapsNarrowed,
  nextSort,
  parseGoroutinePageSearch,
  parseMapListSearch,
  parseMapSearch,
} from "./map-search";

const given = (value: object) =>
  Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined));

describe("the URL of the groups", () => {
  it("takes what is known", () => {
    const search = { state: "new", class: "nil-map-write", service: " shop ", q: "cache", sort: "count" };
    expect(given(parseGroupSearch(search))).toEqual({ ...search, service: "shop" });
  });

  it("leaves out what is not", () => {
    const search = { state: "gone", class: "bad luck", service: "  ", sort: "size", else: 1 };
    expect(given(parseGroupSearch(search))).toEqual({});
  });

  it("reads numbers as texts: the router has made them numbers", () => {
    expect(parseGroupSearch({ q: 404 }).q).toBe("404");
  });

  it("knows an order from a filter", () => {
    expect(isFiltered({ sort: "count" })).toBe(false);
    expect(isFiltered({ q: "x" })).toBe(true);
  });
});

describe("the URL of the goroutines", () => {
  it("asks the server for everything but the view", () => {
    const search = parseGoroutineSearch({
      view: "table",
      status: "waiting",
      label: "tenant=a",
      sort: "wait",
    });
    expect(given(goroutineFilter(search))).toEqual({ status: "waiting", label: "tenant=a", sort: "wait" });
  });

  it("knows what narrows", () => {
    expect(narrowed({ sort: "id" })).toBe(false);
    expect(narrowed({ cluster: "5e9d" })).toBe(true);
  });
});

describe("the URLs of maps", () => {
  it("take what is known", () => {
    const search = { type: "map[string]", state: "growing", flag: "writing", goroutine: 7, sort: "size" };
    expect(given(parseMapListSearch(search))).toEqual(search);
    expect(given(parseMapListSearch({ state: "odd", goroutine: -1, sort: "name" }))).toEqual({});
    expect(mapsNarrowed({ sort: "count" })).toBe(false);
    expect(mapsNarrowed({ goroutine: 0 })).toBe(true);
  });

  it("keep keys as Go writes them, and read numbers as keys", () => {
    expect(given(parseMapSearch({ key: '"k1"', from: 32, rows: "table", sort: "key" }))).toEqual({
      key: '"k1"',
      from: 32,
      rows: "table",
      sort: "key",
    });
    expect(given(parseMapSearch({ key: 17, from: "1.5" }))).toEqual({ key: "17" });
  });

  it("sort up, down and not at all", () => {
    expect(nextSort("key", undefined)).toBe("key");
    expect(nextSort("key", "key")).toBe("key-descending");
    expect(nextSort("key", "key-descending")).toBeUndefined();
    expect(nextSort("value", "key")).toBe("value");
  });
});

it("the URL of a goroutine holds the frame and the expression", () => {
  expect(given(parseGoroutinePageSearch({ frame: "2", expr: 'c.users["k1"]' }))).toEqual({
    frame: 2,
    expr: 'c.users["k1"]',
  });
});
