//! Screenshots of the console by headless Chromium: `tour.mjs` signs in as a person does, and fails at what a person would miss.

use std::{error::Error, path::Path, process::Command};

/// Everything a step needs beside its name.
pub struct Look<'a> {
    pub address: String,
    pub account: &'a str,
    pub password: &'a str,
    pub code: String,
    pub out: &'a Path,
}

/// Runs one step of `tour.mjs`.
pub fn step(scripts: &Path, name: &str, look: &Look<'_>, arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let out = std::path::absolute(look.out)?;
    let mut command = Command::new("node");
    command.arg(scripts.join("tour.mjs")).arg(name).args(arguments);
    command.env("VIGIE_ADDRESS", &look.address).env("VIGIE_ACCOUNT", look.account);
    command.env("VIGIE_PASSWORD", look.password).env("VIGIE_CODE", &look.code).env("VIGIE_OUT", out);
    run(command, name)
}

/// The page of the tour itself, read offline: axe, pictures that are there and not blank, no request elsewhere.
pub fn inspect_page(scripts: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let mut command = Command::new("node");
    command.arg(scripts.join("tour.mjs")).arg("page").env("VIGIE_OUT", std::path::absolute(out)?);
    run(command, "page")
}

fn run(mut command: Command, step: &str) -> Result<(), Box<dyn Error>> {
    let no_node = |error| {
        format!(
            "cannot run `node`: {error}: run the tour from the root of the clone after `make demo`, or with --no-screens"
        )
    };
    let output = command.output().map_err(no_node)?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(format!("the browser's step `{step}` failed: {said}").into())
}
