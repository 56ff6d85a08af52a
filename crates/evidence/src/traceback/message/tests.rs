use super::*;

fn kinds(lines: &[&str], end: End) -> (Vec<HeadlineKind>, usize) {
    let mut message = Message::begin(lines[0].as_bytes(), 1, false).unwrap();
    for line in &lines[1..] {
        message.push(line.as_bytes(), 1000);
    }
    let done = message.finish(end);
    (done.kinds, done.left_out)
}

fn fatals(lines: &[&str]) -> Vec<(String, bool)> {
    let (kinds, _) = kinds(lines, End::Known);
    kinds
        .into_iter()
        .map(|k| match k {
            HeadlineKind::Fatal { message, interleaved } => (message, interleaved),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn two_threads_in_each_other() {
    let w = "concurrent map writes".to_owned();
    let r = "concurrent map read and map write".to_owned();
    assert_eq!(fatals(&["fatal error: concurrent map writes", ""]), [(w.clone(), false)]);
    for mix in [
        &["fatal error: fatal error: concurrent map writesconcurrent map read and map write", "", ""][..],
        &["fatal error: concurrent map writesfatal error: ", "concurrent map read and map write", ""],
        &["fatal error: fatal error: concurrent map writes", "concurrent map read and map write", ""],
        &["fatal error: concurrent map writesfatal error: concurrent map read and map write", "", "", ""],
    ] {
        assert_eq!(fatals(mix), [(w.clone(), true), (r.clone(), true)], "{mix:?}");
    }
    // Not a mix: a message that happens to hold the words.
    let odd = "my fatal error: concurrent map writes";
    assert_eq!(fatals(&[&format!("fatal error: {odd}")]), [(odd.to_owned(), false)]);
}

#[test]
fn old_messages_keep_their_tabs() {
    let (k, _) = kinds(&["panic: a", "\tb", "c", ""], End::Known);
    let HeadlineKind::Panic(p) = &k[0] else { panic!() };
    assert_eq!(p.value, "a\n\tb\nc");
    let (k, _) = kinds(&["panic: a", "\tb", "\t\tc [recovered]"], End::Known);
    let HeadlineKind::Panic(p) = &k[0] else { panic!() };
    assert_eq!((p.value.as_str(), p.recovered), ("a\nb\n\tc", true));
}

#[test]
fn without_a_stack_only_indented_lines_are_certain() {
    let (k, left_out) = kinds(&["panic: a", "\tb", "", "started server"], End::Unknown);
    let HeadlineKind::Panic(p) = &k[0] else { panic!() };
    assert_eq!((p.value.as_str(), left_out), ("a\nb", 1));
}

#[test]
fn goexit_leaves_its_tab() {
    let first = |line: &str, chained| Message::begin(line.as_bytes(), 1, chained);
    assert!(first("\tpanic: x", false).is_none());
    assert!(!first("\tpanic: x", true).unwrap().after_goexit);
    assert!(first("\t\tfatal error: x", true).unwrap().after_goexit);
    assert!(first("\tfatal error: x", false).unwrap().after_goexit);
}
