//! Maps of real programs, read out of their cores and held to what the programs printed of them.

mod digest;
mod hashes;
mod hostile;
mod oracle;
mod places;

use panicle_binary::Executable;
use panicle_fixtures::Fixture;
use panicle_image::Core;

use crate::session::{self, Session};

/// A line that a program printed of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Printed {
    name: String,
    type_address: u64,
    address: u64,
    len: u64,
    sum: u64,
}

/// The lines of `kind` (`map`, `sync`) of what a program printed.
fn printed(fixture: &Fixture, kind: &str) -> Vec<Printed> {
    let text = std::fs::read_to_string(&fixture.stdout).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix(kind)?.strip_prefix(' '));
    lines
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let number = |at: usize| match words[at].strip_prefix("0x") {
                Some(digits) => u64::from_str_radix(digits, 16).unwrap(),
                None => words[at].parse().unwrap(),
            };
            Printed {
                name: words[0].to_owned(),
                type_address: number(1),
                address: number(2),
                len: number(3),
                sum: number(4),
            }
        })
        .collect()
}

/// Fixtures of programs that print of their maps.
fn fixtures(programs: &[&str]) -> Vec<Fixture> {
    let all = [panicle_fixtures::all(), panicle_fixtures::matrix()].concat();
    all.into_iter().filter(|fixture| programs.contains(&fixture.program.as_str())).collect()
}

fn name(fixture: &Fixture) -> String {
    format!("{} {} {} {}", fixture.program, fixture.go_version, fixture.arch.name(), fixture.variant)
}

/// Runs `test` on the process of `fixture`.
fn open<R>(fixture: &Fixture, test: impl FnOnce(&Session<'_>) -> R) -> R {
    let core = std::fs::read(&fixture.core).unwrap();
    let binary = std::fs::read(&fixture.binary).unwrap();
    let core = Core::parse(&core).unwrap().0;
    let executable = Executable::parse(&binary).unwrap().0;
    session::open(&core, &executable, &session::Options::default(), test).unwrap()
}
