//! Makes sure that the folder of the built console exists, so that this crate builds and tests without npm.

use std::{env, fs, io, path::Path};

fn main() -> io::Result<()> {
    // Where a build of the console puts its files; an empty folder means: not built, and the page says so.
    let manifest = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let console = Path::new(&manifest).join("../../ui/dist");
    fs::create_dir_all(&console)?;
    println!("cargo:rerun-if-changed={}", console.display());
    Ok(())
}
