//! Drives one of the targets, the one that `VIGIE_FUZZ_TARGET` names, with what libFuzzer thinks of.
#![no_main]

use std::sync::LazyLock;

static TARGET: LazyLock<&'static fuzz::Target> = LazyLock::new(|| {
    let name = std::env::var("VIGIE_FUZZ_TARGET").expect("scripts/fuzz.sh names a target");
    fuzz::TARGETS.iter().find(|target| target.name == name).expect("a target of fuzz/src/lib.rs")
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (TARGET.run)(bytes));
