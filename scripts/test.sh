#!/usr/bin/env bash
# All tests, in the order in which a newcomer wants to hear of a fault; says at the end how long it took.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/places.sh
# nobody edits between these steps: what an incremental build keeps for the next edit costs time and some gigabytes here
export CARGO_INCREMENTAL=0

# minutes a run from nothing may take on two cores
COLD_MINUTES_MAX=45
SECONDS=0
cold=yes
[ -z "$(ls -A "$VIGIE_TARGET" 2>/dev/null)" ] || cold=no

say_time() {
    local status=$? minutes=$(((SECONDS + 59) / 60))
    if [ "$status" != 0 ]; then
        echo "test: FAILED after $minutes min"
    elif [ "$cold" = yes ]; then
        echo "cold time: $minutes min"
        [ "$minutes" -le "$COLD_MINUTES_MAX" ] || echo "DEFECT: a cold run takes $minutes min, $COLD_MINUTES_MAX are allowed"
    else
        echo "warm time: $minutes min"
    fi
    exit "$status"
}
trap say_time EXIT

step() {
    echo "== $* (after $((SECONDS / 60)) min)"
    "$@"
}

# the long fuzz is a workspace of its own, whose lock follows this one's
fuzz_lock() { cargo metadata --locked --format-version 1 --manifest-path fuzz/libfuzzer/Cargo.toml >/dev/null; }

step scripts/setup.sh
. scripts/places.sh
step scripts/ui.sh test
step cargo fmt --all --check
step fuzz_lock
step cargo clippy --locked --workspace --all-targets -- -D warnings
step cargo test --locked --workspace --no-run
step cargo test --locked --workspace --exclude simulated --exclude simulator
step scripts/installations.sh
step scripts/prove.sh --where-it-runs
step cargo build --locked --workspace --bins
step scripts/walk.sh
step scripts/tour.sh
