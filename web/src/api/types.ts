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
