#!/usr/bin/env bash
# The tests that start whole installations wait for real seconds most of their time: three of them run side by side. What each
# says is shown as a whole when it ends.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/places.sh

LANES=3
said="$VIGIE_TARGET/installations"
rm -rf "$said"
mkdir -p "$said"

# one line of JSON for each test program, with the file it is built from and where it lies
programs=$(cargo test --locked --workspace --no-run --message-format=json 2>"$said/build" |
    sed -nE 's|.*"src_path":"[^"]*/programs/simulated/tests/([a-z0-9_]+)\.rs".*"executable":"([^"]+)".*|\1 \2|p') || true
[ -n "$programs" ] || { cat "$said/build" >&2; echo "installations: no test program was built" >&2; exit 1; }

one() {
    name=$1 program=$2
    cd programs/simulated
    if "$program" >"$said/$name" 2>&1; then
        echo "     Running tests/$name.rs"
    else
        echo "     Running tests/$name.rs: FAILED"
        touch "$said/failed"
    fi
    cat "$said/$name"
}
export -f one
export said
echo "$programs" | xargs -P "$LANES" -L 1 bash -c 'one "$@"' _
[ ! -e "$said/failed" ] || { echo "installations: a test failed" >&2; exit 1; }
