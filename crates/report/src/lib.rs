//! The report, `panicle.report/1`: what Panicle knows about one crash.
//!
//! This crate is a leaf. It holds the shapes that the engine fills, the service stores and the web
//! UI and runbooks read, and nothing that computes them. Conventions that hold throughout:
//!
//! - addresses are strings `"0x…"`, because they exceed 2^53 ([`Address`]);
//! - durations are seconds, times are RFC 3339 UTC;
//! - unknown is `null`, never zero or empty; what is missing is also said in `diagnostics`;
//! - fields are added freely and never renamed or dropped without a new schema number.

mod address;
mod diagnostic;
mod goroutine;
mod map;
mod panic;
mod query;
mod race;
mod report;
mod source;
mod verdict;

pub use address::Address;
pub use diagnostic::{Diagnostic, Severity, Stage};
pub use goroutine::{
    CreatedBy, Elided, Frame, FrameKind, Goroutine, GoroutineCluster, Leaked, Local, StackBounds, Thread,
    ThreadOn, Trust, WaitingOn,
};
pub use map::{
    HmapGrowth, HmapHeader, Map, MapHeader, MapImplementation, MapKnown, MapOperation, MapRoot, MapRootKind,
    MapState, MapUser, SwissHeader, SwissTable, SyncMapHeader,
};
pub use panic::{Panic, PanicKind, PanicLink, PanicValue};
pub use query::{
    EvalError, EvalQuery, Evaluated, KeyPlace, MapEntries, MapEntriesQuery, MapEntry, MapLayout,
    MapLayoutQuery, MapLayoutRow, MapPointer, MapSlot, MapSort, Query, QueryError, SlotState,
};
pub use race::{Race, RaceAccess, RaceGoroutine};
pub use report::{Report, SCHEMA};
pub use source::{
    Binary, BinaryMatch, BuildIds, CoreSource, DebugFile, DebugMatch, DwarfPresence, EvidenceSource, Layout,
    LayoutSource, Process, Signal, Source, Truncated,
};
pub use verdict::{Confidence, Evidence, PopulationStack, Signature, SignatureStep, Verdict, VerdictClass};
