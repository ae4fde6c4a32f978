#!/usr/bin/env bash
# Names the places outside the clone that the other scripts share; sourced by them from the root of the clone.

VIGIE_CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/vigie"
VIGIE_WHEELS=(cryptography==50.0.2 blake3==1.0.11 schemathesis==4.32.5)
VIGIE_VENV="$VIGIE_CACHE/venv-$({ printf '%s\n' "${VIGIE_WHEELS[@]}"; python3 --version 2>&1 || true; } | sha256sum | cut -c1-12)"
VIGIE_PYTHON="$VIGIE_VENV/bin/python3"
VIGIE_TARGET="${CARGO_TARGET_DIR:-$PWD/target}"
export VIGIE_CACHE VIGIE_PYTHON VIGIE_TARGET
