use super::Origin;

/// Time, process, host, pod and container.
type Said = (Option<String>, Option<i32>, Option<String>, Option<String>, Option<String>);

fn of(line: &str) -> Said {
    let origin = Origin::of(line.as_bytes());
    assert!(origin.time.is_none() || origin.no_time.is_none());
    (origin.time.map(|time| time.to_string()), origin.pid, origin.hostname, origin.pod, origin.container)
}

#[test]
fn carriers_say_when_and_where() {
    let at = "2026-11-21T08:33:31.25Z";
    // Line, is there a time, process, host, pod, container.
    for (line, time, pid, host, pod, container) in [
        ("2026-11-21T08:33:31.25Z stderr F panic: x", true, None, "", "", ""),
        ("2026-11-21T09:33:31.25+01:00 stderr P panic: x", true, None, "", "", ""),
        ("Nov 21 08:33:31 box shopd[4711]: panic: x", false, Some(4711), "box", "", ""),
        ("Nov  1 08:33:31.123456 box shopd[4711]: panic: x", false, Some(4711), "box", "", ""),
        ("<11>Nov 21 08:33:31 box shopd[4711]: panic: x", false, Some(4711), "box", "", ""),
        ("Nov 21 08:33:31 box dockerd[77]: panic: x", false, None, "box", "", ""),
        ("2026-11-21T08:33:31.25+0000 box shopd[4711]: panic: x", true, Some(4711), "box", "", ""),
        ("Sat 2026-11-21 08:33:31.25 UTC box shopd[4711]: panic: x", true, Some(4711), "box", "", ""),
        ("1795249.25 box shopd[4711]: panic: x", false, None, "", "", ""),
        ("1795250011.250000 box shopd[4711]: panic: x", true, Some(4711), "box", "", ""),
        ("<11>1 2026-11-21T08:33:31.25Z box shopd 4711 - - panic: x", true, Some(4711), "box", "", ""),
        ("<11>1 - - shopd - - - panic: x", false, None, "", "", ""),
        ("web-1  | panic: x", false, None, "", "", "web-1"),
        ("web-1  | 2026-11-21T08:33:31.25Z panic: x", true, None, "", "", "web-1"),
        ("[pod/web-7f9/app] 2026-11-21T08:33:31.25Z panic: x", true, None, "", "web-7f9", "app"),
        ("2026/11/21 08:33:31 http: panic serving 1.2.3.4:5: x", false, None, "", "", ""),
        ("2026-11-21 08:33:31 panic: x", false, None, "", "", ""),
        (
            r#"{"log":"panic: x\n","stream":"stderr","time":"2026-11-21T08:33:31.25Z"}"#,
            true,
            None,
            "",
            "",
            "",
        ),
        (
            r#"{"_PID":"4711","_HOSTNAME":"box","__REALTIME_TIMESTAMP":"1795250011250000","MESSAGE":"panic: x"}"#,
            true,
            Some(4711),
            "box",
            "",
            "",
        ),
        (
            r#"{"_PID":"77","CONTAINER_NAME":"web","__REALTIME_TIMESTAMP":"1795250011250000","MESSAGE":"panic: x"}"#,
            true,
            None,
            "",
            "",
            "web",
        ),
        (
            r#"{"level":"error","ts":1795250011.25,"pid":4711,"hostname":"box","stack":"…"}"#,
            true,
            Some(4711),
            "box",
            "",
            "",
        ),
        (r#"{"time":1795250011250,"stack":"…"}"#, true, None, "", "", ""),
        (r#"{"time":1795250011250000000,"stack":"…"}"#, true, None, "", "", ""),
        (r#"{"ts":"2026-11-21T08:33:31.250+0000","stack":"…"}"#, true, None, "", "", ""),
        (
            r#"{"@timestamp":"2026-11-21T08:33:31.25Z","kubernetes":{"host":"node","pod_name":"web-7f9","container_name":"app"},"log":"…"}"#,
            true,
            None,
            "node",
            "web-7f9",
            "app",
        ),
        (
            r#"{"request":{"time":5,"host":"a"},"log":"{\"time\":\"2026-11-21T08:33:31.25Z\",\"pid\":4711}"}"#,
            true,
            Some(4711),
            "",
            "",
            "",
        ),
        ("time=2026-11-21T08:33:31.250Z level=ERROR stack=\"…\"", true, None, "", "", ""),
        ("time=\"2026-11-21T08:33:31.25Z\" level=error stack=\"…\"", true, None, "", "", ""),
        ("panic: 2026-11-21T08:33:31.25Z", false, None, "", "", ""),
        ("goroutine 7 [running]:", false, None, "", "", ""),
        ("box shopd[4711]: panic: x", false, None, "", "", ""),
    ] {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let expected = (time.then(|| at.to_owned()), pid, text(host), text(pod), text(container));
        assert_eq!(of(line), expected, "{line}");
    }
}

#[test]
fn what_tells_no_time_is_said() {
    for (line, why) in [
        ("Nov 21 08:33:31 box shopd[4711]: panic: x", "`Nov 21 08:33:31` has no year"),
        ("2026/11/21 08:33:31 http: panic serving", "`2026/11/21 08:33:31` has no zone"),
        ("2026-11-21 08:33:31,250 panic: x", "`2026-11-21 08:33:31,250` has no zone"),
        (
            "1970-01-01T00:00:07Z stderr F panic: x",
            "1970-01-01T00:00:07Z is before there was Go: the clock was not set",
        ),
        (r#"{"log":"panic: x\n","time":"2026-13-21T08:33:31Z"}"#, "`2026-13-21T08:33:31Z` is no time"),
        (r#"{"ts":12,"stack":"…"}"#, "1970-01-01T00:00:12Z is before there was Go: the clock was not set"),
    ] {
        let origin = Origin::of(line.as_bytes());
        assert_eq!((origin.time, origin.no_time.as_deref()), (None, Some(why)), "{line}");
    }
}

#[test]
fn a_record_that_is_cut_gives_what_is_before_the_cut() {
    assert_eq!(of(r#"{"_PID":"4711","MESSAGE":"panic: "#).1, Some(4711));
}
