import { expect, it } from "vitest";
import { columnOf, errorWords, markedAt, recalled, remembered } from "./expressions";

it("marks the letter that an error is about, counted in bytes", () => {
  expect(markedAt("c.usrs", 2)).toEqual({ before: "c.", at: "u", after: "srs" });
  // é takes two bytes, the emoji four.
  expect(markedAt('m["é😀x"]', 10)).toEqual({ before: 'm["é😀x', at: '"', after: "]" });
  expect(columnOf(markedAt('m["é😀x"]', 10))).toBe(7);
});

it("marks the end, for what is missing there", () => {
  expect(markedAt("c.", 2)).toEqual({ before: "c.", at: "", after: "" });
  expect(markedAt("", 0)).toEqual({ before: "", at: "", after: "" });
});

it("remembers what was asked, each once", () => {
  expect(remembered(["a", "b"], "a")).toEqual(["b", "a"]);
  const many = Array.from({ length: 60 }, (_, index) => String(index));
  expect(remembered(many, "x")).toHaveLength(50);
  expect(remembered(many, "x").at(-1)).toBe("x");
});

it("goes up to older expressions and down to what was being written", () => {
  const history = ["a", "b"];
  expect(recalled(history, null, "up")).toBe(1);
  expect(recalled(history, 1, "up")).toBe(0);
  expect(recalled(history, 0, "up")).toBe(0);
  expect(recalled(history, 0, "down")).toBe(1);
  expect(recalled(history, 1, "down")).toBeNull();
  expect(recalled([], null, "up")).toBeNull();
});

it("has words for errors, also for those that it does not know", () => {
  expect(errorWords("unknown-name")).toBe("There is no such name here");
  expect(errorWords("else")).toBe("It has no value");
});
