#!/usr/bin/env bash
# Plants bugs in a copy of the tree, one at a time, and lets the simulation find each (SEEDS lives of STEPS at most); names as
# arguments plant those alone. The table goes to target/mutants/table.md; a bug that is not found is an error.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/places.sh
scripts/setup.sh
mkdir -p "$VIGIE_TARGET/mutants"
cargo run --locked --quiet -p xtask -- mutants "$VIGIE_TARGET" "${SEEDS:-200}" "${STEPS:-200}" "$@" | tee "$VIGIE_TARGET/mutants/table.md"
