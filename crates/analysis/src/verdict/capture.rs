//! What to capture next time: commands that several rules name.

/// A core in place of a traceback alone.
pub(super) const CORE: &str =
    "GOTRACEBACK=crash in the service's environment and `ulimit -c unlimited`: the next crash leaves a core.";

/// The race detector on the tests.
pub(super) const RACE: &str = "go test -race -count=20 ./... (or one replica built with `go build -race`): names both sides of the race.";

/// All goroutines of a live process.
pub(super) const GOROUTINES: &str = "curl -s 'http://HOST:PORT/debug/pprof/goroutine?debug=2' > goroutines.txt, twice a minute apart, before the \
     process is ended.";

/// Everything that waits, as a profile.
pub(super) const GOROUTINE_PROFILE: &str =
    "go tool pprof -top 'http://HOST:PORT/debug/pprof/goroutine': counts goroutines by stack.";

/// The heap of a live process.
pub(super) const HEAP: &str = "curl -s 'http://HOST:PORT/debug/pprof/heap' > heap.pb.gz while memory grows, twice, and compare: \
     go tool pprof -base first.pb.gz second.pb.gz.";

/// Goroutines that the collector has proven to be stuck.
pub(super) const LEAK_PROFILE: &str = "curl -s 'http://HOST:PORT/debug/pprof/goroutineleak?debug=2' > leaks.txt (Go 1.27; in 1.26 built with \
     GOEXPERIMENT=goroutineleakprofile).";

/// Who waits for which lock.
pub(super) const MUTEX_PROFILE: &str = "runtime.SetMutexProfileFraction(10) in main, then go tool pprof -top 'http://HOST:PORT/debug/pprof/mutex': who \
     holds locks for long.";

/// What it printed.
pub(super) const TEXT: &str = "Keep what the process writes to stderr: `kubectl logs --previous POD > crash.log`, `journalctl -u UNIT > crash.log`; or \
     have it written to a file: debug.SetCrashOutput (Go 1.23+).";

/// When the core is there already.
pub(super) const NOTHING: &str = "Nothing more: the core is the best evidence there is. Keep the executable of each release for it (panicle upload binary FILE).";
