import { describe, expect, it } from "vitest";
import type { Frame } from "../api/types";
import {
  foldWords,
  isRuntimeOnly,
  ownerOf,
  packageOf,
  position,
  runs,
  splitFunction,
  tellingFrame,
} from "./frames";

function frame(name: string, kind: Frame["kind"] = "go"): Frame {
  return { function: name, kind, inlined: false, trust: "pclntab", locals: [] };
}

it.each([
  ["main.main", "main"],
  ["main.(*stats).record", "main"],
  ["net/http.(*conn).serve", "net/http"],
  ["example.com/app/cache.(*Cache[go.shape.int]).Put", "example.com/app/cache"],
  ["gopkg.in/yaml%2ev3.(*Decoder).Decode", "gopkg.in/yaml%2ev3"],
  ["example.com/a.F[example.com/b.T]", "example.com/a"],
  ["_cgo_topofstack", "_cgo_topofstack"],
])("the package of %s is %s", (name, path) => {
  expect(packageOf(name)).toBe(path);
});

it("splits a function from its package", () => {
  expect(splitFunction("net/http.(*conn).serve")).toEqual({ path: "net/http", rest: "(*conn).serve" });
  expect(splitFunction("abort")).toEqual({ path: "", rest: "abort" });
});

describe("ownerOf", () => {
  const module = "example.com/shop";
  it.each([
    [frame("main.run"), "app"],
    [frame("example.com/shop.Start"), "app"],
    [frame("example.com/shop/db.Open"), "app"],
    [frame("example.com/shopping.List"), "dependency"],
    [frame("net/http.(*conn).serve"), "std"],
    [frame("runtime.gopark", "runtime"), "runtime"],
    [frame("abort", "cgo"), "c"],
    [frame("runtime.sigtramp", "signal"), "signal"],
  ] as const)("tells whose %o is", (it, owner) => {
    expect(ownerOf(it, module)).toBe(owner);
  });

  it("counts what may be the application's as such without a module", () => {
    expect(ownerOf(frame("example.com/shop.Start"), null)).toBe("app");
    expect(ownerOf(frame("shop/db.Open"), "shop")).toBe("app");
  });
});

describe("runs", () => {
  it("folds the runtime's frames and loses none", () => {
    const frames = [
      frame("runtime.fatal", "runtime"),
      frame("runtime.mapassign", "runtime"),
      frame("main.f"),
      frame("runtime.goexit", "runtime"),
    ];
    const found = runs(frames);
    expect(found.map(({ start, fold }) => [start, fold])).toEqual([
      [0, "runtime"],
      [2, null],
      [3, null],
    ]);
    expect(found.flatMap((run) => run.frames)).toEqual(frames);
  });

  it("folds the middle of a recursion, and says what it repeats", () => {
    const frames = Array.from({ length: 100 }, (_, index) => frame(index % 2 ? "main.walk" : "main.descend"));
    const found = runs(frames);
    expect(found.map(({ start, fold, frames: { length } }) => [start, fold, length])).toEqual([
      [0, null, 12],
      [12, "long", 80],
      [92, null, 8],
    ]);
    expect(found[1] && foldWords(found[1])).toBe("main.descend, main.walk, again and again");
    expect(found.flatMap((run) => run.frames)).toEqual(frames);
  });
});

it("tells a stack by its innermost application frame", () => {
  const stack = [
    frame("runtime.gopark", "runtime"),
    frame("sync.(*Mutex).Lock"),
    frame("main.f"),
    frame("main.main"),
  ];
  expect(tellingFrame(stack)?.function).toBe("main.f");
  expect(tellingFrame(stack.slice(0, 2))?.function).toBe("sync.(*Mutex).Lock");
  expect(tellingFrame(stack.slice(0, 1))?.function).toBe("runtime.gopark");
  expect(tellingFrame([])).toBeUndefined();
});

it("knows what is the runtime's alone", () => {
  expect(isRuntimeOnly([frame("runtime.gopark", "runtime")])).toBe(true);
  expect(isRuntimeOnly([frame("runtime.gopark", "runtime"), frame("main.f")])).toBe(false);
  expect(isRuntimeOnly([])).toBe(false);
});

it("has no position where there is no table", () => {
  expect(position({ file: "/src/main.go", line: 16 })).toBe("main.go:16");
  expect(position({ file: "/src/main.go", line: null })).toBe("main.go");
  expect(position({ file: null, line: 3 })).toBeNull();
  expect(position({ file: null, line: null, library: "/usr/lib/libz.so.1" })).toBe("libz.so.1");
  expect(position({ file: "/src/inflate.c", line: 9, library: "/usr/lib/libz.so.1" })).toBe("inflate.c:9");
});
