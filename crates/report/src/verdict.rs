use serde::{Deserialize, Serialize};

/// Root-cause class; the slugs are part of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each name is its own definition; docs/verdicts.md explains them at length")]
pub enum VerdictClass {
    NilMapWrite,
    ConcurrentMapWrite,
    ConcurrentMapReadWrite,
    ConcurrentMapIterationWrite,
    NilDereference,
    NilFuncCall,
    IndexOutOfRange,
    SliceBounds,
    TypeAssertion,
    UnhashableKey,
    CloseClosedChannel,
    CloseNilChannel,
    SendClosedChannel,
    NegativeWaitgroup,
    UnlockUnlocked,
    DivideByZero,
    Makeslice,
    OutOfMemory,
    StackOverflow,
    Deadlock,
    GoroutineLeak,
    ErrorPanic,
    StringPanic,
    CustomPanic,
    Checkptr,
    UnexpectedFault,
    CgoFault,
    ExternalSignal,
    RuntimeThrow,
    RuntimeCorruption,
    DataRace,
    NoCrash,
    Unknown,
}

impl VerdictClass {
    /// The contract's slug, as JSON has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NilMapWrite => "nil-map-write",
            Self::ConcurrentMapWrite => "concurrent-map-write",
            Self::ConcurrentMapReadWrite => "concurrent-map-read-write",
            Self::ConcurrentMapIterationWrite => "concurrent-map-iteration-write",
            Self::NilDereference => "nil-dereference",
            Self::NilFuncCall => "nil-func-call",
            Self::IndexOutOfRange => "index-out-of-range",
            Self::SliceBounds => "slice-bounds",
            Self::TypeAssertion => "type-assertion",
            Self::UnhashableKey => "unhashable-key",
            Self::CloseClosedChannel => "close-closed-channel",
            Self::CloseNilChannel => "close-nil-channel",
            Self::SendClosedChannel => "send-closed-channel",
            Self::NegativeWaitgroup => "negative-waitgroup",
            Self::UnlockUnlocked => "unlock-unlocked",
            Self::DivideByZero => "divide-by-zero",
            Self::Makeslice => "makeslice",
            Self::OutOfMemory => "out-of-memory",
            Self::StackOverflow => "stack-overflow",
            Self::Deadlock => "deadlock",
            Self::GoroutineLeak => "goroutine-leak",
            Self::ErrorPanic => "error-panic",
            Self::StringPanic => "string-panic",
            Self::CustomPanic => "custom-panic",
            Self::Checkptr => "checkptr",
            Self::UnexpectedFault => "unexpected-fault",
            Self::CgoFault => "cgo-fault",
            Self::ExternalSignal => "external-signal",
            Self::RuntimeThrow => "runtime-throw",
            Self::RuntimeCorruption => "runtime-corruption",
            Self::DataRace => "data-race",
            Self::NoCrash => "no-crash",
            Self::Unknown => "unknown",
        }
    }
}

/// How sure a verdict is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// Nothing is known.
    Unknown,
    /// Fits, as other causes do.
    Possible,
    /// Fits better than any other cause.
    Likely,
    /// The runtime said so itself, or memory shows it.
    Certain,
}

impl Confidence {
    /// As JSON has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Verdict {
    /// Root-cause class.
    pub class: VerdictClass,
    /// A headline: class and place.
    pub title: String,
    /// Two or three sentences: what happened, where, and what that means.
    pub summary: String,
    /// How sure.
    pub confidence: Confidence,
    /// The goroutine at fault.
    pub goroutine: Option<u64>,
    /// Others that took part.
    pub other_goroutines: Vec<u64>,
    /// Address of the map in question.
    pub map: Option<crate::Address>,
    /// What the verdict stands on.
    pub evidence: Vec<Evidence>,
    /// Observations that are no verdict.
    pub hints: Vec<String>,
    /// What would mend it.
    pub fixes: Vec<String>,
    /// A few lines of Go that do it right; null where no code would.
    #[serde(default)]
    pub example: Option<String>,
    /// What to capture next time, with the command.
    pub capture_next: Vec<String>,
}

/// A piece of evidence under a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Evidence {
    /// `panic`, `fatal`, `frame`, `signal`, `goroutines`, `text`, …
    pub kind: String,
    /// One sentence.
    pub text: String,
    /// Where it is from: `goroutine 7 frame 2`, an address, a line of a text.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
}

/// What groups this crash with others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Signature {
    /// Version of the algorithm; fingerprints of different versions are not compared.
    pub version: u32,
    /// 128 bits, lower-case hexadecimal.
    pub fingerprint: String,
    /// A coarser fingerprint that ties variants of one cause together.
    pub family: String,
    /// A readable name for the group.
    pub title: String,
    /// The frames that went in, innermost first, normalised.
    pub frames: Vec<String>,
    /// Where nobody is at fault: the stacks that the goroutines shared, most first, eight at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub population: Vec<PopulationStack>,
    /// Every step: what was kept, dropped or rewritten, and by what rule.
    pub explain: Vec<SignatureStep>,
}

/// Goroutines whose stacks have the same functions of the program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PopulationStack {
    /// Their part of the goroutines that have any function of the program on their stacks, 0 to 1.
    pub share: f64,
    /// How many.
    pub count: u64,
    /// What most of them wait for, or the state that most are in.
    pub state: String,
    /// The program's functions, innermost first, normalised.
    pub frames: Vec<String>,
}

/// One step of computing a signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SignatureStep {
    /// `class`, `message`, `population`, `keep`, `drop`, `normalise`.
    pub step: String,
    /// What it was about: a frame, a message.
    pub input: String,
    /// What came of it; null when dropped.
    pub output: Option<String>,
    /// The rule, in words.
    pub rule: String,
}

#[cfg(test)]
mod tests {
    use super::{Confidence, VerdictClass};

    #[test]
    fn slugs_are_what_json_has() {
        for class in [VerdictClass::NilMapWrite, VerdictClass::Makeslice, VerdictClass::NegativeWaitgroup] {
            assert_eq!(serde_json::to_value(class).unwrap(), class.as_str());
        }
        assert_eq!(serde_json::to_value(Confidence::Likely).unwrap(), Confidence::Likely.as_str());
    }
}
