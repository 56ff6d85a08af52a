// Whose code a frame is, and which frames are folded.
import type { Frame } from "../api/types";

export type Owner = "app" | "dependency" | "std" | "runtime" | "c" | "signal";

/**
 * The import path of a function: `net/http` of `net/http.(*conn).serve`. The compiler writes dots of
 * the last path element as `%2e`, so the first dot after the last slash ends the path.
 */
export function packageOf(functionName: string): string {
  const slash = functionName.lastIndexOf("/", beforeBracket(functionName));
  const dot = functionName.indexOf(".", slash + 1);
  return dot < 0 ? functionName : functionName.slice(0, dot);
}

/** Type arguments and receivers hold slashes of their own. */
function beforeBracket(name: string): number {
  const bracket = name.search(/[[(]/);
  return bracket < 0 ? name.length : bracket;
}

/** Whose code it is. Without the main module's path, everything outside the standard library may be it. */
export function ownerOf(frame: Frame, module: string | null | undefined): Owner {
  if (frame.kind === "cgo") return "c";
  if (frame.kind === "signal") return "signal";
  if (frame.kind === "runtime") return "runtime";
  const path = packageOf(frame.function);
  if (path === "main") return "app";
  if (module != null && (path === module || path.startsWith(`${module}/`))) return "app";
  const first = path.split("/")[0] ?? "";
  if (!first.includes(".")) return module != null && first === module.split("/")[0] ? "app" : "std";
  return module == null ? "app" : "dependency";
}

export interface FrameRun {
  /** Index of the first frame on the stack. */
  start: number;
  frames: Frame[];
  /** May be folded: all of it is the runtime's. */
  foldable: boolean;
}

/** Neighbours of one kind together, so that what the runtime does can be folded to one line. */
export function runs(frames: readonly Frame[], minimum = 2): FrameRun[] {
  const found: FrameRun[] = [];
  frames.forEach((frame, index) => {
    const foldable = frame.kind === "runtime";
    const last = found.at(-1);
    if (last !== undefined && last.foldable === foldable) last.frames.push(frame);
    else found.push({ start: index, frames: [frame], foldable });
  });
  return found.map((run) => (run.frames.length < minimum ? { ...run, foldable: false } : run));
}

/** `(*Cache).Put` of `example.com/app/cache.(*Cache).Put`, with its package beside it. */
export function splitFunction(name: string): { path: string; rest: string } {
  const path = packageOf(name);
  return path === name ? { path: "", rest: name } : { path, rest: name.slice(path.length + 1) };
}

/** The first frame that is neither the runtime's nor the standard library's; else the first. */
export function tellingFrame(frames: readonly Frame[], module?: string | null): Frame | undefined {
  const owners = frames.map((frame) => ownerOf(frame, module));
  const index = owners.findIndex((owner) => owner === "app");
  if (index >= 0) return frames[index];
  return frames[owners.findIndex((owner) => owner !== "runtime")] ?? frames[0];
}

/** `main.go:16`, or why there is none. */
export function position(frame: Pick<Frame, "file" | "line">): string | null {
  if (frame.file == null) return null;
  const name = frame.file.split("/").at(-1) ?? frame.file;
  return frame.line == null ? name : `${name}:${frame.line}`;
}
