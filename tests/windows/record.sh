#!/bin/sh
# Records the dumps in this folder anew. Needs Debian's wine, wine64, gcc-mingw-w64-x86-64 and zstd, and the
# toolchains that `cargo xtask fixtures` keeps.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${PANICLE_CACHE_DIR:-$HOME/.cache/panicle}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export WINEPREFIX="$work/prefix" WINEARCH=win64 WINEDEBUG=-all WINEDLLOVERRIDES='mscoree,mshtml=' DISPLAY=
wine=/usr/lib/wine/wine64

x86_64-w64-mingw32-gcc -O1 -o "$work/dumper.exe" "$here/dumper.c" -ldbghelp
x86_64-w64-mingw32-gcc -shared -O1 -o "$work/bcryptprimitives.dll" "$here/bcryptprimitives.c" -ladvapi32
"$wine" wineboot -i
cp "$work/bcryptprimitives.dll" "$WINEPREFIX/drive_c/windows/system32/"

while read -r program version; do
    name=$program-$version
    (
        cd "$here/../programs/$program"
        # As crates/fixtures/src/windows.rs builds it: the same bytes come out.
        env -i PATH="$PATH" HOME="$work" GOOS=windows GOARCH=amd64 CGO_ENABLED=0 GOTOOLCHAIN=local GOPROXY=off \
            GOFLAGS=-mod=mod "$cache/toolchains/$version/go/bin/go" build -trimpath -buildvcs=false -o "$work/$name.exe" .
    )
    cd "$work"
    GOTRACEBACK=wer "$wine" dumper.exe "$name-small.dmp" "$name-full.dmp" "$name.exe" 2>"$here/$name.txt"
    zstd -19 -q -f "$name-small.dmp" -o "$here/$name-small.dmp.zst"
    zstd -19 -q -f "$name-full.dmp" -o "$here/$name-full.dmp.zst"
done <<EOF
nil-map-write 1.24.11
nil-dereference 1.27.3
deadlock 1.22.10
EOF
