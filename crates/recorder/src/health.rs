//! How each camera is doing, and why there is a gap: what the console, `vigie status` and the gap records say.

use domain::{Codec, StreamId, UtcMicros};
use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Why nothing of a stream is held for a while (R12). Kept in reels: a variant's meaning never changes.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapCause {
    /// No TCP connection: off, cut, wrong host or port, name not resolved.
    Unreachable,
    /// User or password refused, or asked for and not given.
    WrongPassword,
    /// The camera knows no stream at that address.
    NotFound,
    /// No stream in a codec that is recorded; `what` is offered instead.
    UnsupportedCodec { what: String },
    /// Something answers that does not speak RTSP.
    NotRtsp,
    /// Connected, but no picture for five seconds.
    Silent,
    /// The camera ended the session.
    Closed,
    /// An answer or a packet that the standards do not allow.
    Protocol,
    /// The camera's media clock jumped (R9): the next session has a new anchor.
    ClockJump,
    /// More came than may come (R12), or than storage took.
    Overload,
    /// Another device answers than the one that was confirmed (R13).
    WrongDevice,
    /// No key to seal with (P6).
    KeeperAway,
    /// Recording was stopped on purpose.
    Stopped,
    /// A picture above 8 MiB (R1); its group was skipped.
    PictureTooLarge,
    /// The recorder itself did not run.
    RecorderDown,
    /// What was received could not be made durable.
    DiskFailed,
    /// Pictures come, but none with which decoding can begin.
    NoKeyPicture,
    /// An hour begins without a key picture (R8): its first pictures decode only while the hour before lives.
    HeadOfHour,
    /// There was no space for what was received.
    DiskFull,
    /// A paper without which it may not record does not hold (CSI L252-1, L252-4).
    NotAuthorised,
    /// It was held, and lost with its disk: somebody said so (decision 0059).
    DiskLost,
}

