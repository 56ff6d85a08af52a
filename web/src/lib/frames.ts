// Whose code a frame is, and which frames are folded.
import type { Frame, GoroutineCluster } from "../api/types";

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
  if (!first.includes(".")) return module?.split("/")[0] === first ? "app" : "std";
  return module == null ? "app" : "dependency";
}

export interface FrameRun {
  /** Index of the first frame on the stack. */
  start: number;
  frames: Frame[];
  /** Why it may be folded: all of it is the runtime's, or it is the middle of something very long. */
  fold: "runtime" | "long" | null;
}

/** Runtime frames in a row that are worth a fold. */
const RUNTIME_AT_LEAST = 2;
/** Frames in a row that are shown in full, and how many stay at either end of more. */
const LONG = { atMost: 40, head: 12, tail: 8 };

/** Neighbours of one kind together, so that what nobody looks for first can be folded to one line. */
export function runs(frames: readonly Frame[]): FrameRun[] {
  const found: FrameRun[] = [];
  frames.forEach((frame, index) => {
    const fold = frame.kind === "runtime" ? "runtime" : null;
    const last = found.at(-1);
    if (last?.fold === fold) last.frames.push(frame);
    else found.push({ start: index, frames: [frame], fold });
  });
  return found.flatMap((run) => {
    if (run.fold === "runtime") return [run.frames.length < RUNTIME_AT_LEAST ? { ...run, fold: null } : run];
    return run.frames.length > LONG.atMost ? foldMiddle(run) : [run];
  });
}

function foldMiddle({ start, frames }: FrameRun): FrameRun[] {
  const end = frames.length - LONG.tail;
  return [
    { start, frames: frames.slice(0, LONG.head), fold: null },
    { start: start + LONG.head, frames: frames.slice(LONG.head, end), fold: "long" },
    { start: start + end, frames: frames.slice(end), fold: null },
  ];
}

/** Frames whose variables are shown at once: the application's innermost two. */
export function openFrames(frames: readonly Frame[], module: string | null | undefined): ReadonlySet<number> {
  const telling = frames.flatMap((frame, index) =>
    ownerOf(frame, module) === "app" && frame.locals.length > 0 ? [index] : [],
  );
  return new Set(telling.slice(0, 2));
}

/** What a fold holds: the first and last of the runtime's, the functions that a recursion repeats. */
export function foldWords({ frames, fold }: FrameRun): string {
  const names = frames.map((frame) => frame.function);
  if (fold === "long") {
    const distinct = [...new Set(names)];
    if (distinct.length <= 3) return `${distinct.join(", ")}, again and again`;
  }
  return names.length === 1 ? (names[0] ?? "") : `${names[0] ?? ""} … ${names.at(-1) ?? ""}`;
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

/** All of it is the runtime's own work: nothing that a program's author wrote. */
export function isRuntimeOnly(frames: readonly Frame[]): boolean {
  return frames.length > 0 && frames.every((frame) => frame.kind === "runtime");
}

/** The function that tells most about each cluster, by the cluster's signature. */
export function clusterPlaces(clusters: readonly GoroutineCluster[]): ReadonlyMap<string, string> {
  return new Map(
    clusters.flatMap(({ signature, frames }) => {
      const frame = tellingFrame(frames);
      return frame ? [[signature, frame.function] as const] : [];
    }),
  );
}

/** `main.go:16`, or why there is none. */
export function position(frame: Pick<Frame, "file" | "line" | "library">): string | null {
  // Of a library without debug information its name is all there is.
  if (frame.file == null) return frame.library?.split("/").at(-1) ?? null;
  const name = frame.file.split("/").at(-1) ?? frame.file;
  return frame.line == null ? name : `${name}:${frame.line}`;
}
