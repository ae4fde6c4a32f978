#!/usr/bin/env bash
# What the ledger, the catalog, recording and looks cost: Vigie whole, FFmpeg and the machine's own limit in one run; tables go to target/bench.
# Ends by itself. `scripts/bench.sh --only ledger` (or `catalog`, `recording`) measures a part.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/places.sh
scripts/setup.sh
scripts/ui.sh build
cargo build --locked --release -p vigie -p bench
mkdir -p "$VIGIE_TARGET/bench"
exec "$VIGIE_TARGET/release/vigie-bench" --program "$VIGIE_TARGET/release/vigie" --out "$VIGIE_TARGET/bench" "$@"
