#!/usr/bin/env bash
# Proves by a solver, for all requests of the law pack's schema, that no town opens what the law closes; some seconds once built.
# `--where-it-runs` says so and ends well where there is no solver; else that is an error. CVC5 may name another one.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/places.sh

solver="${CVC5:-cvc5}"
if ! "$solver" --version >/dev/null 2>&1; then
    remedy="apt-get install cvc5, or name its program in the variable CVC5"
    if [ "${1:-}" = --where-it-runs ]; then
        echo "prove: skipped, \`$solver\` does not run: $remedy"
        exit 0
    fi
    echo "prove: \`$solver\` does not run, nothing is proved: $remedy" >&2
    exit 1
fi
"$solver" --version | sed -n 1p
cargo fmt --manifest-path proof/Cargo.toml --check
CARGO_TARGET_DIR="$VIGIE_TARGET" cargo test --locked --manifest-path proof/Cargo.toml -- --nocapture
