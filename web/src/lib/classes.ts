// Root-cause classes in words.
import type { IconName } from "../components/icon-paths";

interface ClassInfo {
  label: string;
  /** What it means, in one sentence. */
  meaning: string;
  icon: IconName;
}

export const CLASSES: Record<string, ClassInfo> = {
  "nil-map-write": {
    label: "Write to a nil map",
    meaning: "A key was assigned in a map that was declared but never made.",
    icon: "map",
  },
  "concurrent-map-write": {
    label: "Concurrent map writes",
    meaning: "Two goroutines wrote to one map at the same time, which ends the process at once.",
    icon: "race",
  },
  "concurrent-map-read-write": {
    label: "Concurrent map read and write",
    meaning: "A goroutine read a map while another one wrote to it, which ends the process at once.",
    icon: "race",
  },
  "concurrent-map-iteration-write": {
    label: "Map written while iterated",
    meaning: "A goroutine ranged over a map while another one wrote to it, which ends the process at once.",
    icon: "race",
  },
  "nil-dereference": {
    label: "Nil pointer dereference",
    meaning: "A field or element was reached through a pointer that points nowhere.",
    icon: "nil",
  },
  "nil-func-call": {
    label: "Call of a nil function",
    meaning: "A function value that was never set was called.",
    icon: "nil",
  },
  "index-out-of-range": {
    label: "Index out of range",
    meaning: "An element was asked for that the slice, array or string does not have.",
    icon: "bounds",
  },
  "slice-bounds": {
    label: "Slice bounds out of range",
    meaning: "A slice expression reached past what the slice, array or string holds.",
    icon: "bounds",
  },
  "type-assertion": {
    label: "Failed type assertion",
    meaning: "An interface held a value of another type than the code insisted on.",
    icon: "type",
  },
  "unhashable-key": {
    label: "Unhashable map key",
    meaning: "A value that cannot be hashed, such as a slice, was used as a map key behind an interface.",
    icon: "map",
  },
  "close-closed-channel": {
    label: "Channel closed twice",
    meaning: "A channel was closed that somebody had closed before.",
    icon: "channel",
  },
  "close-nil-channel": {
    label: "Close of a nil channel",
    meaning: "A channel was closed that was never made.",
    icon: "channel",
  },
  "send-closed-channel": {
    label: "Send on a closed channel",
    meaning: "A value was sent on a channel that somebody had closed.",
    icon: "channel",
  },
  "negative-waitgroup": {
    label: "Negative WaitGroup counter",
    meaning: "Done was called on a WaitGroup more often than Add had announced.",
    icon: "sync",
  },
  "unlock-unlocked": {
    label: "Unlock of an unlocked mutex",
    meaning: "A mutex was unlocked that nobody held; the process cannot recover from that.",
    icon: "sync",
  },
  "divide-by-zero": {
    label: "Division by zero",
    meaning: "An integer was divided by zero.",
    icon: "bounds",
  },
  makeslice: {
    label: "Impossible slice size",
    meaning: "A slice was made with a length or capacity that is negative or larger than memory.",
    icon: "memory",
  },
  "out-of-memory": {
    label: "Out of memory",
    meaning: "The runtime asked for memory and the system gave it none.",
    icon: "memory",
  },
  "stack-overflow": {
    label: "Stack overflow",
    meaning: "A goroutine's stack outgrew its limit, nearly always by endless recursion.",
    icon: "stack",
  },
  deadlock: {
    label: "Deadlock",
    meaning: "Goroutines waited for one another, so that none of them could ever go on.",
    icon: "wait",
  },
  "goroutine-leak": {
    label: "Goroutine leak",
    meaning: "Many goroutines stand at one place where nothing seems to wake them.",
    icon: "wait",
  },
  "error-panic": {
    label: "Panic with an error",
    meaning: "The program panicked with an error value and nothing recovered it.",
    icon: "panic",
  },
  "string-panic": {
    label: "Panic with a text",
    meaning: "The program panicked with a message and nothing recovered it.",
    icon: "panic",
  },
  "custom-panic": {
    label: "Panic with a value",
    meaning: "The program panicked with a value of its own and nothing recovered it.",
    icon: "panic",
  },
  checkptr: {
    label: "Invalid unsafe pointer",
    meaning: "The checks for unsafe pointers found one that breaks their rules.",
    icon: "memory",
  },
  "unexpected-fault": {
    label: "Fault at an unexpected address",
    meaning: "The process touched memory that is not there and not near nil.",
    icon: "memory",
  },
  "cgo-fault": {
    label: "Fault in C code",
    meaning: "C code that Go called touched memory it must not, or aborted.",
    icon: "memory",
  },
  "external-signal": {
    label: "Signal from outside",
    meaning: "Somebody else sent the process a signal that ends it.",
    icon: "signal",
  },
  "runtime-throw": {
    label: "Runtime failure",
    meaning: "The Go runtime found a state that it cannot go on from.",
    icon: "runtime",
  },
  "runtime-corruption": {
    label: "Corrupted memory",
    meaning: "The Go runtime found its own structures damaged, most often by unsafe code or a data race.",
    icon: "runtime",
  },
  "data-race": {
    label: "Data race",
    meaning: "The race detector saw two goroutines use the same memory without agreeing on an order.",
    icon: "race",
  },
  "no-crash": {
    label: "No crash",
    meaning: "Nothing in the evidence says that the process crashed.",
    icon: "calm",
  },
  unknown: {
    label: "Unknown cause",
    meaning: "The evidence does not say what happened.",
    icon: "unknown",
  },
};

const UNKNOWN: ClassInfo = { label: "Unknown cause", meaning: "", icon: "unknown" };

/** Words for a class; one that this page does not know yet keeps its own name. */
export function classInfo(slug: string | null | undefined): ClassInfo {
  if (slug == null) return UNKNOWN;
  return CLASSES[slug] ?? { ...UNKNOWN, label: slug.replaceAll("-", " ") };
}
