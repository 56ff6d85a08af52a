import { describe, expect, it } from "vitest";
import { byteOf, completed, indexOf, placeOf, stillAt } from "./query-text";

it("counts bytes as the server does", () => {
  const text = 'grün "世界" 🐹 x';
  for (let index = 0; index <= text.length; index += 1) {
    if (/[\uDC00-\uDFFF]/.test(text.charAt(index))) continue;
    expect(indexOf(text, byteOf(text, index))).toBe(index);
  }
  expect(byteOf("grün", 3)).toBe(4);
  expect(indexOf("grün", 3)).toBe(2);
});

describe("the place of a problem", () => {
  it("is what is wrong", () => {
    expect(placeOf("class:nope since:24h", 6, 4)).toEqual({
      before: "class:",
      at: "nope",
      after: " since:24h",
    });
    expect(placeOf("wörd:x", 0, 5)).toMatchObject({ at: "wörd", after: ":x" });
  });

  it("may lie between two letters, or behind the end", () => {
    expect(placeOf("(a b", 4, 0)).toEqual({ before: "(a b", at: "", after: "" });
    expect(placeOf("ab", 9, 3)).toEqual({ before: "ab", at: "", after: "" });
  });
});

describe("a completion", () => {
  it("takes the place of what was typed of it", () => {
    expect(completed("cla", { position: 0, length: 3 }, "class:")).toEqual({
      text: "class:",
      cursor: 6,
      unfinished: true,
    });
  });

  it("leaves room for the next term, once", () => {
    expect(completed("service:bil", { position: 8, length: 3 }, "billing")).toMatchObject({
      text: "service:billing ",
      cursor: 16,
    });
    expect(completed("service:bil since:1h", { position: 8, length: 3 }, "billing")).toMatchObject({
      text: "service:billing since:1h",
      cursor: 16,
    });
  });
});

describe("a completion of a moment ago", () => {
  const earlier = { q: "a se", position: 2, length: 2 };

  it("takes the place of what was typed since", () => {
    expect(stillAt(earlier, "service:", "a serv", 6)).toEqual({ position: 2, length: 4 });
    expect(stillAt(earlier, "service:", "a se", 4)).toEqual({ position: 2, length: 2 });
  });

  it("is none where something else is written", () => {
    expect(stillAt(earlier, "service:", "a since", 7)).toBeNull();
    expect(stillAt(earlier, "service:", "b se", 4)).toBeNull();
    expect(stillAt(earlier, "service:", "a se", 1)).toEqual({ position: 2, length: 2 });
  });
});
