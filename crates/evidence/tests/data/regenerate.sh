#!/bin/sh
# Makes the recorded outputs anew: regenerate.sh TOOLCHAINS, a folder with go1 toolchains as
# TOOLCHAINS/<version>/go. Each output lands in <version>/<program>.<GOTRACEBACK level>.txt.
# Outputs are real and unedited; programs that need luck (mapwrites) are run until they die.
set -u
toolchains=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GOTOOLCHAIN=local GOFLAGS=-trimpath GOMAXPROCS=2 GOCACHE="${GOCACHE:-$work/cache}"
ulimit -c 0

record() { # file level command...
    file=$1 level=$2
    shift 2
    GOTRACEBACK=$level timeout 60 "$@" >/dev/null 2>"$file"
}

signal() { # file level signal
    GOTRACEBACK=$2 "$work/crash" signal >"$work/out" 2>"$1" &
    pid=$!
    until grep -q ready "$work/out"; do sleep 0.05; done
    kill "-$3" $pid
    wait $pid
}

for dir in "$toolchains"/*/; do
    version=$(basename "$dir")
    go=$dir/go/bin/go
    minor=$(echo "$version" | cut -d. -f1-2)
    out=$here/$version
    mkdir -p "$out"
    rm -rf "$work/src"
    cp -r "$here/programs" "$work/src"
    printf 'module example.com/crash\n\ngo %s\n' "$minor" >"$work/src/go.mod"
    (cd "$work/src" && "$go" build -o "$work/crash" . && "$go" build -o "$work/labels" ./labels) || exit 1
    for level in none single all system crash; do
        record "$out/nilmap.$level.txt" $level "$work/crash" nilmap
    done
    for program in nilptr chain repanic goexitchain code types forge long goexit deadlock ancestors fault fatalindefer; do
        GODEBUG=tracebackancestors=5 record "$out/$program.single.txt" single "$work/crash" $program
    done
    for program in overflow deepstack; do
        record "$out/$program.all.txt" all "$work/crash" $program
    done
    record "$out/waits.system.txt" system "$work/crash" waits
    record "$out/waits.all.txt" all "$work/crash" waits
    record "$out/debug2.all.txt" all "$work/crash" debug2
    record "$out/mapwrites.crash.txt" crash "$work/crash" mapwrites
    record "$out/mapwrites.single.txt" single "$work/crash" mapwrites
    record "$out/labels.all.txt" all "$work/labels"
    signal "$out/sigquit.crash.txt" crash QUIT
    signal "$out/sigabrt.all.txt" all ABRT
    if (cd "$work/src" && CGO_ENABLED=1 "$go" build -race -o "$work/race" ./race); then
        record "$out/race.single.txt" single "$work/race"
    fi
    case $minor in
    1.25 | 1.26 | 1.27)
        (cd "$work/src" && "$go" test -c -o "$work/bubble" ./bubble) && record "$out/bubble.all.txt" all "$work/bubble"
        ;;
    esac
    (cd "$work/src" && "$go" build -o "$work/http" ./http) && record "$out/http.single.txt" single "$work/http"
    if [ "$minor" != 1.19 ] && (cd "$work/src" && "$go" build -o "$work/logged" ./logged); then
        for way in json text quoted; do
            record "$out/logged-$way.single.txt" single "$work/logged" $way
        done
        GODEBUG=gctrace=1,schedtrace=1 record "$out/gctrace.all.txt" all "$work/logged" gctrace
        case $minor in
        1.21 | 1.22) ;;
        *) GOTRACEBACK=all "$work/logged" output "$out/crashoutput.all.txt" 2>/dev/null ;;
        esac
    fi
    record "$out/gorun.single.txt" single "$go" run "$work/src/race/../main.go" "$work/src/fault.go" nilmap
done
