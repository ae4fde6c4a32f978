//! A backup of the registry, taken while the keeper goes on: never a key, never the ledger (K3, L1; decision 0062).
//!
//! 1 for whom: the town's recipient · 2 a copy of one moment, without sessions and setup links · 3 with the sealed scans in
//! one archive, sealed for the recipient; the copy in clear is deleted · 4 entry with the digest · 5 it is handed out in parts,
//! then deleted
//!
//! What lies sealed in the registry (cameras' passwords, seeds of second factors, scans) stays sealed under the keyring's config
//! key, which is in no backup.

pub mod archive;

use crate::{
    core::{KeeperCore, failed, malformed},
    restored::BACKED_UP,
    scans::hex,
    wire::{Answer, BackupMade},
};
use archive::{Manifest, Sealing};
use catalog::Taken;
use domain::{Secret32, Sensitive, limit::SCAN_PART_BYTES_MAX};
use ledger::{Actor, Event};
use seal::age::{Draws, Recipient};
use std::{
    fs::{DirBuilder, File},
    io::{ErrorKind, Read, Seek, SeekFrom},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::PathBuf,
    sync::PoisonError,
};
use vault::KeeperError;
use zeroize::Zeroizing;

/// Beside the registry: the copy in clear while it is sealed, and the sealed archive until it is fetched.
const FOLDER: &str = "backup";
const COPY: &str = "registry.db";
const SEALED: &str = "sealed.age";

impl KeeperCore {
    /// Takes a backup; see the steps above.
    pub fn backup(&self, actor: Actor, recipient: &str) -> Result<Answer, KeeperError> {
        let recipient = Recipient::parse(recipient).map_err(|error| malformed(error.to_string()))?; // 1
        let _one_at_a_time = self.backing_up.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = self.backup_folder();
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(failed)?;
        let head = self.parts.journal.head();
        let taken = Taken { entries: head.size, root: head.root.0, at: self.trusted()? };
        let made = self.seal_copy(recipient, &taken);
        self.forget_copy()?; // also after a failure
        let (bytes, digest) = made?; // 2, 3
        let made = BackupMade { at: taken.at, entries: taken.entries, bytes, digest };
        let what = format!(
            "{BACKED_UP}{}",
            serde_json::json!({ "to": recipient.to_string(), "bytes": bytes, "sha256": hex(&digest) })
        );
        self.enter_events(actor, vec![Event::Config { what }])?; // 4
        Ok(Answer::BackupMade(made))
    }

    fn seal_copy(&self, recipient: Recipient, taken: &Taken) -> Result<(u64, [u8; 32]), KeeperError> {
        let (folder, registry) = (self.backup_folder(), &self.parts.registry);
        let copy = folder.join(COPY);
        registry.copy_to(&copy, taken).map_err(failed)?; // 2
        let mut options = File::options();
        let sealed = options.write(true).create(true).truncate(true).mode(0o600).open(folder.join(SEALED));
        let mut sealing = Sealing::begin(sealed.map_err(failed)?, recipient, &self.draws()).map_err(failed)?;
        let manifest = Manifest {
            format: archive::FORMAT,
            site: self.parts.site,
            name: registry.site().name.clone(),
            entries: taken.entries,
            at: taken.at,
            program: self.parts.version.clone(),
        };
        sealing.manifest(&manifest).map_err(failed)?;
        sealing.file(archive::REGISTRY, &copy, taken.at).map_err(failed)?;
        for (name, path) in registry.scan_files().map_err(failed)? {
            sealing.file(&format!("{}{name}", archive::SCANS), &path, taken.at).map_err(failed)?;
        }
        sealing.finish().map_err(failed) // 3
    }

    /// From `offset` on.
    pub fn backup_part(&self, offset: u64) -> Result<Answer, KeeperError> {
        let _one_at_a_time = self.backing_up.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = File::open(self.backup_folder().join(SEALED));
        let mut file = opened.map_err(|_| malformed("no backup waits: take one with `vigie backup`"))?;
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        let mut bytes = Vec::new();
        file.take(SCAN_PART_BYTES_MAX as u64).read_to_end(&mut bytes).map_err(failed)?;
        Ok(Answer::BackupPart { bytes: Sensitive::new(bytes) })
    }

    /// It was fetched.
    pub fn backup_fetched(&self) -> Result<Answer, KeeperError> {
        let _one_at_a_time = self.backing_up.lock().unwrap_or_else(PoisonError::into_inner);
        self.remove(SEALED)?; // 5
        Ok(Answer::Done)
    }

    /// What a crash may have left.
    pub(crate) fn forget_copy(&self) -> Result<(), KeeperError> {
        [COPY, "registry.db-wal", "registry.db-shm"].into_iter().try_for_each(|name| self.remove(name))
    }

    fn remove(&self, name: &str) -> Result<(), KeeperError> {
        match std::fs::remove_file(self.backup_folder().join(name)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(format!(
                "a copy of the registry could not be deleted: {error}; delete the folder `backup` in `data.folder`"
            ))),
            _ => Ok(()),
        }
    }

    fn backup_folder(&self) -> PathBuf {
        self.parts.registry.folder().join(FOLDER)
    }

    fn draws(&self) -> Draws {
        let (mut file_key, mut nonce) = (Zeroizing::new([0; 16]), [0; 16]);
        self.parts.random.fill(&mut file_key[..]);
        self.parts.random.fill(&mut nonce);
        Draws { file_key, ephemeral: Secret32::draw(&*self.parts.random), nonce }
    }
}
