//! Links by which sealed packages are fetched, as web asks and the keeper answers.

use domain::{ExportId, LinkCode, LinkEnd, LinkId, LinkStep, LinkToken, LinkTry, Sensitive, UtcMicros};
use serde::{Deserialize, Serialize};
use vault::keeper::SessionSecret;

/// Asked by web: by the session of who asks, or with what a stranger brought.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum LinkQuestion {
    Make(Box<LinkAsk>),
    /// By hand, by who made it.
    Revoke {
        session: SessionSecret,
        link: LinkId,
    },
    /// The town's copy of this package is about to go, or to be made anew: its link goes first.
    EndOf {
        session: SessionSecret,
        export: ExportId,
    },
    /// A stranger's.
    Try(LinkTry),
    /// A fetch is over: its last byte was given to the recipient's connection, or it broke off.
    Over {
        link: LinkId,
        nth: u8,
        is_whole: bool,
    },
}

impl LinkQuestion {
    /// Of who asks, where somebody of the town does.
    pub fn session(&self) -> Option<&SessionSecret> {
        match self {
            LinkQuestion::Make(ask) => Some(&ask.session),
            LinkQuestion::Revoke { session, .. } | LinkQuestion::EndOf { session, .. } => Some(session),
            LinkQuestion::Try(_) | LinkQuestion::Over { .. } => None,
        }
    }
}

/// Which package, for whom, how long and how often.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LinkAsk {
    pub session: SessionSecret,
    pub export: ExportId,
    /// To whom the link goes.
    pub recipient: Sensitive<String>,
    /// It ends with the town's copy at the latest.
    pub seconds: i64,
    pub downloads: u8,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum LinkAnswer {
    /// Token and code are told here only.
    Made {
        view: Box<LinkView>,
        token: LinkToken,
        code: LinkCode,
    },
    /// Another link to this package lives, or it had as many as it may.
    Lives,
    /// No such package of theirs is made, or no such link.
    Unknown,
    Done,
    /// Whatever the reason: a stranger is told no more.
    No,
    /// Entered: its bytes may leave.
    Fetch {
        link: LinkId,
        nth: u8,
        export: ExportId,
    },
}

/// A link as it stands, and all that happened at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkView {
    pub link: LinkId,
    /// Number of the entry by which it was made.
    pub leaf: u64,
    pub made: UtcMicros,
    pub who: Sensitive<String>,
    pub recipient: Sensitive<String>,
    pub until: UtcMicros,
    pub downloads: u8,
    /// None: it lives.
    pub over: Option<LinkEnd>,
    pub steps: Vec<(UtcMicros, LinkStep)>,
}
