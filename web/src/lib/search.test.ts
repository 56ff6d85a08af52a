import { describe, expect, it } from "vitest";
import { goroutineFilter, narrowed, parseGoroutineSearch } from "./goroutine-search";
import { isFiltered, parseGroupSearch } from "./group-search";

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
