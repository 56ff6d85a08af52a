// What the API's words mean, for people.
import type {
  CrashStatus,
  Diagnostic,
  EvidenceKind,
  GroupState,
  Layout,
  ReportBinary,
  Signal,
  Stage,
  Verdict,
} from "../api/types";

export const STATUS_WORDS: Record<CrashStatus, string> = {
  received: "Received",
  "waiting-for-binary": "Waiting for the binary",
  queued: "Waiting for a worker",
  analysing: "Being analysed",
  done: "Analysed",
  failed: "Analysis failed",
  quarantined: "Quarantined",
};

/** What a worker is doing, by `progress.step`. */
export const STEP_WORDS: Partial<Record<string, string>> = {
  fetching: "A worker fetches the evidence.",
  unpacking: "What is packed is taken apart.",
  reading: "Goroutines, stacks and values are being read.",
  storing: "The report is being stored.",
};

export const STATE_WORDS: Record<GroupState, string> = {
  new: "New",
  ongoing: "Ongoing",
  regressed: "Regressed",
  resolved: "Resolved",
  muted: "Muted",
};

export const CONFIDENCE_WORDS: Record<Verdict["confidence"], { label: string; meaning: string }> = {
  certain: { label: "Certain", meaning: "the runtime said so itself, or memory shows it" },
  likely: { label: "Likely", meaning: "it fits better than any other cause" },
  possible: { label: "Possible", meaning: "it fits, as other causes do" },
  unknown: { label: "Unknown", meaning: "the evidence does not say" },
};

export const KIND_WORDS: Record<EvidenceKind, string> = {
  core: "Core",
  binary: "Executable",
  text: "Crash text",
  trace: "Execution trace",
  profile: "Profile",
  race: "Race report",
};

const STAGE_WORDS: Record<Stage, string> = {
  image: "Reading the core",
  binary: "Reading the executable",
  layout: "Finding the runtime's structures",
  goroutines: "Listing goroutines and threads",
  unwind: "Walking stacks",
  values: "Reading values",
  panic: "Reading the panic",
  evidence: "Reading texts and recordings",
  verdict: "Deciding on a verdict",
  service: "Receiving and storing",
};

export function stageWords(stage: Diagnostic["stage"]): string {
  return STAGE_WORDS[stage];
}

export const SEVERITY_WORDS: Record<Diagnostic["severity"], string> = {
  info: "Note",
  warning: "Missing in part",
  error: "Missing",
};

export const MATCH_WORDS: Record<ReportBinary["match"], string> = {
  "build-id": "its build ID is the one in the process' memory",
  text: "its code is the code in the process' memory",
  mismatch: "it is not what the process ran",
  none: "nothing in the core could tell whether it is what the process ran",
};

export const DWARF_WORDS: Record<ReportBinary["dwarf"], string> = {
  full: "in the executable",
  separate: "in a file of its own",
  none: "none, so that variables have no names",
};

export const LAYOUT_WORDS: Record<Layout["source"], string> = {
  dwarf: "the executable's own debug information",
  table: "a table made from this Go version",
  "nearest-table": "a table of a neighbouring Go version, checked against this memory",
};

/** `SIGSEGV (11), at 0x0, sent by process 7`. */
export function signalWords(signal: Signal): string {
  const parts = [`${signal.name} (${signal.number})`];
  if (signal.address != null) parts.push(`at ${signal.address}`);
  if (signal.sender_pid != null) parts.push(`sent by process ${signal.sender_pid}`);
  return parts.join(", ");
}

/** `waiting: chan receive`, `running`. */
export function stateWords({ status, wait_reason }: { status: string; wait_reason?: string | null }): string {
  return wait_reason == null ? status : `${status}: ${wait_reason}`;
}
