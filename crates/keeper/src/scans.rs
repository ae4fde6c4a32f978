//! Scans of papers: taken in parts, held against their digest, sealed as camera credentials are (K13).

use crate::{
    core::{KeeperCore, failed, malformed},
    wire::{Answer, ScanPart},
};
use aws_lc_rs::digest;
use domain::{
    Sensitive,
    limit::{SCAN_BYTES_MAX, SCAN_PART_BYTES_MAX},
};
use ledger::{Actor, Event};
use vault::KeeperError;
use zeroize::Zeroizing;

/// A scan on its way; one at a time, another one begins by taking its place.
pub(crate) struct Upload {
    digest: [u8; 32],
    total_bytes: u64,
    bytes: Zeroizing<Vec<u8>>,
}

impl KeeperCore {
    /// Takes the next part. With the last: 1 the digest is what was said · 2 sealed · 3 durable. No paper names it yet, so
    /// nothing is entered: a scan that stays alone is named by no paper, and opens with the keyring only.
    pub fn scan_part(&self, part: ScanPart) -> Result<Answer, KeeperError> {
        let bytes = part.bytes.reveal();
        if part.total_bytes == 0 || (SCAN_BYTES_MAX as u64) < part.total_bytes {
            return Err(malformed(format!("a scan has 1 byte to {} MiB", SCAN_BYTES_MAX >> 20)));
        }
        if bytes.is_empty() || SCAN_PART_BYTES_MAX < bytes.len() {
            return Err(malformed(format!("a scan's part has 1 to {SCAN_PART_BYTES_MAX} bytes")));
        }
        let whole = {
            let upload = &mut self.moving().upload;
            if part.offset == 0 {
                *upload =
                    Some(Upload { digest: part.digest, total_bytes: part.total_bytes, bytes: Zeroizing::default() });
            }
            let follows = |upload: &&mut Upload| {
                (upload.digest, upload.total_bytes) == (part.digest, part.total_bytes)
                    && upload.bytes.len() as u64 == part.offset
                    && part.offset + bytes.len() as u64 <= part.total_bytes
            };
            let Some(open) = upload.as_mut().filter(follows) else {
                return Err(malformed("a scan's part that does not follow: begin with its first byte"));
            };
            open.bytes.extend_from_slice(bytes);
            let held = open.bytes.len() as u64;
            if held < part.total_bytes {
                return Ok(Answer::ScanHeld { bytes: held });
            }
            upload.take()
        };
        let whole = whole.ok_or_else(|| malformed("a scan's part that does not follow: begin with its first byte"))?;
        if digest::digest(&digest::SHA256, &whole.bytes).as_ref() != part.digest {
            return Err(malformed("the scan is not what its digest says: send it again")); // 1
        }
        let sealed = self.seal_bytes(bound_to(&part.digest), &whole.bytes)?; // 2
        self.parts.registry.scan_put(&part.digest, &sealed).map_err(failed)?; // 3
        Ok(Answer::ScanHeld { bytes: part.total_bytes })
    }

    /// A kept scan from `offset` on. Its reading is entered with its first part: it shows names and signatures.
    pub fn scan_read(&self, actor: Actor, digest: &[u8; 32], offset: u64) -> Result<Answer, KeeperError> {
        let sealed = self.parts.registry.scan(digest).map_err(failed)?;
        let sealed =
            sealed.ok_or_else(|| malformed("no such scan is kept: `vigie act list` shows which act has one"))?;
        let opened = self.unseal_bytes(bound_to(digest), &sealed)?;
        if offset == 0 {
            let what = format!("the scan of an act was read: {}", hex(digest));
            self.enter_events(actor, vec![Event::Config { what }])?;
        }
        let rest = usize::try_from(offset).ok().and_then(|offset| opened.get(offset..)).unwrap_or_default();
        let bytes = Sensitive::new(rest[..rest.len().min(SCAN_PART_BYTES_MAX)].to_vec());
        Ok(Answer::Scan(ScanPart { digest: *digest, total_bytes: opened.len() as u64, offset, bytes }))
    }
}

/// What a sealed scan is bound to.
fn bound_to(digest: &[u8; 32]) -> Vec<u8> {
    [&b"vigie act scan v1\n"[..], digest].concat()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
