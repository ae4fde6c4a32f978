//! What `demo` and `tour` share: where the town's program is, and passwords for one run.

use aws_lc_rs::rand;
use domain::Sensitive;
use std::{
    error::Error,
    path::{Path, PathBuf},
};

/// Sixteen characters that a person can type.
pub fn password() -> Result<Sensitive<String>, Box<dyn Error>> {
    let mut bytes = [0; 8];
    rand::fill(&mut bytes).map_err(|_| "the system gives no random bytes")?;
    let hex: Vec<String> = bytes.chunks(2).map(|pair| format!("{:02x}{:02x}", pair[0], pair[1])).collect();
    Ok(Sensitive::new(hex.join("-")))
}

/// A program built together with this one.
pub fn beside_us(name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let ours = std::env::current_exe()?;
    Ok(ours.parent().unwrap_or(Path::new(".")).join(name))
}