impl GapCause {
    /// A short word for metrics and tables; never localised.
    pub const fn code(&self) -> &'static str {
        match self {
            GapCause::Unreachable => "unreachable",
            GapCause::WrongPassword => "wrong-password",
            GapCause::NotFound => "not-found",
            GapCause::UnsupportedCodec { .. } => "unsupported-codec",
            GapCause::NotRtsp => "not-rtsp",
            GapCause::Silent => "silent",
            GapCause::Closed => "closed",
            GapCause::Protocol => "protocol",
            GapCause::ClockJump => "clock-jump",
            GapCause::Overload => "overload",
            GapCause::WrongDevice => "wrong-device",
            GapCause::KeeperAway => "keeper-away",
            GapCause::Stopped => "stopped",
            GapCause::PictureTooLarge => "picture-too-large",
            GapCause::RecorderDown => "recorder-down",
            GapCause::DiskFailed => "disk-failed",
            GapCause::NoKeyPicture => "no-key-picture",
            GapCause::HeadOfHour => "head-of-hour",
            GapCause::DiskFull => "disk-full",
            GapCause::NotAuthorised => "not-authorised",
            GapCause::DiskLost => vault::rebuild::DISK_LOST,
        }
    }

    /// What belongs to the cause, beside its word.
    pub fn detail(&self) -> &str {
        match self {
            GapCause::UnsupportedCodec { what } => what,
            _ => "",
        }
    }

    /// As the catalog keeps it: the word, and the detail behind a space.
    pub fn text(&self) -> String {
        format!("{} {}", self.code(), self.detail()).trim_end().to_owned()
    }

    /// The cause of such a text; `None` for a word of a later version.
    pub fn from_text(text: &str) -> Option<GapCause> {
        let (code, detail) = text.split_once(' ').unwrap_or((text, ""));
        if code == "unsupported-codec" {
            return Some(GapCause::UnsupportedCodec { what: detail.to_owned() });
        }
        serde_json::from_value(serde_json::Value::String(code.to_owned())).ok()
    }

    /// What happened, in French: one sentence. It stays true of a gap that is over.
    pub fn situation_fr(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            GapCause::Unreachable => "La caméra ne répond pas.",
            GapCause::WrongPassword => "La caméra refuse le nom ou le mot de passe.",
            GapCause::NotFound => "La caméra ne connaît pas ce flux.",
            GapCause::UnsupportedCodec { what } => {
                return Cow::Owned(format!("La caméra n'offre ni H.264 ni H.265 (elle offre : {what})."));
            }
            GapCause::NotRtsp => "Ce qui répond à cette adresse ne parle pas RTSP.",
            GapCause::Silent => "La caméra est connectée mais n'envoie plus d'image.",
            GapCause::Closed => "La caméra a fermé la session.",
            GapCause::Protocol => "La caméra envoie des données contraires aux normes.",
            GapCause::ClockJump => "L'horloge des images de la caméra a sauté.",
            GapCause::Overload => "La caméra envoie plus que ce qui peut être enregistré.",
            GapCause::WrongDevice => "Un autre appareil répond à la place de cette caméra.",
            GapCause::KeeperAway => "Le gardien des clés est absent : rien ne peut être scellé.",
            GapCause::Stopped => "L'enregistrement a été arrêté volontairement.",
            GapCause::PictureTooLarge => "Une image dépassait 8 Mio et n'a pas été gardée.",
            GapCause::RecorderDown => "L'enregistreur ne fonctionnait pas.",
            GapCause::DiskFailed => "Ce qui a été reçu n'a pas pu être écrit.",
            GapCause::NoKeyPicture => "La caméra envoie des images, mais aucune image clé : rien ne peut être relu.",
            GapCause::HeadOfHour => {
                "L'heure a commencé sans image clé : son début ne se relit que tant que l'heure précédente est conservée."
            }
            GapCause::DiskFull => "Le stockage était plein : rien de plus n'a pu être gardé.",
            GapCause::NotAuthorised => "Un acte sans lequel cette caméra ne peut enregistrer n'était pas en vigueur.",
            GapCause::DiskLost => "Les images avaient été enregistrées et ont été perdues avec leur disque.",
        })
    }

    /// What happened, in English.
    pub fn situation_en(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            GapCause::Unreachable => "The camera does not answer.",
            GapCause::WrongPassword => "The camera refuses the user or the password.",
            GapCause::NotFound => "The camera knows no such stream.",
            GapCause::UnsupportedCodec { what } => {
                return Cow::Owned(format!("The camera offers neither H.264 nor H.265 (it offers: {what})."));
            }
            GapCause::NotRtsp => "What answers at this address does not speak RTSP.",
            GapCause::Silent => "The camera is connected but sends no more pictures.",
            GapCause::Closed => "The camera closed the session.",
            GapCause::Protocol => "The camera sends data against the standards.",
            GapCause::ClockJump => "The clock of the camera's pictures jumped.",
            GapCause::Overload => "The camera sends more than can be recorded.",
            GapCause::WrongDevice => "Another device answers in this camera's place.",
            GapCause::KeeperAway => "The keeper of the keys is away: nothing can be sealed.",
            GapCause::Stopped => "Recording was stopped on purpose.",
            GapCause::PictureTooLarge => "A picture exceeded 8 MiB and was not kept.",
            GapCause::RecorderDown => "The recorder did not run.",
            GapCause::DiskFailed => "What was received could not be written.",
            GapCause::NoKeyPicture => "The camera sends pictures but no key picture: nothing can be replayed.",
            GapCause::HeadOfHour => {
                "The hour began without a key picture: its beginning replays only while the hour before is kept."
            }
            GapCause::DiskFull => "The store was full: nothing more could be kept.",
            GapCause::NotAuthorised => "An act without which this camera may not record was not in force.",
            GapCause::DiskLost => "Pictures were recorded and were lost with their disk.",
        })
    }

    /// What to do, in French: an order that only makes sense while the gap lasts.
    pub const fn remedy_fr(&self) -> &'static str {
        match self {
            GapCause::Unreachable => "Vérifiez son alimentation, le réseau, l'adresse et le port.",
            GapCause::WrongPassword => "Saisissez-les à nouveau ; trop d'essais peuvent la verrouiller une demi-heure.",
            GapCause::NotFound => "Vérifiez le chemin de l'adresse dans sa documentation.",
            GapCause::UnsupportedCodec { .. } => "Réglez son flux principal sur l'un des deux.",
            GapCause::NotRtsp => "Vérifiez le port (554 d'ordinaire, non 80 ni 443).",
            GapCause::Silent => "Vérifiez sa charge et le réseau ; redémarrez-la si cela dure.",
            GapCause::Closed => "Vérifiez le nombre de clients qu'elle admet ; redémarrez-la si cela se répète.",
            GapCause::Protocol => "Mettez à jour son micrologiciel, puis signalez le modèle.",
            GapCause::ClockJump => "Réglez sa mise à l'heure (NTP) ; l'enregistrement a repris.",
            GapCause::Overload => "Limitez son débit à 8 Mbit/s, et vérifiez le disque.",
            GapCause::WrongDevice => "S'il a été remplacé, confirmez-le ; sinon, cherchez qui l'a branché.",
            GapCause::KeeperAway => "Redémarrez le service du gardien.",
            GapCause::Stopped => "Redémarrez-le pour reprendre.",
            GapCause::PictureTooLarge => "Réduisez la définition ou la qualité de la caméra.",
            GapCause::RecorderDown => "Le journal de la machine dit pourquoi : arrêt, panne ou redémarrage.",
            GapCause::DiskFailed => "Vérifiez le disque et la place libre (« vigie status »).",
            GapCause::NoKeyPicture => "Réglez son intervalle d'images clés sur 1 à 4 secondes.",
            GapCause::HeadOfHour => "Réglez l'intervalle d'images clés de la caméra sur 1 à 4 secondes.",
            GapCause::DiskFull => "Ajoutez de la place ; l'enregistrement reprend seul.",
            GapCause::NotAuthorised => "« vigie status » dit quel acte manque et quoi faire.",
            GapCause::DiskLost => "Si ce disque est retrouvé, remontez-le : ses images reviennent.",
        }
    }

    /// What to do, in English.
    pub const fn remedy_en(&self) -> &'static str {
        match self {
            GapCause::Unreachable => "Check its power, the network, the address and the port.",
            GapCause::WrongPassword => "Enter them again; too many attempts may lock it for half an hour.",
            GapCause::NotFound => "Check the path of the address in its documentation.",
            GapCause::UnsupportedCodec { .. } => "Set its main stream to one of them.",
            GapCause::NotRtsp => "Check the port (usually 554, not 80 or 443).",
            GapCause::Silent => "Check its load and the network; restart it if this lasts.",
            GapCause::Closed => "Check how many clients it allows; restart it if this repeats.",
            GapCause::Protocol => "Update its firmware, then report the model.",
            GapCause::ClockJump => "Set up its time (NTP); recording has resumed.",
            GapCause::Overload => "Limit its bit rate to 8 Mbit/s, and check the disk.",
            GapCause::WrongDevice => "If it was replaced, confirm it; otherwise find out who plugged it in.",
            GapCause::KeeperAway => "Restart the keeper's service.",
            GapCause::Stopped => "Start it again to resume.",
            GapCause::PictureTooLarge => "Lower the camera's resolution or quality.",
            GapCause::RecorderDown => "The machine's log says why: a stop, a failure or a restart.",
            GapCause::DiskFailed => "Check the disk and its free space (`vigie status`).",
            GapCause::NoKeyPicture => "Set its key picture interval to 1 to 4 seconds.",
            GapCause::HeadOfHour => "Set the camera's key picture interval to 1 to 4 seconds.",
            GapCause::DiskFull => "Add space; recording goes on by itself.",
            GapCause::NotAuthorised => "`vigie status` says which act is missing and what to do.",
            GapCause::DiskLost => "If that disk is found, mount it again: its footage comes back.",
        }
    }

    /// What happens and what to do, in French: for what lasts.
    pub fn text_fr(&self) -> String {
        format!("{} {}", self.situation_fr(), self.remedy_fr())
    }

    /// What happens and what to do, in English.
    pub fn text_en(&self) -> String {
        format!("{} {}", self.situation_en(), self.remedy_en())
    }
}

