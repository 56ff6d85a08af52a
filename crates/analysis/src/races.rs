//! Reports of the race detector, in the shapes of the report.

use std::collections::BTreeMap;

use panicle_evidence::race::{RaceFrame, RaceReport};
use panicle_goruntime::spell;
use panicle_report::{Address, CreatedBy, Frame, Goroutine, Race, RaceAccess, RaceGoroutine, Trust};

use crate::facts::in_app;

/// Translates one.
pub(crate) fn read(report: &RaceReport) -> Race {
    let accesses = report.accesses.iter().map(|access| RaceAccess {
        write: access.write,
        atomic: access.atomic,
        previous: access.previous,
        address: Address(access.address),
        goroutine: access.goroutine,
        main: access.main,
        frames: access.frames.iter().map(frame).collect(),
    });
    let goroutines = report.goroutines.iter().map(|goroutine| RaceGoroutine {
        id: goroutine.id,
        finished: goroutine.finished,
        created_at: goroutine.created_at.iter().map(frame).collect(),
    });
    Race {
        text_line: report.text_line,
        accesses: accesses.collect(),
        goroutines: goroutines.collect(),
        truncated: report.truncated,
    }
}

/// The goroutine whose stack stands for a race, when nothing else ended the process. Which of two sides
/// was noticed first is chance, so it is the one that comes first by its functions.
pub(crate) fn subject(races: &[Race]) -> Option<Goroutine> {
    let race = races.first()?;
    let functions = |access: &RaceAccess| -> Vec<String> {
        access.frames.iter().filter(|f| in_app(f)).map(|f| f.function.clone()).collect()
    };
    let access = race.accesses.iter().min_by_key(|access| (access.frames.is_empty(), functions(access)))?;
    let made = race.goroutines.iter().find(|g| Some(g.id) == access.goroutine);
    let created_by = made.and_then(|g| g.created_at.first()).map(|frame| CreatedBy {
        function: frame.function.clone(),
        file: frame.file.clone(),
        line: frame.line,
        goroutine: None,
    });
    Some(Goroutine {
        // The detector's numbers are no goroutine ids.
        id: 0,
        status: "running".to_owned(),
        wait_reason: None,
        wait_seconds: None,
        labels: BTreeMap::new(),
        thread: None,
        locked_to_thread: false,
        system: false,
        address: None,
        stack: None,
        waiting_on: None,
        created_by,
        frames: access.frames.clone(),
        leaked: None,
        truncated: access.frames.is_empty(),
        elided: None,
    })
}

fn frame(frame: &RaceFrame) -> Frame {
    let function = frame.function.to_string();
    Frame {
        kind: spell::frame_kind(&function),
        function,
        file: frame.file.as_deref().map(str::to_owned),
        line: frame.line,
        pc: None,
        sp: None,
        inlined: false,
        // By the runtime's own tables (`raceSymbolizeCode`).
        trust: Trust::Pclntab,
        args: None,
        locals: Vec::new(),
        library: None,
    }
}
