//! A scan to the keeper and back, in parts that fit a message.

use super::{super::Context, ActError};
use crate::cli::unexpected;
use aws_lc_rs::digest;
use domain::{
    Sensitive,
    limit::{SCAN_BYTES_MAX, SCAN_PART_BYTES_MAX},
};
use keeper::wire::{Answer, Control, ScanPart};
use std::{error::Error, io::Write, os::unix::fs::OpenOptionsExt, path::Path};
use zeroize::Zeroizing;

/// Sends a file; SHA-256 of it comes back once the keeper holds it sealed.
pub fn send(context: &Context<'_>, file: &Path) -> Result<[u8; 32], Box<dyn Error>> {
    let shown = file.display();
    let refused = |fr: String, en: String| {
        ActError::new(format!("numérisation `{shown}` : {fr}"), format!("scan `{shown}`: {en}"))
    };
    let unreadable = |error: std::io::Error| {
        refused(
            format!("illisible ({error}) : vérifiez le chemin"),
            format!("cannot be read ({error}): check the path"),
        )
    };
    let size = std::fs::metadata(file).map_err(unreadable)?.len();
    if size == 0 || (SCAN_BYTES_MAX as u64) < size {
        let mebibytes = SCAN_BYTES_MAX >> 20;
        return Err(refused(
            format!("{size} octets : numérisez l'acte en 1 octet à {mebibytes} Mio"),
            format!("{size} bytes: scan the paper as 1 byte to {mebibytes} MiB"),
        )
        .into());
    }
    let whole = Zeroizing::new(std::fs::read(file).map_err(unreadable)?);
    let mut sum = [0; 32];
    sum.copy_from_slice(digest::digest(&digest::SHA256, &whole).as_ref());
    let mut offset = 0;
    for bytes in whole.chunks(SCAN_PART_BYTES_MAX) {
        let part =
            ScanPart { digest: sum, total_bytes: whole.len() as u64, offset, bytes: Sensitive::new(bytes.to_vec()) };
        let Answer::ScanHeld { bytes: held } = context.ask(Control::ScanPart(part))? else { return Err(unexpected()) };
        offset = held;
    }
    Ok(sum)
}

/// Writes a kept scan to a new file that belongs to its owner alone.
pub fn fetch(context: &Context<'_>, digest: &[u8; 32], out: &Path) -> Result<(), Box<dyn Error>> {
    let shown = out.display();
    let created = std::fs::File::options().write(true).create_new(true).mode(0o600).open(out);
    let mut file = created.map_err(|error| {
        ActError::new(
            format!("`{shown}` ne peut pas être créé ({error}) : choisissez un nouveau fichier"),
            format!("`{shown}` cannot be created ({error}): choose a new file"),
        )
    })?;
    let mut offset = 0;
    loop {
        let asked = Control::ScanRead { digest: *digest, offset };
        let Answer::Scan(part) = context.ask(asked)? else { return Err(unexpected()) };
        file.write_all(part.bytes.reveal())?;
        offset += part.bytes.reveal().len() as u64;
        if part.total_bytes <= offset || part.bytes.reveal().is_empty() {
            return Ok(file.sync_all()?);
        }
    }
}
