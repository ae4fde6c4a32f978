//! Asking one witness (C2SP tlog-witness): where it stands, and for its cosignature.

use crate::{folder::LogFolder, state::WitnessTrouble};
use domain::limit::WITNESS_ANSWER_SECONDS_MAX;
use ledger::{
    AddCheckpoint, Checkpoint, Cosignature, Published, WitnessKey, cosignature::with_lines, tile::PublicTile, witness,
};
use std::time::Duration;

/// Cosignatures of one witness, or a size.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// An answer over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// Posts a body; an error is the reason why there is no answer.
pub type Post<'a> = &'a (dyn Fn(&str, &[u8]) -> Result<HttpAnswer, String> + Sync);

/// The client for [`ask`]: bounded patience, no redirection.
pub fn https_agent() -> ureq::Agent {
    https::agent(Duration::from_secs(WITNESS_ANSWER_SECONDS_MAX), 0)
}

pub(crate) fn post(agent: &ureq::Agent, url: &str, body: &[u8]) -> Result<HttpAnswer, String> {
    let mut answer = agent.post(url).content_type("text/plain").send(body).map_err(|error| error.to_string())?;
    let status = answer.status().as_u16();
    let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
    Ok(HttpAnswer { status, body: body.map_err(|error| error.to_string())? })
}

/// Asks a witness to cosign: 1 from the size that it signed last, as far as we know · 2 where it says that it stands
/// elsewhere, once more from there. Returns the signature line that verified.
pub fn ask(
    post: Post<'_>,
    (url, key): (&str, &WitnessKey),
    log: &LogFolder,
    (note, new): (&[u8], Checkpoint),
    known_size: u64,
) -> Result<(String, Cosignature), WitnessTrouble> {
    let url = format!("{}/add-checkpoint", url.trim_end_matches('/'));
    let mut old = known_size.min(new.size);
    for last_attempt in [false, true] {
        let request = AddCheckpoint { old, proof: proof(log, new, old)?, note: note.to_vec() };
        let answer = post(&url, &request.to_bytes()).map_err(|detail| WitnessTrouble::Unreachable { detail })?;
        match answer.status {
            200 => return cosignature(key, note, &answer.body).ok_or(WitnessTrouble::NotCosigned),
            409 => {
                let stands = std::str::from_utf8(&answer.body).ok().and_then(|body| witness::size(body.trim_end()));
                match stands {
                    Some(size) if size > new.size => return Err(WitnessTrouble::Ahead { size }),
                    Some(size) if size == old => return Err(WitnessTrouble::Forked { size }),
                    Some(size) if !last_attempt => old = size,
                    _ => return Err(WitnessTrouble::Answered { status: 409 }),
                }
            }
            404 => return Err(WitnessTrouble::UnknownLog),
            // litewitness answers so where another tree of the same size is told 409 by others
            422 if old == new.size => return Err(WitnessTrouble::Forked { size: old }),
            422 => return Err(WitnessTrouble::NotGrown),
            status => return Err(WitnessTrouble::Answered { status }),
        }
    }
    Err(WitnessTrouble::Answered { status: 409 })
}

fn proof(log: &LogFolder, new: Checkpoint, old: u64) -> Result<Vec<ledger::Digest>, WitnessTrouble> {
    if old == 0 || old == new.size {
        return Ok(Vec::new());
    }
    let files = |tile: PublicTile| log.tile(tile);
    let proof = Published::new(new, &files).prove_growth(old);
    proof.map_err(|error| WitnessTrouble::Files { detail: error.to_string() })
}

/// The line of the answer that is this witness's cosignature on the note; lines of other keys are not taken.
fn cosignature(key: &WitnessKey, note: &[u8], answer: &[u8]) -> Option<(String, Cosignature)> {
    let lines = std::str::from_utf8(answer).ok()?.split_inclusive('\n').take(16);
    lines
        .filter(|line| line.starts_with('—') && line.ends_with('\n'))
        .find_map(|line| Some((line.to_owned(), key.verify(&with_lines(note, &[line.to_owned()]))?)))
}
