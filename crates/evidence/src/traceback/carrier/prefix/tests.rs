use super::*;

fn stripped(line: &str) -> String {
    String::from_utf8(strip(line.as_bytes()).0.to_vec()).unwrap()
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
