//! `vigie`: the program of a town. Hours of 3,600 s, the machine's own clock, nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    vigie::main(&vigie::Build::product())
}
