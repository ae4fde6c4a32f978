//! Exports as JSON.

use super::{
    copies::Copying,
    packages::{Packages, Stage},
    stamp::Stamping,
};
use crate::{
    extract::instant,
    links::LinkLine,
    problem::{self, Problem},
};
use domain::Span;
use keeper::wire::exports::ExportView;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Pictures of one camera and time.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Window {
    camera: String,
    /// ISO 8601.
    from: String,
    /// ISO 8601, exclusive.
    to: String,
}

/// An export as it stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct Export {
    id: String,
    /// Who is signed in opened it: nobody else makes its package or takes it.
    is_own: bool,
    /// Number of its entry in the ledger.
    entry: u64,
    opened: String,
    /// Until then its package can be made and taken down; then it is deleted.
    until: String,
    windows: Vec<Window>,
    /// SHA-256 of the manifest that the ledger names, in hexadecimal; null: no package was finished yet.
    manifest: Option<String>,
    state: ExportState,
    /// While pictures are written: the window's number from 1.
    window: Option<u32>,
    /// Of 1000, of that window.
    share: Option<u32>,
    /// Of the sealed file.
    bytes: Option<u64>,
    sha256: Option<String>,
    /// What came of its timestamp, where the town has chosen an authority; null too where web started since.
    timestamp: Option<Stamping>,
    /// What came of viewing copies, where it has pictures in H.265, which many browsers cannot play; null too where web started since.
    viewing_copies: Option<Copying>,
    /// It is whole, and has no printed report: `vigie-papers` is not installed, or did not print it.
    is_without_report: bool,
    /// By which it may be fetched, or was, the oldest first.
    links: Vec<LinkLine>,
    /// Why no package came of it.
    problem_fr: Option<&'static str>,
    problem_en: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExportState {
    /// Allowed; nothing is made, or what was made is deleted.
    Open,
    Pictures,
    /// The last pictures are still being closed, which takes a minute at most.
    Reels,
    /// Viewing copies are being made, within five minutes.
    Copies,
    /// Everything is written but the log's word, which comes within a minute.
    Log,
    /// The authority of timestamps is asked, within a minute.
    Timestamp,
    Ready,
    Cancelled,
    Failed,
}

impl Window {
    pub fn of(window: &domain::Window) -> Window {
        let span = window.span;
        Window { camera: window.camera.to_string(), from: span.from().to_string(), to: span.to().to_string() }
    }

    pub fn read(&self) -> Result<domain::Window, Problem> {
        let malformed = || Problem::from(&problem::MALFORMED);
        let camera = self.camera.parse().map_err(|_| malformed())?;
        let span = Span::new(instant(&self.from)?, instant(&self.to)?).map_err(|_| malformed())?;
        Ok(domain::Window { camera, span })
    }
}

impl Export {
    pub fn of(view: &ExportView, packages: &Packages) -> Export {
        let stage = packages.stage(view.export);
        let mut export = Export {
            id: view.export.to_string(),
            is_own: view.is_own,
            entry: view.leaf,
            opened: view.opened.to_string(),
            until: view.until.to_string(),
            windows: view.windows.iter().map(Window::of).collect(),
            manifest: view.manifest.map(|digest| digest.to_string()),
            state: ExportState::Open,
            window: None,
            share: None,
            bytes: None,
            sha256: None,
            timestamp: None,
            viewing_copies: packages.copies_of(view.export),
            is_without_report: packages.is_without_report(view.export),
            links: view.links.iter().cloned().map(LinkLine::of).collect(),
            problem_fr: None,
            problem_en: None,
        };
        match stage {
            Stage::None => {}
            Stage::Pictures { window, share } => {
                export.state = ExportState::Pictures;
                (export.window, export.share) = (Some(window + 1), Some(share));
            }
            Stage::Reels => export.state = ExportState::Reels,
            Stage::Copies => export.state = ExportState::Copies,
            Stage::Log => export.state = ExportState::Log,
            Stage::Timestamp => export.state = ExportState::Timestamp,
            Stage::Ready { bytes, sha256, timestamp } => {
                (export.state, export.timestamp) = (ExportState::Ready, timestamp);
                (export.bytes, export.sha256) = (Some(bytes), sha256.map(|digest| digest.to_string()));
            }
            Stage::Cancelled => export.state = ExportState::Cancelled,
            Stage::Failed(text) => {
                export.state = ExportState::Failed;
                (export.problem_fr, export.problem_en) = (Some(text.detail[0]), Some(text.detail[1]));
            }
        }
        export
    }
}
