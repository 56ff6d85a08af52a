import { describe, expect, it } from "vitest";
import { type Branch, inline, parseExactly, tree } from "./values";

describe("reading the answer", () => {
  it("keeps integers that JavaScript would round", () => {
    const text =
      '{"value":9223372036854775807,"small":17,"text":"9223372036854775807","f":1.0000000000000000001}';
    const { value, small, text: string, f } = parseExactly(text) as Record<string, unknown>;
    expect(tree(value)).toMatchObject({ text: "9223372036854775807" });
    expect(tree([value])).toMatchObject({ text: "unknown" });
    expect(small).toBe(17);
    expect(string).toBe("9223372036854775807");
    expect(f).toBe(1);
  });

  it("leaves strings with quotes and digits alone", () => {
    expect(parseExactly('{"a":"say \\"12345678901234567890\\" twice"}')).toEqual({
      a: 'say "12345678901234567890" twice',
    });
  });
});

describe("the tree of a value", () => {
  it.each([
    [null, "nil"],
    ["a\nb", '"a\\nb"'],
    [false, "false"],
    [{ error: "the page is not in the core" }, "unknown (the page is not in the core)"],
    [{ address: "0xc000012345" }, "0xc000012345, not followed"],
    [{ address: "0xc000012345", seen: true }, "0xc000012345, which is shown above"],
    [{ address: "0xc000012345", target: 7 }, "0xc000012345 → 7"],
    [{ type: "int", value: 7 }, "int(7)"],
    [{ address: "0x4a0000", name: "main.serve" }, "main.serve at 0x4a0000"],
    [
      { address: "0xc00007e000", len: 2, cap: 8, closed: true },
      "channel 0xc00007e000, 2 of 8 in its buffer, closed",
    ],
    [{ len: 5_000, text: "ab", truncated: true }, '"ab"… (5,000 bytes)'],
    [{ len: 2, hex: "ff00" }, "bytes ff00 (2 bytes, no UTF-8)"],
  ])("writes %j on one line", (value, text) => {
    expect(tree(value)).toMatchObject({ kind: "leaf", text });
  });

  it("takes no struct for a pointer because of the names of its fields", () => {
    const route = tree({ address: "10.0.0.7:443", target: "billing" });
    expect(route).toMatchObject({ kind: "branch", summary: "2 fields" });
    expect((route as Branch).children.map(({ name }) => name)).toEqual(["address", "target"]);
    expect(tree({ address: "", name: "billing" })).toMatchObject({ summary: "2 fields" });
  });

  it("makes branches of maps, and says what was not read", () => {
    const map = tree({
      len: 3,
      address: "0x1",
      entries: [{ key: "k1", value: { Name: "ada" } }],
      truncated: true,
    });
    expect(map).toMatchObject({ summary: "3 entries", rest: "2 more entries not read" });
    expect((map as Branch).children[0]).toMatchObject({ name: '"k1"', node: { summary: "1 field" } });
  });

  it("says what is wrong with a map", () => {
    const map = tree({ len: 0, address: "0x1", entries: [], truncated: false, problems: ["B is 90."] });
    expect(map).toMatchObject({ kind: "branch", summary: "0 entries", rest: "B is 90." });
  });

  it("makes branches of slices with their room", () => {
    expect(tree({ len: 2, cap: 4, elements: [1, 2] })).toMatchObject({
      summary: "2 elements, room for 4",
      rest: null,
    });
  });

  it("goes through pointers and interfaces to what is there", () => {
    expect(tree({ address: "0xc000012345", target: { a: 1 } })).toMatchObject({
      summary: "at 0xc000012345; 1 field",
      children: [{ name: "a" }],
    });
    expect(tree({ type: "*main.T", value: { address: "0x1", target: {} } })).toMatchObject({
      summary: "*main.T; at 0x1; no fields",
    });
  });

  it("takes a struct for one, though a field has a name that other shapes have", () => {
    expect(tree({ len: 3, entries: 4 })).toMatchObject({ summary: "2 fields" });
    expect(tree({ address: "0x1", street: "Elm" })).toMatchObject({ summary: "2 fields" });
  });

  it("writes a branch on one line, no longer than asked", () => {
    const node = tree({ a: 1, b: { c: "x" } });
    expect(inline(node)).toBe('{a: 1, b: {c: "x"}}');
    expect(inline(node, 8)).toMatch(/…$/);
    expect(inline(node, 8).length).toBeLessThanOrEqual(10);
  });
});
