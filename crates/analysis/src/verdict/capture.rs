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