/// A gap begins or ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GapEvent {
    /// Begins: the last instant of which something is held (now, if nothing was). Ends: the first picture again.
    pub at: UtcMicros,
    pub cause: GapCause,
    pub opened: bool,
}

/// What a camera's session is at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CameraState {
    Connecting,
    Recording,
    /// Not recording: waits before the next attempt; the cause says why.
    Waiting,
    Stopped,
}

/// One camera's health as of the last tick.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CameraHealth {
    pub stream: StreamId,
    pub name: String,
    pub state: CameraState,
    /// When that state began.
    pub since: UtcMicros,
    /// Why there is a gap now.
    pub cause: Option<GapCause>,
    pub codec: Option<Codec>,
    /// Pixels after cropping.
    pub width: u16,
    pub height: u16,
    /// Pictures and bytes handed on since the camera was added.
    pub frames: u64,
    pub bytes: u64,
    /// Pictures that nothing could be made of: before the first group of a session, or in a skipped group.
    pub dropped: u64,
    /// RTP packets that the camera did not send or the depacketiser could not use.
    pub packets_lost: u64,
    /// Hours that began without a group start within ten seconds (R8).
    pub headless_hours: u64,
    /// Jumps of the clock of the pictures (R9).
    pub clock_jumps: u64,
    /// Sessions begun.
    pub sessions: u64,
    pub last_frame: Option<UtcMicros>,
    /// Pictures a second over the last seconds.
    pub fps: f32,
    /// Pictures in a thousand seconds that were kept, over half a minute at least.
    pub kept_millihertz: Option<u32>,
    /// Camera's clock − recorder's trusted time, by the last RTCP sender report (R9).
    pub camera_clock_offset_micros: Option<i64>,
    /// When a sender report that said something new was last seen.
    pub camera_clock_heard: Option<UtcMicros>,
}

