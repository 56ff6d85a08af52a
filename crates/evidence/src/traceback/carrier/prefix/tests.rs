use super::*;

fn stripped(line: &str) -> String {
    String::from_utf8(strip(line.as_bytes()).line.to_vec()).unwrap()
}

#[test]
fn known_carriers() {
    for prefix in [
        "2026-11-21T08:33:31.123456789Z stderr F ",
        "2026-11-21T08:33:31Z ",
        "2026-11-21T08:33:31+01:00 ",
        "web-1  | ",
        "[pod/web-7f/main] ",
        "[pod/web-7f/main] 2026-11-21T08:33:31.1Z ",
        "Nov 21 08:33:31 host web[123]: ",
        "Nov  1 08:33:31 host web[123]: ",
        "2026-11-21T08:33:31+0100 host web[123]: ",
        "<11>Nov 21 08:33:31 host web[123]: ",
        "<11>2026-11-21T08:33:31Z ",
    ] {
        assert_eq!(stripped(&format!("{prefix}panic: x")), "panic: x", "{prefix}");
        assert_eq!(stripped(&format!("{prefix}\tmain.go:1 +0x2")), "\tmain.go:1 +0x2", "{prefix}");
        assert_eq!(stripped(prefix.trim_end()), "", "{prefix}");
    }
}

#[test]
fn text_itself_stays() {
    for line in
        ["panic: x", "\t/a.go:1 +0x1", "goroutine 1 [running]:", "main.f(0x1)", "", "a | b", "x[1]: y"]
    {
        let kept = stripped(line);
        assert!(kept == line || line == "a | b", "{line} became {kept}");
    }
}

#[test]
fn colours_go() {
    let mut out = Vec::new();
    without_escapes(b"\x1b[1;31mpanic: x\x1b[0m\x1b", &mut out);
    assert_eq!(out, b"panic: x");
}

#[test]
fn lines_of_one_process_have_one_source() {
    let source = |line: &str| strip(line.as_bytes()).source;
    for (one, same, other) in [
        ("web-1  | x", "web-1  | y", "db-1  | x"),
        ("[pod/web/main] x", "[pod/web/main] 2026-11-21T08:33:31.1Z y", "[pod/web/side] x"),
        (
            "Nov 21 08:33:31 host web[1]: x",
            "Nov  1 08:33:32 host web[1]: y",
            "Nov 21 08:33:31 host web[2]: x",
        ),
        (
            "2026-11-21T08:33:31Z stderr F x",
            "2026-11-21T08:33:32Z stderr P y",
            "2026-11-21T08:33:31Z stdout F x",
        ),
    ] {
        assert!(source(one).is_some(), "{one}");
        assert_eq!(source(one), source(same), "{one}");
        assert_ne!(source(one), source(other), "{one}");
    }
    assert_eq!((source("2026-11-21T08:33:31Z x"), source("panic: x")), (None, None));
}
