//! Building blocks for tests.

use panicle_report::{Frame, FrameKind, Goroutine, Panic, PanicKind, PanicLink, PanicValue, Trust};

use crate::{
    function::{self, Owner},
    text,
};

pub(crate) fn frame(function: &str, file: &str, line: u32) -> Frame {
    Frame {
        function: function.to_owned(),
        file: Some(file.to_owned()),
        line: Some(line),
        pc: None,
        sp: None,
        inlined: false,
        kind: if function::owner(function) == Owner::Runtime { FrameKind::Runtime } else { FrameKind::Go },
        trust: Trust::Pclntab,
        args: None,
        locals: Vec::new(),
        library: None,
    }
}

pub(crate) fn goroutine(id: u64, status: &str, reason: Option<&str>, frames: Vec<Frame>) -> Goroutine {
    Goroutine { wait_reason: reason.map(str::to_owned), ..text::printed_goroutine(id, status, frames) }
}

pub(crate) fn link(type_name: Option<&str>, text: &str, recovered: bool) -> PanicLink {
    PanicLink {
        value: Some(PanicValue {
            type_name: type_name.map(str::to_owned),
            text: Some(text.to_owned()),
            value: None,
            error: None,
        }),
        recovered,
        repanicked: false,
        goexit: false,
        goroutine: None,
    }
}

pub(crate) fn panicked(chain: Vec<PanicLink>) -> Panic {
    let message = chain.last().and_then(|l| l.value.as_ref()?.text.as_ref()).map(|t| format!("panic: {t}"));
    Panic { kind: PanicKind::Panic, chain, message, signal: None }
}

pub(crate) fn fatal(message: &str) -> Panic {
    Panic {
        kind: PanicKind::Fatal,
        chain: Vec::new(),
        message: Some(format!("fatal error: {message}")),
        signal: None,
    }
}
