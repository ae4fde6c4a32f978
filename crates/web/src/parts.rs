//! The parts of a picture stream on their way from where they are made to the browser, with back-pressure.

use crate::{
    packer::Head,
    permits::InUse,
    problem::{self, Problem},
};
use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, header},
    response::Response,
};
use bytes::Bytes;
use futures::stream;
use std::io;
use tokio::sync::mpsc;

/// Parts that wait for the browser; beyond it the maker waits (replay) or the recorder lets the viewer jump (live).
pub const PARTS_WAITING_MAX: usize = 4;

#[derive(Clone, Debug)]
pub enum Part {
    /// First, when the first group of pictures has started.
    Head(Head),
    Bytes(Bytes),
    /// Last; without a problem where the stream came to its end.
    End(Option<Problem>),
}

/// Hands parts on; the permit ends it.
pub struct PartSender<'a> {
    pub to: &'a mpsc::Sender<Part>,
    pub using: &'a InUse,
}

/// Nobody reads any more, or the permit ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Stopped;

impl PartSender<'_> {
    pub async fn send(&self, part: Part) -> Result<(), Stopped> {
        tokio::select! {
            sent = self.to.send(part) => sent.map_err(|_| Stopped),
            () = self.using.ended() => Err(Stopped),
        }
    }
}

/// The answer: headers when the head is known, then bytes as they come. A failure later breaks the connection off, so that
/// nobody takes half of a span for all of it.
pub async fn answer(mut parts: mpsc::Receiver<Part>, origin: HeaderName) -> Result<Response, Problem> {
    let head = match parts.recv().await {
        Some(Part::Head(head)) => head,
        Some(Part::End(Some(problem))) => return Err(problem),
        Some(Part::End(None)) => return Err((&problem::NO_FOOTAGE).into()),
        Some(Part::Bytes(_)) | None => return Err((&problem::PERMIT_ENDED).into()),
    };
    let content_type = HeaderValue::from_str(&head.content_type).map_err(|_| Problem::from(&problem::CODEC))?;
    let start = HeaderValue::from_str(&head.start.to_string()).map_err(|_| Problem::from(&problem::FAILED))?;
    let body = stream::unfold(Some(parts), async |parts| {
        let mut parts = parts?;
        match parts.recv().await {
            Some(Part::Bytes(bytes)) => Some((Ok(bytes), Some(parts))),
            Some(Part::End(None)) => None,
            Some(Part::Head(_) | Part::End(Some(_))) | None => {
                Some((Err(io::Error::other("the stream broke off")), None))
            }
        }
    });
    let mut response = Response::new(Body::from_stream(body));
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response.headers_mut().insert(origin, start);
    Ok(response)
}
