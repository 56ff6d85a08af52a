import { expect, it, vi } from "vitest";
import { noteStatus, wayBack, whenTokenNeeded } from "./sign-in";

it("asks for a token when the API does", () => {
  const act = vi.fn();
  whenTokenNeeded(act);
  [200, 403, 404, 500].forEach(noteStatus);
  expect(act).not.toHaveBeenCalled();
  noteStatus(401);
  expect(act).toHaveBeenCalledOnce();
});

it("goes back to pages of this site only", () => {
  expect(wayBack("/crashes?q=class:nil-map-write#frame-3")).toBe("/crashes?q=class:nil-map-write#frame-3");
  for (const wrong of [
    undefined,
    "",
    "crashes",
    "//elsewhere.example/",
    "/\\elsewhere.example",
    "https://elsewhere.example",
  ]) {
    expect(wayBack(wrong)).toBe("/");
  }
  expect(wayBack("/sign-in?back=%2Fsign-in")).toBe("/");
});
