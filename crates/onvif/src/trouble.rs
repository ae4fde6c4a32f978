//! Why a device's streams were not found, with the remedy, in both languages.

/// A situation, as the operator meets it. None repeats an address, a name or a password.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Trouble {
    #[error(
        "nothing answers there over HTTP: is ONVIF at another port (80, 8000, 8080, 8899)? `onvif://HOST:PORT` names it"
    )]
    Unreachable,
    #[error(
        "what answers there is no ONVIF device: turn ONVIF on in the camera's own pages, or give its `rtsp://` address"
    )]
    NotOnvif,
    #[error(
        "the camera refuses this user for ONVIF: many keep ONVIF users apart from others; make one that may see media, \
         in the camera's own pages"
    )]
    Refused,
    #[error("the camera would take the password over HTTP in clear only (Basic): give its `rtsp://` address instead")]
    ClearPassword,
    #[error("the camera answers this with an error of its own ({code}): give its `rtsp://` address")]
    Fault { code: String },
    #[error("the camera names no stream in H.264 or H.265: set its main stream to one of them")]
    NoStream,
    #[error("the device has several lenses: each is a camera of its own; `vigie camera find` shows their addresses")]
    Lenses,
}

impl Trouble {
    /// The same in French.
    pub fn text_fr(&self) -> String {
        match self {
            Trouble::Unreachable => {
                "rien n'y répond en HTTP : l'ONVIF est-il à un autre port (80, 8000, 8080, 8899) ? `onvif://HÔTE:PORT` le désigne"
            }
            Trouble::NotOnvif => {
                "ce qui répond n'est pas un appareil ONVIF : activez l'ONVIF dans les pages de la caméra, ou donnez son adresse \
                 `rtsp://`"
            }
            Trouble::Refused => {
                "la caméra refuse cet utilisateur en ONVIF : beaucoup tiennent une liste à part ; créez-y, dans les pages de la \
                 caméra, un utilisateur qui peut voir les flux"
            }
            Trouble::ClearPassword => {
                "la caméra n'accepterait le mot de passe qu'en clair (HTTP Basic) : donnez plutôt son adresse `rtsp://`"
            }
            Trouble::Fault { code } => {
                return format!(
                    "la caméra répond par une erreur qui lui est propre ({code}) : donnez son adresse `rtsp://`"
                );
            }
            Trouble::NoStream => {
                "la caméra n'annonce aucun flux en H.264 ou H.265 : réglez son flux principal sur l'un des deux"
            }
            Trouble::Lenses => {
                "l'appareil a plusieurs objectifs : chacun est une caméra ; `vigie camera find` montre leurs adresses"
            }
        }
        .to_owned()
    }
}
