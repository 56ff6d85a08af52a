//! Lines that GODEBUG has the runtime print while a program runs. They come between all others, inside of a
//! crash too.

/// The setting that a line comes from; `None` for another line.
///
/// `gcControllerState` and `gcMarkTermination` (mgc.go, mgcpacer.go), `schedtrace` (proc.go), `printScavTrace`
/// (mgcscavenge.go), `doInit1` (proc.go). `scheddetail` prints indented lines below `SCHED`.
pub(super) fn kind(line: &[u8]) -> Option<&'static str> {
    let number = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    match line.first()? {
        b'g' => {
            // gc 12 @3.405s 1%: 0.018+1.2+0.003 ms clock, …
            let rest = line.strip_prefix(b"gc ")?;
            let rest = rest[number(rest)..].strip_prefix(b" @")?;
            let rest = rest[number(rest)..].strip_prefix(b".")?;
            rest[number(rest)..].starts_with(b"s ").then_some("gctrace")
        }
        b'S' => {
            // SCHED 1009ms: gomaxprocs=2 idleprocs=0 …
            let rest = line.strip_prefix(b"SCHED ")?;
            rest[number(rest)..].starts_with(b"ms: gomaxprocs=").then_some("schedtrace")
        }
        b' ' => {
            //   P0: status=1 …,   M3: p=0 …,   G1: status=4(…) …
            let rest = line.strip_prefix(b"  ")?;
            let (kind, rest) = rest.split_first()?;
            let rest = rest[number(rest)..].strip_prefix(b": ")?;
            let wanted: &[u8] = if *kind == b'M' { b"p=" } else { b"status=" };
            (matches!(kind, b'P' | b'M' | b'G') && rest.starts_with(wanted)).then_some("scheddetail")
        }
        b's' => {
            // scav 2048 KiB work (bg), … of Go 1.16+; scvg: … before
            let rest = line.strip_prefix(b"scav ").or_else(|| line.strip_prefix(b"scvg"))?;
            let of_scav = rest.first().is_some_and(u8::is_ascii_digit)
                && memchr::memmem::find(rest, b" KiB ").is_some();
            (of_scav || rest.starts_with(b": ")).then_some("scavtrace")
        }
        b'p' => line.starts_with(b"pacer: ").then_some("gcpacertrace"),
        b'i' => {
            // init main @0.5 ms, 0.1 ms clock, 500 bytes, 7 allocs
            let rest = line.strip_prefix(b"init ")?;
            (memchr::memmem::find(rest, b" ms clock, ").is_some() && rest.ends_with(b" allocs"))
                .then_some("inittrace")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn settings_are_told_by_their_lines() {
        for (line, wanted) in [
            (
                "gc 12 @3.405s 1%: 0.018+1.2+0.003 ms clock, 0.036+0/0.4/0.9+0.006 ms cpu, 4->4->0 MB",
                Some("gctrace"),
            ),
            ("SCHED 1009ms: gomaxprocs=2 idleprocs=0 threads=5 spinningthreads=0", Some("schedtrace")),
            ("  P0: status=1 schedtick=8 syscalltick=0 m=nil runqsize=0 gfreecnt=0", Some("scheddetail")),
            ("  M3: p=0 curg=nil mallocing=0 throwing=0", Some("scheddetail")),
            ("  G1: status=4(chan receive) m=nil lockedm=nil", Some("scheddetail")),
            ("scav 64 KiB work (bg), 0 KiB work (eager), 1024 KiB now, 80% util", Some("scavtrace")),
            ("init main @0.5 ms, 0.1 ms clock, 500 bytes, 7 allocs", Some("inittrace")),
            ("gc 12 of 40 failed", None),
            ("goroutine 1 [running]:", None),
            ("SCHEDULER: x", None),
            ("  main.f()", None),
            ("init failed", None),
        ] {
            assert_eq!(kind(line.as_bytes()), wanted, "{line}");
        }
    }
}
