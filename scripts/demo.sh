#!/usr/bin/env bash
# Builds everything and starts the demo town: six cameras, the three processes, an address to open.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/places.sh
scripts/setup.sh
scripts/ui.sh build
cargo build --locked --workspace --bins
exec "$VIGIE_TARGET/debug/vigie-simulator" demo "$@"
