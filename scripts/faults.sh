#!/usr/bin/env bash
# Kills each process of a town a hundred times at chance instants (VIGIE_CRASHES says how often, VIGIE_SEED repeats a run).
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/places.sh
scripts/setup.sh
scripts/ui.sh build
mkdir -p "$VIGIE_TARGET/faults"
export VIGIE_CRASHES="${VIGIE_CRASHES:-100}"
export VIGIE_CRASH_TABLE="$VIGIE_TARGET/faults/crash.md"
cargo test --locked -p simulated --test crash -- --nocapture
echo "the table is in $VIGIE_CRASH_TABLE"
