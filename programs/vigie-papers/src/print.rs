//! From a paper to its PDF: the template of its kind, its values beside, PDF/A-3b and PDF/UA-1 at once.

use crate::{coding, instants, text, values, world::PaperWorld};
use documents::{Paper, Says, Sha256};
use jiff::Timestamp;
use typst::{
    World, WorldExt,
    diag::SourceDiagnostic,
    foundations::{Bytes, Dict, IntoValue, Smart},
};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards};

/// Why a paper cannot be printed. A fault of a template, named by its line: what Typst says of it may quote the paper.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    #[error("the paper cannot be written as JSON: a date lies outside the calendar")]
    Json,
    #[error("the template `{kind}` does not print this paper (line {line}): report it with the program's version")]
    Template {
        kind: &'static str,
        line: usize,
        /// For tests only.
        #[cfg(test)]
        words: String,
    },
    #[error("PDF/A-3b and PDF/UA-1 exclude each other in this build: take a released program")]
    Standards,
}

/// The standards are two: a paper is kept for years, and read by whoever reads by ear.
const STANDARDS: [PdfStandard; 2] = [PdfStandard::A_3b, PdfStandard::Ua_1];

/// Of the town's name and of the reference in the head of further pages: both fit its line.
const HEAD_LETTERS_MAX: usize = 32;

pub fn pdf(paper: &Paper) -> Result<Vec<u8>, PrintError> {
    let json = serde_json::to_value(paper).map_err(|_| PrintError::Json)?;
    let mut inputs = Dict::new();
    inputs.insert("says".into(), values::value(&json["says"][paper.says.kind()], paper.language));
    inputs.insert("town".into(), text::shortened(&paper.town.name, HEAD_LETTERS_MAX).into_value());
    inputs.insert("reference".into(), text::shortened(&paper.reference, HEAD_LETTERS_MAX).into_value());
    if let Some(digest) = coded(&paper.says) {
        inputs.insert("qr".into(), Bytes::from_string(coding::svg(digest)).into_value());
    }
    inputs.insert("paper".into(), values::value(&json, paper.language));
    let world = PaperWorld::new(paper.says.kind(), inputs);
    let document = typst::compile::<PagedDocument>(&world).output;
    let document = document.map_err(|errors| template(paper, &world, &errors))?;
    let made = Timestamp::from_microsecond(paper.made.0.0).ok().and_then(instants::datetime);
    let options = PdfOptions {
        ident: Smart::Custom(json.to_string()),
        creator: Smart::Custom(Some("Vigie".into())),
        timestamp: made.map(typst_pdf::Timestamp::new_utc),
        standards: PdfStandards::new(&STANDARDS).map_err(|_| PrintError::Standards)?,
        ..PdfOptions::default()
    };
    typst_pdf::pdf(&document, &options).map_err(|errors| template(paper, &world, &errors))
}

/// The digest that is shown as a QR code.
fn coded(says: &Says) -> Option<&Sha256> {
    match says {
        Says::Delivery(delivery) => Some(&delivery.package.sha256),
        Says::Constat(constat) => Some(&constat.sha256),
        Says::Report(report) => Some(&report.list),
        _ => None,
    }
}

fn template(paper: &Paper, world: &PaperWorld, errors: &[SourceDiagnostic]) -> PrintError {
    let first = errors.first();
    let line = first.and_then(|error| {
        let source = world.source(error.span.id()?).ok()?;
        source.lines().byte_to_line(world.range(error.span)?.start)
    });
    PrintError::Template {
        kind: paper.says.kind(),
        line: line.map_or(0, |line| line + 1),
        #[cfg(test)]
        words: errors.iter().map(|error| error.message.to_string()).collect::<Vec<_>>().join("; "),
    }
}
