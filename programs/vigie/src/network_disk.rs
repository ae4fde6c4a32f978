//! Folders that lie on a share of another machine: what dies here may live on in that machine's snapshots, and its locks and
//! syncs are not those of a disk.

use crate::Config;
use keeper::wire::{Finding, FindingState};
use std::path::Path;

/// Kinds of file systems that another machine keeps (statfs(2), `f_type`; linux/magic.h and the drivers' own headers).
const NETWORK: [(u32, &str); 10] = [
    (0x0000_6969, "NFS"),
    (0x0000_517b, "SMB"),
    (0xfe53_4d42, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0x00c3_6400, "Ceph"),
    (0x5346_414f, "AFS"),
    (0x6b41_4653, "AFS"),
    (0x7375_7245, "Coda"),
    (0x0102_1997, "9P"),
    (0x0bd0_0bd0, "Lustre"),
];

/// A setting whose folder is on a share, and what kind of share that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    pub setting: &'static str,
    pub kind: &'static str,
}

impl Share {
    pub fn text_fr(&self) -> String {
        let Share { setting, kind } = self;
        format!(
            "`{setting}` est sur un partage réseau ({kind}) : la machine qui le tient peut garder dans ses instantanés ce qui est détruit ici, et ses verrous ne sont pas ceux d'un disque. Placez ce dossier sur un disque de cette machine."
        )
    }

    pub fn text_en(&self) -> String {
        let Share { setting, kind } = self;
        format!(
            "`{setting}` is on a network share ({kind}): the machine that keeps it may hold in its snapshots what is destroyed here, and its locks are not those of a disk. Put this folder on a disk of this machine."
        )
    }
}

/// The settings whose folders are on a share; one that is away is not judged.
pub fn shares(config: &Config) -> Vec<Share> {
    let folders = config.store_folders();
    let store = folders.iter().enumerate().map(|(n, path)| (if n == 0 { "store.folder" } else { "store.more" }, path));
    let copies = config.keyring.copies.iter().map(|path| ("keyring.copies", path));
    let mut shares: Vec<Share> = Vec::new();
    for (setting, path) in copies.chain([("data.folder", &config.data.folder)]).chain(store) {
        let Some(kind) = kind_of(path).filter(|_| shares.iter().all(|known| known.setting != setting)) else {
            continue;
        };
        shares.push(Share { setting, kind });
    }
    shares
}

/// For the health page.
pub fn finding(config: &Config) -> Option<Finding> {
    let shares = shares(config);
    let all = |text: fn(&Share) -> String| shares.iter().map(text).collect::<Vec<_>>().join(" ");
    (!shares.is_empty()).then(|| Finding {
        id: "network-share".into(),
        state: FindingState::Warning,
        title_fr: "Dossiers sur un partage réseau".into(),
        title_en: "Folders on a network share".into(),
        detail_fr: all(Share::text_fr),
        detail_en: all(Share::text_en),
    })
}

fn kind_of(path: &Path) -> Option<&'static str> {
    let asked = path.ancestors().find_map(|folder| rustix::fs::statfs(folder).ok())?;
    network_kind(asked.f_type as u32) // as 32 bits, whatever the width and sign of this machine's field
}

fn network_kind(magic: u32) -> Option<&'static str> {
    NETWORK.iter().find(|(known, _)| *known == magic).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_known_by_their_kind_and_disks_are_none() {
        let (ext4, xfs, btrfs, tmpfs, zfs) = (0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x2fc1_2fc1);
        assert!([ext4, xfs, btrfs, tmpfs, zfs].into_iter().all(|magic| network_kind(magic).is_none()));
        assert_eq!(network_kind(0x6969), Some("NFS"));
        // a field of 32 bits with its sign gives the same
        assert_eq!(network_kind(0xff53_4d42_u32 as i32 as i64 as u32), Some("CIFS"));
        let share = Share { setting: "keyring.copies", kind: "NFS" };
        assert!(share.text_fr().contains("`keyring.copies`") && share.text_fr().contains("Placez"));
        assert!(share.text_en().contains("snapshots"));
        assert_eq!(kind_of(Path::new("/proc/self/there is nothing")), None);
    }
}
