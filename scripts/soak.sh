#!/usr/bin/env bash
# An hour (VIGIE_SOAK_MINUTES) of sixty cameras (VIGIE_SOAK_CAMERAS) that flap, with people who look and hours that die: what
# its processes hold of the machine, and whether it grows. Before it, whether the memory that a disk that hangs takes comes back. About
# 20 GB of the disk under TMPDIR.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/places.sh
scripts/setup.sh
scripts/ui.sh build
export VIGIE_SOAK_MINUTES="${VIGIE_SOAK_MINUTES:-60}" VIGIE_SOAK_CAMERAS="${VIGIE_SOAK_CAMERAS:-60}"
cargo test --locked -p simulated --test memory -- --nocapture
cargo test --locked -p simulated --test soak -- --nocapture
