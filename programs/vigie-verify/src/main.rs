//! `vigie-verify`: checks what Vigie publishes, from outside, without trusting the town.

use std::process::ExitCode;

fn main() -> ExitCode {
    vigie_verify::main()
}
