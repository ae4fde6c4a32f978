//! How store, catalog, keyring and ledger may contradict each other, each with its situation and its remedy.

use domain::{CameraId, Hour, ReelId, UtcMicros};
use serde::Serialize;

/// One contradiction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Disagreement {
    /// A sound reel of a living hour that the catalog does not name.
    NoRow {
        reel: ReelId,
        hour: Hour,
    },
    /// A row whose reel is nowhere in the store.
    NoBytes {
        reel: ReelId,
        hour: Hour,
    },
    RowDiffers {
        reel: ReelId,
        hour: Hour,
        what: String,
    },
    /// Bytes that are not those that were signed, or that the disk does not give.
    Damaged {
        reel: Option<ReelId>,
        slot: u32,
        why: String,
    },
    NotInLedger {
        reel: ReelId,
        hour: Hour,
    },
    /// The ledger has a reel of a living hour that the store has not.
    NotInStore {
        reel: ReelId,
        hour: Hour,
    },
    OtherRoot {
        reel: ReelId,
        hour: Hour,
    },
    LedgerDiffers {
        reel: ReelId,
        hour: Hour,
    },
    NoMint {
        reel: ReelId,
        hour: Hour,
    },
    OtherDeadline {
        reel: ReelId,
        hour: Hour,
        deadline: UtcMicros,
    },
    /// Of footage (`reel`), or minted by the ledger, and not in the keyring.
    NoKey {
        reel: Option<ReelId>,
        hour: Hour,
        camera: CameraId,
    },
    KeyOfDestroyed {
        hour: Hour,
        camera: CameraId,
    },
    KeyNeverMinted {
        hour: Hour,
        camera: CameraId,
    },
    KeyDeadlineDiffers {
        hour: Hour,
        camera: CameraId,
        keyring: UtcMicros,
        ledger: UtcMicros,
    },
    PageDamaged {
        hour: Hour,
    },
    /// A root of the store is not there, and so many reels lie on it; `None`: on one of those that are not there.
    DiskMissing {
        root: Option<u8>,
        reels: u64,
    },
}

impl Disagreement {
    /// The reel that it is about.
    pub fn reel(&self) -> Option<ReelId> {
        match self {
            Disagreement::NoRow { reel, .. }
            | Disagreement::NoBytes { reel, .. }
            | Disagreement::RowDiffers { reel, .. }
            | Disagreement::NotInLedger { reel, .. }
            | Disagreement::NotInStore { reel, .. }
            | Disagreement::OtherRoot { reel, .. }
            | Disagreement::LedgerDiffers { reel, .. }
            | Disagreement::NoMint { reel, .. }
            | Disagreement::OtherDeadline { reel, .. } => Some(*reel),
            Disagreement::Damaged { reel, .. } | Disagreement::NoKey { reel, .. } => *reel,
            Disagreement::KeyOfDestroyed { .. }
            | Disagreement::KeyNeverMinted { .. }
            | Disagreement::KeyDeadlineDiffers { .. }
            | Disagreement::PageDamaged { .. }
            | Disagreement::DiskMissing { .. } => None,
        }
    }

    /// Situation and remedy, in French.
    pub fn text_fr(&self) -> String {
        match self {
            Disagreement::NoRow { reel, hour } => format!(
                "La bobine {reel} ({hour}) est dans le stockage et pas dans le catalogue. Lancez `vigie catalog rebuild`."
            ),
            Disagreement::NoBytes { reel, hour } => format!(
                "Le catalogue nomme la bobine {reel} ({hour}), que le stockage n'a pas. Lancez `vigie catalog rebuild` ; ces images sont perdues si nul autre disque ne les a."
            ),
            Disagreement::RowDiffers { reel, hour, what } => format!(
                "Le catalogue dit autre chose que la bobine {reel} ({hour}) elle-même ({}). Lancez `vigie catalog rebuild`.",
                field_fr(what)
            ),
            Disagreement::Damaged { reel, slot, why } => format!(
                "{} est abîmée dans l'emplacement {slot} ({why}). Vérifiez le disque (`smartctl`) ; les autres bobines ne sont pas touchées.",
                reel.map_or("Une bobine".into(), |reel| format!("La bobine {reel}"))
            ),
            Disagreement::NotInLedger { reel, hour } => format!(
                "La bobine {reel} ({hour}) n'est pas inscrite au registre. Gardez le disque tel quel et cherchez qui l'y a mise."
            ),
            Disagreement::NotInStore { reel, hour } => format!(
                "Le registre a inscrit la bobine {reel} ({hour}), que le stockage n'a plus. Vérifiez que le bon disque est monté ; sinon ces images sont perdues."
            ),
            Disagreement::OtherRoot { reel, hour } => format!(
                "La bobine {reel} ({hour}) n'est pas celle que le registre a inscrite : sa racine diffère. Gardez le disque tel quel, ces images ne prouvent rien."
            ),
            Disagreement::LedgerDiffers { reel, hour } => format!(
                "Le registre et la bobine {reel} ({hour}) ne disent pas la même heure ou la même échéance. Gardez le disque tel quel."
            ),
            Disagreement::NoMint { reel, hour } => format!(
                "Le registre n'a créé aucune clé pour l'heure {hour} de la bobine {reel}. Gardez le disque tel quel et cherchez d'où elle vient."
            ),
            Disagreement::OtherDeadline { reel, hour, deadline } => format!(
                "La bobine {reel} ({hour}) porte une échéance ({deadline}) que le registre n'a jamais inscrite. Gardez le disque tel quel."
            ),
            Disagreement::NoKey { reel: Some(reel), hour, camera } => format!(
                "Le catalogue donne à la bobine {reel} ({hour}) des images de la caméra {camera}, dont le trousseau n'a pas la clé. Lancez `vigie catalog rebuild`."
            ),
            Disagreement::NoKey { reel: None, hour, camera } => format!(
                "Le registre a créé une clé de la caméra {camera} pour {hour}, que le trousseau n'a pas. Un ancien trousseau a peut-être été remis : ces images ne s'ouvrent plus."
            ),
            Disagreement::KeyOfDestroyed { hour, camera } => format!(
                "Le trousseau a encore une clé de la caméra {camera} pour {hour}, inscrite comme détruite. Redémarrez Vigie : elle sera détruite ; cherchez qui l'a remise."
            ),
            Disagreement::KeyNeverMinted { hour, camera } => format!(
                "Le trousseau a une clé de la caméra {camera} pour {hour} que le registre n'a jamais créée. Trousseau et registre ne sont pas du même site ou du même jour."
            ),
            Disagreement::KeyDeadlineDiffers { hour, camera, keyring, ledger } => format!(
                "L'échéance de la caméra {camera} pour {hour} est {keyring} au trousseau et {ledger} au registre. Un ancien trousseau a peut-être été remis."
            ),
            Disagreement::PageDamaged { hour } => format!(
                "La page de clés de {hour} n'est lisible dans aucune copie du trousseau. Ses images ne s'ouvrent plus ; elles seront détruites à leur échéance."
            ),
            Disagreement::DiskMissing { root, reels } => format!(
                "Un disque du stockage{} manque, avec {reels} bobine(s) que rien ne peut vérifier. Remontez-le ; s'il est perdu, `vigie catalog rebuild --accept-loss`.",
                root.map_or(String::new(), |root| format!(" (n° {root})"))
            ),
        }
    }