impl CameraHealth {
    pub fn new(stream: StreamId, name: &str, now: UtcMicros) -> CameraHealth {
        CameraHealth {
            stream,
            name: name.to_owned(),
            state: CameraState::Connecting,
            since: now,
            cause: None,
            codec: None,
            width: 0,
            height: 0,
            frames: 0,
            bytes: 0,
            dropped: 0,
            packets_lost: 0,
            headless_hours: 0,
            clock_jumps: 0,
            sessions: 0,
            last_frame: None,
            fps: 0.0,
            kept_millihertz: None,
            camera_clock_offset_micros: None,
            camera_clock_heard: None,
        }
    }
}

/// Where the ingest thread writes and all others read.
#[derive(Clone, Default)]
pub struct HealthBoard(Arc<Mutex<BTreeMap<StreamId, CameraHealth>>>);

impl HealthBoard {
    /// All streams, in the order of their identities.
    pub fn snapshot(&self) -> Vec<CameraHealth> {
        self.lock().values().cloned().collect()
    }
    pub fn of(&self, stream: StreamId) -> Option<CameraHealth> {
        self.lock().get(&stream).cloned()
    }
    pub(crate) fn publish<'a>(&self, healths: impl Iterator<Item = &'a CameraHealth>) {
        let mut board = self.lock();
        for health in healths {
            board.insert(health.stream, health.clone());
        }
    }
    pub(crate) fn forget(&self, stream: StreamId) {
        self.lock().remove(&stream);
    }
    fn lock(&self) -> MutexGuard<'_, BTreeMap<StreamId, CameraHealth>> {
        // A reader that panicked leaves whole values behind: they are replaced, never changed in place.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_crosses_our_sockets_unchanged() {
        let stream = StreamId::main(domain::CameraId([1; 16]));
        let mut health = CameraHealth::new(stream, "Gare", UtcMicros(1));
        health.cause = Some(GapCause::UnsupportedCodec { what: "JPEG".into() });
        let bytes = postcard::to_stdvec(&health).unwrap();
        assert_eq!(postcard::from_bytes(&bytes), Ok(health));
    }

    #[test]
    fn each_cause_says_what_happened_and_what_to_do_in_both_languages() {
        let causes = [
            GapCause::Unreachable,
            GapCause::WrongPassword,
            GapCause::NotFound,
            GapCause::UnsupportedCodec { what: "JPEG".into() },
            GapCause::NotRtsp,
            GapCause::Silent,
            GapCause::Closed,
            GapCause::Protocol,
            GapCause::ClockJump,
            GapCause::Overload,
            GapCause::WrongDevice,
            GapCause::KeeperAway,
            GapCause::Stopped,
            GapCause::PictureTooLarge,
            GapCause::RecorderDown,
            GapCause::DiskFailed,
            GapCause::NoKeyPicture,
            GapCause::HeadOfHour,
            GapCause::DiskFull,
            GapCause::NotAuthorised,
            GapCause::DiskLost,
        ];
        let mut seen = std::collections::BTreeSet::new();
        for cause in causes {
            let (fr, en) = (cause.situation_fr(), cause.situation_en());
            for (situation, remedy) in [(fr, cause.remedy_fr()), (en, cause.remedy_en())] {
                for sentence in [&*situation, remedy] {
                    assert!(sentence.ends_with('.') && !sentence.contains(". "), "not one sentence: {sentence}");
                }
                assert!(seen.insert(situation.to_string()), "said twice: {situation}");
            }
            assert!(seen.insert(cause.code().to_owned()));
            assert_eq!(GapCause::from_text(&cause.text()), Some(cause));
        }
    }
}
