//! Reports of the race detector, in the shapes of the report.

use panicle_evidence::race::{RaceFrame, RaceReport};
use panicle_report::{Address, CreatedBy, Frame, Goroutine, Race, RaceAccess, RaceGoroutine};

use crate::{facts::in_app, text};

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

/// The race that stands for all of a text, and its number in the list.
///
/// Which of several races is reported first is chance, and so is which of its two sides: it is the one that
/// comes first by the functions of both, those with the program's own before others.
pub(crate) fn foremost(races: &[Race]) -> Option<(usize, &Race)> {
    races.iter().enumerate().min_by_key(|(_, race)| {
        let mut sides: Vec<_> = race.accesses.iter().map(side).collect();
        sides.sort();
        sides
    })
}

/// One side of a race, for an order that does not depend on how the program was built.
fn side(access: &RaceAccess) -> (bool, Vec<&str>) {
    let functions: Vec<_> = access.frames.iter().filter(|f| in_app(f)).map(|f| f.function.as_str()).collect();
    (functions.is_empty(), functions)
}

/// The goroutine whose stack stands for the races, when nothing else ended the process.
pub(crate) fn subject(races: &[Race]) -> Option<Goroutine> {
    let (_, race) = foremost(races)?;
    let access = race.accesses.iter().min_by_key(|access| side(access))?;
    let made = race.goroutines.iter().find(|g| Some(g.id) == access.goroutine);
    let created_by = made.and_then(|g| g.created_at.first()).map(|frame| CreatedBy {
        function: frame.function.clone(),
        file: frame.file.clone(),
        line: frame.line,
        goroutine: None,
    });
    Some(Goroutine {
        created_by,
        truncated: access.frames.is_empty(),
        // The detector's numbers are no goroutine ids.
        ..text::printed_goroutine(0, "running", access.frames.clone())
    })
}

fn frame(frame: &RaceFrame) -> Frame {
    text::printed_frame(&frame.function, frame.file.as_deref(), frame.line)
}

#[cfg(test)]
mod tests {
    use panicle_report::{Address, Race, RaceAccess};

    use super::{foremost, subject};
    use crate::testing::frame;

    fn race(functions: [&str; 2]) -> Race {
        let access = |function: &str| RaceAccess {
            write: true,
            atomic: false,
            previous: false,
            address: Address(0xc000),
            goroutine: None,
            main: true,
            frames: vec![frame("runtime.mapassign", "map.go", 1), frame(function, "/a/main.go", 3)],
        };
        Race {
            text_line: 1,
            accesses: functions.iter().map(|function| access(function)).collect(),
            goroutines: Vec::new(),
            truncated: false,
        }
    }

    #[test]
    fn the_order_of_reports_and_of_sides_does_not_matter() {
        let (one, other) = (race(["main.write", "main.count"]), race(["main.get", "main.drop"]));
        let orders = [
            vec![one.clone(), other.clone()],
            vec![other.clone(), one],
            vec![race(["main.drop", "main.get"]), race(["main.count", "main.write"])],
        ];
        for races in orders {
            let (at, chosen) = foremost(&races).unwrap();
            assert_eq!(chosen, &races[at]);
            assert_eq!(subject(&races).unwrap().frames[1].function, "main.count");
        }
        assert!(foremost(&[]).is_none());
    }
}
