use std::fmt::Write as _;

use crate::traceback::{CrashText, Limits, Reader, parse_with};

/// A dump of `many` goroutines with two stacks, and one with a stack of its own.
fn dump(many: u64) -> String {
    let mut text = String::from("fatal error: all goroutines are asleep - deadlock!\n\n");
    for id in 1..=many {
        let (what, line) = if id % 3 == 0 { ("select", 7) } else { ("chan receive", 9) };
        if id == many - 1 {
            writeln!(text, "goroutine {id} [sync.Mutex.Lock, 9 minutes]:\nmain.odd()\n\t/m.go:1 +0x1\n")
                .unwrap();
            continue;
        }
        writeln!(
            text,
            "goroutine {id} [{what}, {} minutes]:\nmain.work(0x{id:x})\n\t/m.go:{line} +0x1d\nmain.run()\n\t/m.go:3 +0x1\n",
            id % 5 + 1
        )
        .unwrap();
    }
    text
}

fn total(crash: &CrashText) -> u64 {
    crash.clusters.iter().map(|c| c.count).sum::<u64>() + crash.unclustered
}

#[test]
fn what_is_not_kept_is_counted() {
    let limits = Limits { goroutines: 100, ..Limits::default() };
    let (crashes, diagnostics) = parse_with(dump(3000).as_bytes(), limits);
    let crash = &crashes[0];
    assert_eq!(crash.goroutines.len() as u64 + crash.goroutines_dropped, 3000);
    assert!(crash.goroutines.len() <= 100);
    assert_eq!((total(crash), crash.clusters.len()), (3000, 3));
    // The odd one stands at the end, and is kept.
    assert!(crash.goroutines.iter().any(|g| g.id == 2999));
    let select = crash.clusters.iter().find(|c| c.first.wait_reason.as_deref() == Some("select")).unwrap();
    assert_eq!((select.count, select.wait_minutes), (1000, Some((1, 5))));
    assert_eq!(select.example_ids, [3, 6, 9, 12, 15, 18, 21, 24, 27, 30]);
    let said = diagnostics.iter().map(|d| d.text.as_str()).collect::<String>();
    assert!(said.contains("Of 3000 goroutines") && said.contains("counted by state and stack"), "{said}");
}

#[test]
fn everything_is_kept_below_the_limits() {
    let (crashes, diagnostics) = parse_with(dump(300).as_bytes(), Limits::default());
    assert_eq!((crashes[0].goroutines.len(), crashes[0].goroutines_dropped), (300, 0));
    assert!(crashes[0].clusters.is_empty() && diagnostics.is_empty(), "{diagnostics:?}");
}

#[test]
fn a_later_crash_has_the_room_of_earlier_ones() {
    let limits = Limits { goroutines: 1000, ..Limits::default() };
    let text = format!("{}exit status 2\n{}", dump(700), dump(650));
    let (crashes, _) = parse_with(text.as_bytes(), limits);
    assert_eq!(crashes.len(), 2);
    assert_eq!((crashes[0].goroutines.len(), total(&crashes[0])), (64, 700));
    assert_eq!((crashes[1].goroutines.len(), crashes[1].goroutines_dropped), (650, 0));
}

#[test]
fn a_goroutine_that_two_threads_print_counts_once() {
    let mut text = String::from("SIGQUIT: quit\nPC=0x1 m=0 sigcode=0\n\n");
    for id in 1..=200 {
        writeln!(text, "goroutine {id} [select]:\nmain.f()\n\t/m.go:1 +0x1\n").unwrap();
    }
    text += "goroutine 201 [running]:\n\tgoroutine running on other thread; stack unavailable\n\n-----\n\n";
    text += "SIGQUIT: quit\nPC=0x2 m=1 sigcode=0\n\n";
    text += "goroutine 201 [running]:\nmain.busy()\n\t/m.go:9 +0x1\n\n";
    let (crashes, _) = parse_with(text.as_bytes(), Limits { goroutines: 40, ..Limits::default() });
    assert_eq!((crashes.len(), total(&crashes[0])), (1, 201));
    let busy = crashes[0].clusters.iter().find(|c| c.first.id == 201 && c.count == 1).unwrap();
    assert_eq!(&*busy.first.frames[0].function, "main.busy");
}

#[test]
fn stacks_that_all_differ_have_a_bound() {
    let mut reader = Reader::with_limits(Limits { goroutines: 10, ..Limits::default() });
    for id in 1..=20_000 {
        reader.push(format!("goroutine {id} [select]:\nmain.f{id}()\n\t/m.go:1 +0x1\n\n").as_bytes());
    }
    let reading = reader.finish();
    let crash = &reading.crashes[0];
    assert_eq!(total(crash), 20_000);
    assert!(crash.clusters.len() <= 5000 && crash.unclustered >= 15_000);
}

#[test]
fn notes_without_end_have_a_bound() {
    let mut text = String::from("panic: x\n");
    for _ in 0..100_000 {
        text.push_str("runtime: this goes on and on\n");
    }
    let (crashes, diagnostics) = parse_with(text.as_bytes(), Limits::default());
    assert!(crashes[0].headlines.len() < 10_000 && crashes[0].others_dropped > 90_000);
    assert!(diagnostics.iter().any(|d| d.text.contains("headlines")), "{diagnostics:?}");
}
