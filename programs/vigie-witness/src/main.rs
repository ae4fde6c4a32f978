//! `vigie-witness`: watches logs from outside and signs that they only grow.

use std::process::ExitCode;

fn main() -> ExitCode {
    vigie_witness::main()
}
