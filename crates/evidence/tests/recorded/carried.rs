//! What carries a text, where it is cut, and what else is in one file.

use panicle_evidence::traceback::{Event, Origin, Parser, parse};

use super::{VERSIONS, all, text};

#[test]
fn carriers_change_nothing() {
    type Carry = fn(&str) -> String;
    let nothing = Origin::default;
    let text = |text: &str| Some(text.to_owned());
    let cri = Origin { time: "2026-11-21T08:33:31.123456789Z".parse().ok(), ..nothing() };
    let compose = Origin { container: text("web-1"), ..nothing() };
    let no_time = text("`Nov 21 08:33:31` has no year");
    let journal = Origin { no_time, pid: Some(12), hostname: text("host"), ..nothing() };
    let carriers: [(&str, Carry, Origin); 5] = [
        ("crlf", |l| format!("{l}\r\n"), nothing()),
        ("cri", |l| format!("2026-11-21T08:33:31.123456789Z stderr F {l}\n"), cri),
        ("compose", |l| format!("web-1  | {l}\n"), compose),
        ("journal", |l| format!("Nov 21 08:33:31 host web[12]: {l}\n"), journal),
        ("colour", |l| format!("\x1b[31m{l}\x1b[0m\n"), nothing()),
    ];
    for (version, name, text) in all() {
        let Ok(text) = String::from_utf8(text) else { continue };
        let (plain, diagnostics) = parse(text.as_bytes());
        for (carrier, carry, origin) in &carriers {
            let carried: String = text.lines().map(carry).collect();
            // All but what the carrier itself says.
            let mut expected = plain.clone();
            for crash in &mut expected {
                // Loggers write a time too: that counts where the carrier tells none.
                let own = std::mem::replace(&mut crash.origin, origin.clone());
                crash.origin.time = origin.time.or(own.time);
                let no_time = origin.no_time.clone().or(own.no_time);
                crash.origin.no_time = no_time.filter(|_| crash.origin.time.is_none());
            }
            assert_eq!(
                parse(carried.as_bytes()),
                (expected, diagnostics.clone()),
                "{version}/{name} over {carrier}"
            );
        }
    }
}

#[test]
fn a_byte_order_mark_changes_nothing() {
    for (version, name, text) in all() {
        let marked = [b"\xef\xbb\xbf".as_slice(), &text].concat();
        assert_eq!(parse(&marked), parse(&text), "{version}/{name}");
    }
}

#[test]
fn pieces_change_nothing() {
    for (version, name, text) in all() {
        for size in [1, 7, 4096] {
            let collect = |pieces: &mut dyn Iterator<Item = &[u8]>| {
                let mut events: Vec<Event> = Vec::new();
                let mut parser = Parser::new(|e| events.push(e));
                pieces.for_each(|p| parser.push(p));
                (parser.finish(), events)
            };
            let whole = collect(&mut [&text[..]].into_iter());
            assert_eq!(collect(&mut text.chunks(size)), whole, "{version}/{name} in pieces of {size}");
        }
    }
}

#[test]
fn cut_texts_keep_what_is_there() {
    for (version, name, text) in all() {
        let lines: Vec<&[u8]> = text.split_inclusive(|&b| b == b'\n').collect();
        for at in (0..lines.len()).step_by(13) {
            let (head, tail) = (lines[..at].concat(), lines[at..].concat());
            let count = |t: &[u8]| parse(t).0.iter().map(|c| c.goroutines.len()).sum::<usize>();
            if name.starts_with("forge") {
                continue;
            }
            assert_eq!(count(&head) + count(&tail), count(&text), "{version}/{name} cut at line {at}");
        }
    }
}

#[test]
fn several_crashes_in_one_file() {
    for version in VERSIONS {
        let names = [
            "nilmap.all.txt",
            "sigquit.crash.txt",
            "sigabrt.all.txt",
            "gorun.single.txt",
            "debug2.all.txt",
            "debug2.all.txt",
        ];
        let mut file = Vec::new();
        for name in names {
            file.extend_from_slice(b"starting server\n");
            file.extend(text(version, name));
        }
        let (crashes, _) = parse(&file);
        assert_eq!(crashes.len(), names.len(), "{version}");
        for (crash, name) in crashes.iter().zip(names) {
            let alone = &parse(&text(version, name)).0[0];
            assert_eq!(crash.goroutines.len(), alone.goroutines.len(), "{version}/{name}");
            assert_eq!(crash.relayed_sections, alone.relayed_sections);
        }
    }
}

#[test]
fn the_last_crashes_of_a_long_log_are_kept_and_the_others_counted() {
    let one = text("1.24.11", "nilmap.single.txt");
    let log: Vec<u8> = std::iter::repeat_n(one, 100).flatten().collect();
    let (crashes, diagnostics) = parse(&log);
    assert_eq!(crashes.len(), 64);
    assert!(crashes.last().unwrap().last_line > crashes[0].last_line);
    assert!(
        diagnostics.iter().any(|diagnostic| diagnostic.text.contains("36 crashes more")),
        "{diagnostics:?}"
    );
}
