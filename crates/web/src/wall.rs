//! All cameras of a live permit in one answer: a browser opens six HTTP/1.1 connections to an address and no more.
//!
//! Records, big endian: length of the payload u32 · place of the camera in the permit's list u16 · kind u8 · 0 u8 · payload.
//! Kind 0: bytes of fragmented MP4 · 1: head, JSON `{content_type, start}`, a new stream of that camera begins ·
//! 2: end of that camera's stream, a JSON problem or nothing; it is begun again while the permit stands.

use crate::{
    extract::{Asked, Named, SignedIn},
    live::{must_be_live, watch},
    packer::Head,
    parts::{PARTS_WAITING_MAX, Part},
    permits::InUse,
    problem::{Problem, ProblemBody},
    server::Web,
    stream::WallQuery,
};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, header},
    response::Response,
};
use bytes::Bytes;
use domain::StreamId;
use futures::stream;
use serde_json::json;
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::sync::mpsc;
use vault::keeper::SessionSecret;

/// Version 1 of the records above.
pub const CONTENT_TYPE: &str = "application/vnd.vigie.wall";
/// A camera whose stream ended is tried again after this.
const AGAIN: Duration = Duration::from_secs(2);
const KIND_BYTES: u8 = 0;
const KIND_HEAD: u8 = 1;
const KIND_END: u8 = 2;

/// All cameras of a live permit in one answer
///
/// `application/vnd.vigie.wall`: records of an eight-byte header (length u32, place in the permit's list u16, kind u8, 0,
/// big endian) and a payload. Kinds: 0 fragmented MP4, 1 head as JSON `{content_type, start}`, 2 end of that camera's
/// stream (a problem as JSON, or nothing; `no-sub-stream` where one is wanted and not there).
#[utoipa::path(get, path = "/media/{permit}/live", tag = "media", security(("session" = [])),
    params(("permit" = String, Path, description = "of a live look"), WallQuery),
    responses(
        (status = 200, content_type = "application/vnd.vigie.wall", body = Vec<u8>),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)
    ))]
pub async fn get_wall(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named(permit): Named<String>,
    query: Result<Asked<WallQuery>, Problem>,
) -> Result<Response, Problem> {
    let using = Arc::new(web.permits.use_by(&permit, web.permits.owner(&session))?);
    must_be_live(&using)?;
    let streams = query?.0.streams(&using)?;
    let (to, records) = mpsc::channel(PARTS_WAITING_MAX * streams.len().max(1));
    for (place, of) in (0u16..).zip(streams) {
        let (web, using, to, session) = (web.clone(), using.clone(), to.clone(), session.clone());
        tokio::spawn(async move {
            let place = Place { number: place, stream: of, to };
            tokio::select! {
                () = place.fill(&web, &session, &using) => {}
                () = using.ended() => {}
                () = place.to.closed() => {}
            }
        });
    }
    let body =
        stream::unfold(records, async |mut records| Some((Ok::<Bytes, Infallible>(records.recv().await?), records)));
    let mut response = Response::new(Body::from_stream(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    Ok(response)
}

/// One camera of the wall.
struct Place {
    number: u16,
    stream: StreamId,
    to: mpsc::Sender<Bytes>,
}

impl Place {
    /// Streams the camera again and again; ends when nobody reads.
    async fn fill(&self, web: &Web, session: &SessionSecret, using: &InUse) {
        loop {
            let (to, mut parts) = mpsc::channel(PARTS_WAITING_MAX);
            let both = async {
                tokio::join!(
                    async {
                        watch(web, session, using, self.stream, &to).await;
                        drop(to)
                    },
                    self.pass(&mut parts)
                )
                .1
            };
            if both.await.is_err() {
                return;
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn pass(&self, parts: &mut mpsc::Receiver<Part>) -> Result<(), mpsc::error::SendError<Bytes>> {
        while let Some(part) = parts.recv().await {
            self.to.send(record(self.number, &part)).await?;
        }
        Ok(())
    }
}

fn record(place: u16, part: &Part) -> Bytes {
    let (kind, payload) = match part {
        Part::Bytes(bytes) => (KIND_BYTES, bytes.clone()),
        Part::Head(Head { content_type, start }) => {
            (KIND_HEAD, json!({ "content_type": content_type, "start": start.to_string() }).to_string().into())
        }
        Part::End(None) => (KIND_END, Bytes::new()),
        Part::End(Some(problem)) => (KIND_END, json!(problem.body()).to_string().into()),
    };
    let mut record = Vec::with_capacity(8 + payload.len());
    record.extend_from_slice(&(payload.len() as u32).to_be_bytes());
    record.extend_from_slice(&place.to_be_bytes());
    record.extend_from_slice(&[kind, 0]);
    record.extend_from_slice(&payload);
    record.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem;
    use domain::UtcMicros;

    #[test]
    fn a_record_says_its_length_place_and_kind() {
        let bytes = record(3, &Part::Bytes(Bytes::from_static(b"abc")));
        assert_eq!(&bytes[..], [0, 0, 0, 3, 0, 3, 0, 0, b'a', b'b', b'c']);
        let head = Head { content_type: "video/mp4; codecs=\"avc1.42c01e\"".into(), start: UtcMicros(0) };
        let head = record(0, &Part::Head(head));
        assert_eq!(head[6], 1);
        let json: serde_json::Value = serde_json::from_slice(&head[8..]).unwrap();
        assert_eq!(json["start"], "1970-01-01T00:00:00.000Z");
        assert_eq!(&record(1, &Part::End(None))[..], [0, 0, 0, 0, 0, 1, 2, 0]);
        let end = record(1, &Part::End(Some((&problem::NO_PICTURE).into())));
        let json: serde_json::Value = serde_json::from_slice(&end[8..]).unwrap();
        assert_eq!(json["status"], 504);
    }
}
