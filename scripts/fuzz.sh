#!/usr/bin/env bash
# Fuzzes every parser that meets bytes of others: VIGIE_FUZZ_SECONDS each (60), or only the targets named as arguments.
#
# libFuzzer on stable Rust without a sanitizer, as `cargo fuzz --sanitizer none` builds it. What it finds worth keeping goes to
# fuzz/corpus; an input that breaks a parser goes to target/fuzz/broken, and the script ends with an error.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/places.sh
scripts/setup.sh

seconds="${VIGIE_FUZZ_SECONDS:-60}"
host=$(rustc -vV | sed -n 's/^host: //p')
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
coverage="$coverage -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
# the flags are for the host's target only: build scripts stay as they are
RUSTFLAGS="$coverage" CARGO_TARGET_DIR="$VIGIE_TARGET/fuzz" \
    cargo build --locked --release --target "$host" --manifest-path fuzz/libfuzzer/Cargo.toml
cargo build --locked -p fuzz --bin fuzz-seeds

broken="$VIGIE_TARGET/fuzz/broken"
mkdir -p "$broken"
found=0
for target in $("$VIGIE_TARGET/debug/fuzz-seeds" names); do
    [ "$#" = 0 ] || [[ " $* " == *" $target "* ]] || continue
    new="$VIGIE_TARGET/fuzz/corpus/$target"
    kept="fuzz/corpus/$target"
    mkdir -p "$new" "$kept"
    "$VIGIE_TARGET/debug/fuzz-seeds" write "$target" "$new"
    echo "== $target, $seconds s"
    VIGIE_FUZZ_TARGET="$target" "$VIGIE_TARGET/fuzz/$host/release/parsers" -max_total_time="$seconds" -max_len=65536 \
        -print_final_stats=0 -verbosity=0 -artifact_prefix="$broken/$target-" "$new" "$kept" || found=1
    # the fewest inputs that reach what all of them reach, and none that is large
    VIGIE_FUZZ_TARGET="$target" "$VIGIE_TARGET/fuzz/$host/release/parsers" -merge=1 -verbosity=0 -max_len=2048 "$kept" "$new" || found=1
done
[ "$found" = 0 ] || { echo "fuzz: inputs that break a parser are in $broken" >&2; exit 1; }
echo "fuzz: nothing broke"