    /// The same in English.
    pub fn text_en(&self) -> String {
        match self {
            Disagreement::NoRow { reel, hour } => {
                format!("Reel {reel} ({hour}) is in the store and not in the catalog. Run `vigie catalog rebuild`.")
            }
            Disagreement::NoBytes { reel, hour } => format!(
                "The catalog names reel {reel} ({hour}), which the store has not. Run `vigie catalog rebuild`; this footage is lost unless another disk has it."
            ),
            Disagreement::RowDiffers { reel, hour, what } => format!(
                "The catalog says something else than reel {reel} ({hour}) itself ({what}). Run `vigie catalog rebuild`."
            ),
            Disagreement::Damaged { reel, slot, why } => format!(
                "{} is damaged in slot {slot} ({why}). Check the disk (`smartctl`); other reels are not touched.",
                reel.map_or("A reel".into(), |reel| format!("Reel {reel}"))
            ),
            Disagreement::NotInLedger { reel, hour } => format!(
                "Reel {reel} ({hour}) is not entered in the ledger. Keep the disk as it is and find out who put it there."
            ),
            Disagreement::NotInStore { reel, hour } => format!(
                "The ledger has entered reel {reel} ({hour}), which the store has no more. Check that the right disk is mounted; else this footage is lost."
            ),
            Disagreement::OtherRoot { reel, hour } => format!(
                "Reel {reel} ({hour}) is not the one that the ledger has entered: its root differs. Keep the disk as it is, this footage proves nothing."
            ),
            Disagreement::LedgerDiffers { reel, hour } => format!(
                "The ledger and reel {reel} ({hour}) do not say the same hour or deadline. Keep the disk as it is."
            ),
            Disagreement::NoMint { reel, hour } => format!(
                "The ledger has made no key for the hour {hour} of reel {reel}. Keep the disk as it is and find out where it comes from."
            ),
            Disagreement::OtherDeadline { reel, hour, deadline } => format!(
                "Reel {reel} ({hour}) states a deadline ({deadline}) that the ledger has never entered. Keep the disk as it is."
            ),
            Disagreement::NoKey { reel: Some(reel), hour, camera } => format!(
                "The catalog gives reel {reel} ({hour}) footage of camera {camera}, of which the keyring has no key. Run `vigie catalog rebuild`."
            ),
            Disagreement::NoKey { reel: None, hour, camera } => format!(
                "The ledger has made a key of camera {camera} for {hour}, which the keyring has not. An old keyring may have been put back: this footage opens no more."
            ),
            Disagreement::KeyOfDestroyed { hour, camera } => format!(
                "The keyring still has a key of camera {camera} for {hour} that is entered as destroyed. Restart Vigie: it will be destroyed; find out who put it back."
            ),
            Disagreement::KeyNeverMinted { hour, camera } => format!(
                "The keyring has a key of camera {camera} for {hour} that the ledger has never made. Keyring and ledger are not of one site or one day."
            ),
            Disagreement::KeyDeadlineDiffers { hour, camera, keyring, ledger } => format!(
                "The deadline of camera {camera} for {hour} is {keyring} in the keyring and {ledger} in the ledger. An old keyring may have been put back."
            ),
            Disagreement::PageDamaged { hour } => format!(
                "The key page of {hour} is readable in no copy of the keyring. Its footage opens no more; it will be destroyed on its day."
            ),
            Disagreement::DiskMissing { root, reels } => format!(
                "A disk of the store{} is missing, with {reels} reel(s) that nothing can verify. Mount it again; if it is lost, `vigie catalog rebuild --accept-loss`.",
                root.map_or(String::new(), |root| format!(" (no. {root})"))
            ),
        }
    }
}

fn field_fr(what: &str) -> &str {
    match what {
        "state" => "état",
        "hour" => "heure",
        "deadline" => "échéance",
        "root" => "racine",
        "place" => "emplacement",
        "bytes" => "octets",
        other => other,
    }
}
