#!/usr/bin/env bash
# The long fault campaign: kills at chance instants and power cuts of real disks (VIGIE_CRASHES and VIGIE_POWER_CUTS say how often,
# VIGIE_SEED repeats a run), then every other scenario of docs/operate/failures.md that runs the real program.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/places.sh
scripts/setup.sh
scripts/ui.sh build
mkdir -p "$VIGIE_TARGET/faults"
# A kill of "all" is four processes, a power cut too: 250 kills, about 500 processes, and 3 x 45 power cuts, about 540.
export VIGIE_CRASHES="${VIGIE_CRASHES:-250}"
export VIGIE_POWER_CUTS="${VIGIE_POWER_CUTS:-45}"
export VIGIE_STALL_SECONDS="${VIGIE_STALL_SECONDS:-30}"
export VIGIE_CRASH_TABLE="$VIGIE_TARGET/faults/crash.md"
export VIGIE_DISK_TABLE="$VIGIE_TARGET/faults/disks.md"
printf '| file system | what lay on it | power cuts | most media lost |\n| --- | --- | --- | --- |\n' >"$VIGIE_DISK_TABLE"
cargo test --locked -p simulated --test crash -- --nocapture
VIGIE_DISTRICT_CAMERAS="${VIGIE_DISTRICT_CAMERAS:-300}" cargo test --locked -p simulated --test district -- --nocapture
cargo test --locked -p simulated --test disks --test failing_calls --test cameras --test faketime -- --nocapture
cat "$VIGIE_CRASH_TABLE" "$VIGIE_DISK_TABLE"
echo "the tables are in $VIGIE_TARGET/faults"
