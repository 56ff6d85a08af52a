// The shapes of the API under the names that pages use.
import type * as Api from "./schema.gen";

export type {
  BuildCount,
  BuildIds,
  Completion,
  CompletionItem,
  Crash,
  CrashStatus,
  CrashSummary,
  Diagnostic,
  Doing,
  EvalAnswer,
  EvidenceKind,
  FacetCount,
  FacetValue,
  Frame,
  Goroutine,
  GoroutineCluster,
  GoroutinePage,
  GoroutineRow,
  Group,
  GroupDetails,
  GroupPatch,
  GroupState,
  HmapHeader,
  Incident,
  IncidentAlert,
  IncidentCrash,
  IncidentDetails,
  IncidentReference,
  IncidentState,
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
  MuteUntil,
  NewCrash,
  NewRule,
  Panic,
  PanicLink,
  PopulationStack,
  Process,
  QueryField,
  Race,
  RaceAccess,
  Regrouping,
  RelatedGroup,
  Report,
  Resolution,
  ResolvedIn,
  Rule,
  RuleConflict,
  RuleKind,
  RulePatch,
  SavedQuery,
  SearchResult,
  Session,
  Signal,
  SignatureStep,
  SignatureTrial,
  SlotState,
  Source,
  Split,
  Stage,
  Stats,
  StoredBinary,
  StoredEvidence,
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
/** A map of the crashed process; `Map` is JavaScript's own. */
export type GoMap = Api.Map;
/** What a rule, or grouping anew, would change in all history. */
export type RulePlan = Api.Plan;
/** Crashes that would go from one group to another; null for one that would be made. */
export type PlannedMove = Api.Move;

/** What changed, by the names of what was changed; the document says no more about it. */
type Changed = Record<"from" | "to", Record<string, unknown>>;
export type HistoryEntry = Omit<Api.HistoryEntry, keyof Changed> & Changed;
export type RuleHistoryEntry = Omit<Api.RuleHistoryEntry, keyof Changed> & Changed;

export interface Page<T> {
  items: T[];
  next_cursor?: string | null;
}
