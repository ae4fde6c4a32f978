#!/usr/bin/env bash
# Lives of a simulated town, every promise checked after every step: SEEDS of them (200) from SEED on (1), STEPS long (300);
# then a year of a supervision centre. A life that fails says how to see it again.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/places.sh
scripts/setup.sh
# one life is asked for: it is told step by step
if [ -n "${SEED:-}" ] && [ -z "${SEEDS:-}" ]; then
    exec cargo run --locked --quiet -p simulation -- --seed "$SEED" --steps "${STEPS:-300}" --tell
fi
cargo run --locked --quiet -p simulation -- --seed "${SEED:-1}" --seeds "${SEEDS:-200}" --steps "${STEPS:-300}"
VIGIE_YEAR_DAYS="${VIGIE_YEAR_DAYS:-365}" cargo test --locked -p keeper --test year -- --nocapture
