import { expect, it } from "vitest";
import { nameParts, shortenArguments } from "./type-args";

const SHAPE = "go.shape.struct { TenantID string; Tags map[string][]string }";

it.each([
  ["main.(*Cache[go.shape.string]).Put", "main.(*Cache[go.shape.string]).Put"],
  [`main.(*Cache[${SHAPE},go.shape.*uint8]).Put.func1`, "main.(*Cache[…]).Put.func1"],
  [`main.Map[${SHAPE}].func2`, "main.Map[…].func2"],
  ["main.(*Cache[...]).Put", "main.(*Cache[...]).Put"],
  ["It is c.users (map[example.com/shop/internal/pricing.Key]*main.User)", null],
  [`main.open[${SHAPE}`, null],
])("%s", (name, short) => {
  expect(shortenArguments(name)).toBe(short ?? name);
});

it("keeps every letter of a name", () => {
  const name = `example.com/shop.(*Cache[${SHAPE}]).Put[int]`;
  const parts = nameParts(name);
  expect(parts.map(({ text }) => text).join("")).toBe(name);
  expect(parts.filter(({ argument }) => argument).map(({ text }) => text)).toEqual([SHAPE, "int"]);
});
