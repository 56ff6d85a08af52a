//! The words that columns and the API share.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A word that is none of those that fit here.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is none of the words that fit here")]
pub struct NotAWord(pub String);

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(rename_all = "kebab-case"))]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// As it is written.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl FromStr for $name {
            type Err = NotAWord;

            fn from_str(text: &str) -> Result<Self, NotAWord> {
                match text { $($word => Ok(Self::$variant),)* _ => Err(NotAWord(text.to_owned())) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// What a piece of evidence is.
    EvidenceKind {
        /// A core file.
        Core = "core",
        /// An executable.
        Binary = "binary",
        /// Printed crash text or a goroutine dump.
        Text = "text",
        /// An execution trace.
        Trace = "trace",
        /// A pprof profile.
        Profile = "profile",
        /// A race detector's report.
        Race = "race",
    }
}

words! {
    /// Where a crash stands.
    CrashStatus {
        /// Stored, not yet queued.
        Received = "received",
        /// Analysed as far as its core goes; goes on when the executable arrives.
        WaitingForBinary = "waiting-for-binary",
        /// Waits for a worker.
        Queued = "queued",
        /// A worker has it.
        Analysing = "analysing",
        /// There is a report.
        Done = "done",
        /// The evidence cannot be read; trying again would not help.
        Failed = "failed",
        /// Three attempts were killed or crashed. The evidence is kept as the reproducer.
        Quarantined = "quarantined",
    }
}

words! {
    /// Where a group stands.
    GroupState {
        /// Nobody has looked at it.
        New = "new",
        /// Known, still happening.
        Ongoing = "ongoing",
        /// It was resolved, and a crash has shown that it is not.
        Regressed = "regressed",
        /// Mended; a crash of a build that should be free of it makes it regressed.
        Resolved = "resolved",
        /// Known and not of interest, until what was named for it comes true.
        Muted = "muted",
    }
}

words! {
    /// What a job does.
    JobKind {
        /// Reads an executable's identities.
        Identify = "identify",
        /// Analyses a crash.
        Analyse = "analyse",
        /// Groups all history anew.
        Regroup = "regroup",
        /// Computes the signature that a crash would have, and changes nothing.
        Try = "try",
        /// Asks other servers for a file of a program.
        Fetch = "fetch",
        /// Takes an object of a bucket over as evidence.
        Import = "import",
    }
}

words! {
    /// Where an incident stands.
    IncidentState {
        /// An alert fires.
        Open = "open",
        /// All alerts are over.
        Resolved = "resolved",
    }
}

words! {
    /// Where an object of a bucket stands that is to become evidence.
    ObjectState {
        /// A client is about to put it there.
        Open = "open",
        /// It is being taken over, or waits for that.
        Queued = "queued",
        /// It was taken over.
        Done = "done",
        /// It cannot be taken over.
        Failed = "failed",
        /// No client put it there in time.
        Expired = "expired",
    }
}

words! {
    /// What a rule does.
    RuleKind {
        /// Puts crashes into one group.
        Merge = "merge",
        /// Mutes groups that have nothing else.
        Mute = "mute",
    }
}

words! {
    /// What there is to be told of a group.
    EventKind {
        /// Its first crash has arrived.
        New = "group.new",
        /// A crash has shown that what was resolved is not.
        Regressed = "group.regressed",
        /// There is more of a muted group than was put up with.
        Escalated = "group.escalated",
        /// It is not muted any more, for another reason.
        Unmuted = "group.unmuted",
    }
}

words! {
    /// What a token lets its holder do.
    Scope {
        /// Send evidence and report crashes.
        Ingest = "ingest",
        /// Send executables and debug files, and fetch them by build ID.
        Symbols = "symbols",
        /// See what is known of crashes and groups.
        Read = "read",
        /// See what was in a process' memory: entries of maps, values of expressions, whole cores.
        Memory = "memory",
        /// Change what others see: groups, rules, saved queries, what is kept, tokens.
        Manage = "manage",
    }
}
