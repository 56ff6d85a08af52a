use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Address;

/// One goroutine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Goroutine {
    /// `g.goid`.
    pub id: u64,
    /// The state word of a traceback header: `running`, `runnable`, `syscall`, `waiting`, …
    pub status: String,
    /// The reason as the runtime prints it (`chan receive`); null unless waiting.
    pub wait_reason: Option<String>,
    /// Since when it waits. The collector stamps it, so it is unknown until a collection ran.
    pub wait_seconds: Option<f64>,
    /// Profiler labels.
    pub labels: BTreeMap<String, String>,
    /// OS thread that runs it.
    pub thread: Option<i32>,
    /// `runtime.LockOSThread` is in force.
    pub locked_to_thread: bool,
    /// Started by the runtime itself and hidden from a default traceback.
    pub system: bool,
    /// Address of its `g`.
    pub address: Option<Address>,
    /// Bounds of its stack.
    pub stack: Option<StackBounds>,
    /// What it waits on.
    pub waiting_on: Option<WaitingOn>,
    /// The `go` statement that made it.
    pub created_by: Option<CreatedBy>,
    /// Innermost first, as the runtime's traceback shows them.
    pub frames: Vec<Frame>,
    /// Whether it can still be woken.
    pub leaked: Option<Leaked>,
    /// The stack could not be walked to its end, or frames were elided.
    pub truncated: bool,
    /// Frames left out of the middle of a very deep stack.
    pub elided: Option<Elided>,
}

/// Frames left out of the middle of a very deep stack, as the runtime does past a hundred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Elided {
    /// How many of [`Goroutine::frames`] come before the gap.
    pub after_frames: u64,
    /// How many frames are left out.
    pub count: u64,
}

/// A stack's bounds: `lo <= sp < hi`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StackBounds {
    /// Lowest address.
    pub lo: Address,
    /// First address past it.
    pub hi: Address,
}

/// What a goroutine waits on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct WaitingOn {
    /// `channel`, `mutex`, `semaphore`, …
    pub kind: String,
    /// Where it is.
    pub address: Option<Address>,
    /// `send` or `receive`, for channels.
    pub direction: Option<String>,
}

/// The `go` statement that made a goroutine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CreatedBy {
    /// Function that holds the `go` statement.
    pub function: String,
    /// Its file.
    pub file: Option<String>,
    /// Its line.
    pub line: Option<u32>,
    /// The goroutine that ran it; unknown before Go 1.21.
    pub goroutine: Option<u64>,
}

/// Whether a goroutine can still be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Leaked {
    /// Nothing reachable can wake it.
    Proven,
    /// It looks like one of many that nothing wakes.
    Suspected,
}

/// What a frame belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FrameKind {
    /// Go code outside the runtime.
    Go,
    /// The Go runtime.
    Runtime,
    /// C, reached through cgo.
    Cgo,
    /// A signal handler's trampoline.
    Signal,
}

/// What a frame's position rests on, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// Call frame information.
    Cfi,
    /// Go's own stack pointer tables: exact.
    Pclntab,
    /// The chain of frame pointers.
    FramePointer,
    /// A word on the stack that looks like a return address.
    Scan,
}

/// One call on a stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Frame {
    /// As the runtime's traceback spells it: `main.(*Cache).Put`, `main.F[...]`. A C function by its
    /// symbol's name; `libz.so.1+0x12f4` where it has none.
    pub function: String,
    /// As the runtime's traceback spells it; null where there is no table for the pc.
    pub file: Option<String>,
    /// 1-based line.
    pub line: Option<u32>,
    /// Program counter: the return address for callers, the faulting instruction for a signal.
    pub pc: Option<Address>,
    /// Stack pointer.
    pub sp: Option<Address>,
    /// Inlined into the next frame outwards.
    pub inlined: bool,
    /// What it belongs to.
    pub kind: FrameKind,
    /// What its position rests on.
    pub trust: Trust,
    /// As the runtime prints them, without the parentheses: `0x1, {0xc000012345, 0x5}`, `...`.
    pub args: Option<String>,
    /// Variables, where debug information names them.
    pub locals: Vec<Local>,
    /// Path of the shared library that holds the code; absent for code of the executable itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub library: Option<String>,
}

/// A variable or argument of a frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Local {
    /// Its name.
    pub name: String,
    /// Its type as Go spells it.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Its value, written like Go; null where the compiler kept none at this pc.
    pub value: Option<String>,
}

/// Which stack a thread stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ThreadOn {
    /// A goroutine's.
    Goroutine,
    /// The scheduler's.
    G0,
    /// The signal stack.
    Gsignal,
    /// C code's.
    C,
}

/// One OS thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Thread {
    /// LWP id.
    pub tid: i32,
    /// Goroutine it runs (`m.curg`).
    pub goroutine: Option<u64>,
    /// Which stack it stands on.
    pub on: Option<ThreadOn>,
    /// Signal it was handling.
    pub signal: Option<i32>,
    /// Program counter.
    pub pc: Option<Address>,
    /// What it does on a stack that is no goroutine's (the scheduler's, the signal handler's),
    /// innermost first; empty when it stands on a goroutine's stack, which has its own frames.
    pub frames: Vec<Frame>,
}

/// Goroutines with one stack, state and wait reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct GoroutineCluster {
    /// Stable hexadecimal digest of state, reason and functions.
    pub signature: String,
    /// As in [`Goroutine::status`].
    pub status: String,
    /// As in [`Goroutine::wait_reason`].
    pub wait_reason: Option<String>,
    /// How many goroutines.
    pub count: u64,
    /// Up to ten of them, lowest ids first.
    pub example_ids: Vec<u64>,
    /// Shortest known wait.
    pub min_wait_seconds: Option<f64>,
    /// Longest known wait.
    pub max_wait_seconds: Option<f64>,
    /// The shared stack, without what differs between its goroutines (pc, sp, arguments, locals).
    pub frames: Vec<Frame>,
}
