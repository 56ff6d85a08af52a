use super::*;

fn read(line: &str) -> Header<'_> {
    parse(line.as_bytes()).unwrap_or_else(|| panic!("not a header: {line}"))
}

fn state_of(text: &str) -> (String, Option<String>) {
    let line = format!("goroutine 5 [{text}]:");
    let h = read(&line);
    (lossy(h.status), h.wait_reason.map(lossy))
}

#[test]
fn every_wait_reason_is_told_from_every_state() {
    for status in STATUS {
        assert_eq!(state_of(&lossy(status)), (lossy(status), None));
    }
    // waitReasonStrings of Go 1.19 and 1.21 to 1.27, without "" and "preempted".
    for reason in include_str!("../../../tests/data/wait_reasons.txt").lines() {
        assert_eq!(state_of(reason), ("waiting".into(), Some(reason.into())));
        let line = format!("goroutine 5 [{reason} (leaked), 3 minutes]:");
        let h = read(&line);
        assert_eq!((h.status, h.wait_reason), (&b"leaked"[..], Some(reason.as_bytes())));
        let line = format!("goroutine 5 [{reason} (scan), 3 minutes]:");
        let h = read(&line);
        assert_eq!((h.status, h.wait_reason, h.scan), (&b"waiting"[..], Some(reason.as_bytes()), true));
    }
}

#[test]
fn preempted_is_a_state_until_somebody_scans_it() {
    assert_eq!(state_of("preempted"), ("preempted".into(), None));
    assert_eq!(state_of("preempted (scan)"), ("waiting".into(), Some("preempted".into())));
    assert_eq!(state_of("preempted, 2 minutes"), ("waiting".into(), Some("preempted".into())));
}

#[test]
fn durable_is_part_of_four_reasons_and_added_to_the_others() {
    let h = read("goroutine 22 [sleep (durable), synctest bubble 1]:");
    assert_eq!((h.wait_reason, h.durable, h.synctest_bubble), (Some(&b"sleep"[..]), true, Some(1)));
    let h = read("goroutine 22 [chan receive (durable), 4 minutes, synctest bubble 1]:");
    assert_eq!((h.wait_reason, h.durable), (Some(&b"chan receive (durable)"[..]), true));
    assert_eq!(h.wait_minutes, Some(4));
    let h = read("goroutine 22 [select (no cases) (durable), synctest bubble 1]:");
    assert_eq!((h.wait_reason, h.durable), (Some(&b"select (no cases)"[..]), true));
    let h = read("goroutine 9 [running (durable), synctest bubble 1]:");
    assert_eq!((h.status, h.wait_reason, h.durable), (&b"running"[..], None, false));
    let h = read("goroutine 22 [synctest.Run, synctest group 3]:");
    assert_eq!((h.durable, h.synctest_bubble), (false, Some(3)));
}

#[test]
fn everything_at_once() {
    let h = read(
        "goroutine 30 gp=0xc000a0 m=12 mp=0xc00 [chan receive (nil chan) (scan), 2 minutes, locked to thread] {\"a]:\\\"\\u00e9\": \"} {\\xff\", b.c/d: x}:",
    );
    assert_eq!((h.id, h.gp, h.m, h.mp), (30, Some(0xc0_00a0), Some(12), Some(0xc00)));
    assert_eq!(h.wait_reason, Some(&b"chan receive (nil chan)"[..]));
    assert!(h.scan && h.locked_to_thread && !h.leaked);
    assert_eq!(
        h.labels,
        [("a]:\"é".to_owned(), "} {\u{fffd}".to_owned()), ("b.c/d".to_owned(), "x".to_owned())]
    );
}

#[test]
fn look_alikes_are_refused() {
    for line in [
        "goroutine 1 [running]",
        "goroutine 1 [running]: and more",
        "goroutine x [running]:",
        "goroutine 1 []:",
        "goroutine 1 [running, upside down]:",
        "goroutine 1 [running] {a}:",
        "goroutine 1 [running] {a: \"b}:",
        "goroutine 99999999999999999999999 [running]:",
        "goroutine 1 q=0x1 [running]:",
        " goroutine 1 [running]:",
    ] {
        assert_eq!(parse(line.as_bytes()), None, "{line}");
    }
}
