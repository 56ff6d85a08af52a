// The shapes of the API under the names that pages use.
import type * as Api from "./schema.gen";

export type {
  BuildCount,
  BuildIds,
  Diagnostic,
  EvalAnswer,
  FacetCount,
  FacetValue,
  Frame,
  Goroutine,
  GoroutineCluster,
  GoroutinePage,
  GoroutineRow,
  GroupPatch,
  HmapHeader,
  KeyPlace,
  Layout,
  Local,
  MapDetails,
  MapEntries,
  MapEntry,
  MapFacets,
  MapImplementation,
  MapLayout,
  MapLayoutRow,
  MapOperation,
  MapPage,
  MapRoot,
  MapSlot,
  MapState,
  MapUser,
  Merge,
  Mute,
  Panic,
  PanicLink,
  PopulationStack,
  Process,
  RelatedGroup,
  Report,
  Resolution,
  Signal,
  SignatureStep,
  SlotState,
  Source,
  Split,
  Stage,
  Stats,
  SwissHeader,
  SwissTable,
  SyncMapHeader,
  Thread,
  TrendPoint,
  Variant,
  Verdict,
} from "./schema.gen";

export type ReportBinary = Api.Binary;
export type VerdictEvidence = Api.Evidence;

export type EvidenceKind = "core" | "binary" | "text" | "trace" | "profile" | "race";
export type CrashStatus =
  "received" | "waiting-for-binary" | "queued" | "analysing" | "done" | "failed" | "quarantined";
export type GroupState = "new" | "ongoing" | "regressed" | "resolved" | "muted";

export interface StoredBinary {
  id: string;
  name: string | null;
  size_bytes: number;
  identified: boolean;
  go_version: string | null;
  module: string | null;
  module_version: string | null;
  vcs_revision: string | null;
  build_ids: Api.BuildIds;
  dwarf: string | null;
  stripped: boolean | null;
  problem: string | null;
  received_at: string;
}

export interface StoredEvidence {
  id: string;
  kind: EvidenceKind;
  name: string | null;
  size_bytes: number;
  sha256: string;
  received_at: string;
  binary: StoredBinary | null;
}

export type CrashSummary = Omit<Api.CrashSummary, "status"> & { status: CrashStatus };
export type Crash = Omit<Api.Crash, "status" | "evidence"> & {
  status: CrashStatus;
  evidence: StoredEvidence[];
};
export type Group = Omit<Api.Group, "state"> & { state: GroupState };
export type GroupDetails = Omit<Api.GroupDetails, "state"> & { state: GroupState };
export type HistoryEntry = Omit<Api.HistoryEntry, "from" | "to"> & {
  from: Record<string, unknown>;
  to: Record<string, unknown>;
};
/** Of what is not set, nothing is sent. */
export type ResolvedIn = Partial<Api.ResolvedIn>;
export type MuteUntil = Partial<Omit<Api.MuteUntil, "escalation">> & {
  escalation?: { per_hour?: number | null } | null;
};
export type NewCrash = Partial<Api.NewCrash>;

export interface Page<T> {
  items: T[];
  next_cursor?: string | null;
}

/** A map of the crashed process; `Map` is JavaScript's own. */
export type GoMap = Api.Map;

/** A field of the query language. */
export interface QueryField {
  name: string;
  aliases: string[];
  kind: string;
  subject: string;
  keyed: boolean;
  in_rules: boolean;
  operators: string[];
  values: string[];
  help: string;
  examples: string[];
}

/** What could be typed at a place of a query. */
export interface Completion {
  /** First byte of what a completion replaces, and how many. */
  position: number;
  length: number;
  items: CompletionItem[];
}

export interface CompletionItem {
  text: string;
  kind: "field" | "key" | "value";
  help?: string | null;
  crashes?: number | null;
}

export interface SavedQuery {
  id: string;
  name: string;
  query: string;
  created_at: string;
  updated_at: string;
}

export interface SearchResult {
  query: string;
  groups: Group[];
  groups_cursor?: string | null;
  crashes: CrashSummary[];
  crashes_cursor?: string | null;
}

export type RuleKind = "merge" | "mute";

/** Which crashes it claims, and what becomes of them. */
export interface Rule {
  id: string;
  kind: RuleKind;
  name: string;
  predicate: string;
  group_id?: string | null;
  mute?: MuteUntil | null;
  enabled: boolean;
  created_at: string;
}

/** What a rule, or grouping anew, would change in all history. */
export interface RulePlan {
  looked_at: number;
  matched: number;
  examples: string[];
  moves: PlannedMove[];
  mutes: { group_id: string; count: number; of: number; muted: boolean }[];
  conflicts: RuleConflict[];
}

/** Crashes that would go from one group to another; null for one that would be made. */
export interface PlannedMove {
  from: string;
  to?: string | null;
  count: number;
  examples: string[];
}

export interface RuleConflict {
  crash_id: string;
  reason: string;
}

export type RuleHistoryEntry = Omit<HistoryEntry, "undone_by">;

export interface Regrouping {
  reason: string;
  done: number;
  total: number;
  moved: number;
  started_at: string;
  finished_at?: string | null;
}

export interface SignatureTrial {
  total: number;
  done: number;
  without_evidence: number;
  changed: number;
  moves: PlannedMove[];
}
