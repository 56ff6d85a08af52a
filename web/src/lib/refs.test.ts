import { expect, it } from "vitest";
import { frameAnchor, frameOfHash, parseReference } from "./refs";

it.each([
  ["goroutine 25 frame 2", { kind: "goroutine", goroutine: 25, frame: 2 }],
  ["goroutine 7", { kind: "goroutine", goroutine: 7, frame: null }],
  ["0xc000012345", { kind: "address", address: "0xc000012345" }],
  ["map 0xc000012345", { kind: "map", address: "0xc000012345" }],
  ["map of users", { kind: "other", text: "map of users" }],
  ["stderr.txt line 12", { kind: "other", text: "stderr.txt line 12" }],
  ["goroutine seven", { kind: "other", text: "goroutine seven" }],
])("reads %s", (text, reference) => {
  expect(parseReference(text)).toEqual(reference);
});

it("goes from a frame to its anchor and back", () => {
  expect(frameOfHash(`#${frameAnchor(12)}`)).toBe(12);
  expect(frameOfHash(frameAnchor(0))).toBe(0);
  expect(frameOfHash("#stack")).toBeNull();
  expect(frameOfHash("")).toBeNull();
});
