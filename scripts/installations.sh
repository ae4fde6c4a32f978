#!/usr/bin/env bash
# The tests that start whole installations, and those of the simulator's cameras, wait for real seconds most of their time: four of
# them run side by side, the longest first. What each says is shown as a whole when it ends.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/places.sh

LANES=4
# a minute and more each: begun last, one of them would be waited for alone
LONG='cameras|streams|deadline|crash|pkcs11|procedures|program|roots|gaps|district|full_disk|handover'
said="$VIGIE_TARGET/installations"
rm -rf "$said"
mkdir -p "$said"

# one line of JSON for each test program, with the file it is built from and where it lies
programs=$(cargo test --locked --workspace --no-run --message-format=json 2>"$said/build" |
    sed -nE 's#.*"src_path":"[^"]*/(programs/simulated|simulator)/(tests/[a-z0-9_]+|src/lib)(/main)?\.rs".*"executable":"([^"]+)".*#\1 \2 \4#p' |
    grep -v '^programs/simulated src/lib') || true
[ -n "$programs" ] || { cat "$said/build" >&2; echo "installations: no test program was built" >&2; exit 1; }

one() {
    place=$1 name=$2 program=$3
    said_here="$said/${place//\//-}-${name//\//-}"
    cd "$place"
    if "$program" >"$said_here" 2>&1; then
        echo "     Running $place: $name"
    else
        echo "     Running $place: $name: FAILED"
        touch "$said/failed"
    fi
    cat "$said_here"
}
export -f one
export said
{
    echo "$programs" | grep -E "/($LONG) " || true
    echo "$programs" | grep -vE "/($LONG) "
} | xargs -P "$LANES" -L 1 bash -c 'one "$@"' _
[ ! -e "$said/failed" ] || { echo "installations: a test failed" >&2; exit 1; }
