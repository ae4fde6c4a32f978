//! The recorder's socket as web uses it: where footage lies, what exists, live frames. Never a key.

use crate::problem::{self, Problem};
use domain::{Secret32, StreamId, limit::MESSAGE_BYTES_MAX};
use keeper::{
    socket::{MessageError, read_message, write_message},
    wire::{Answer, Peer, Question},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{future::Future, io, path::PathBuf, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    time::timeout,
};
use vault::{
    keeper::Permit,
    service::{LIVE_MESSAGE_BYTES_MAX, LiveMessage, RecorderAnswer, RecorderAsk},
};
use zeroize::Zeroizing;

/// A recorder that takes longer is away: locating reads its catalog only.
const PATIENCE: Duration = Duration::from_secs(10);
/// On a live stream the recorder says something each second; three times that and some is silence.
const SILENCE: Duration = Duration::from_secs(4);
/// The length in four bytes and the version.
const HEAD_BYTES: usize = 5;

/// Connections are made anew for each question: one a screen, none a picture.
pub struct RecorderLink {
    pub socket: PathBuf,
    pub secret: Secret32,
}

/// One live stream.
pub struct LiveLink {
    stream: UnixStream,
}

/// Why the recorder gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error("the recorder does not answer ({0}): is `vigie serve` running?")]
    Away(#[from] io::Error),
    #[error("the recorder is silent for {seconds} s: is it overloaded?", seconds = .0.as_secs())]
    Silent(Duration),
    #[error("the recorder's words cannot be read: {0}")]
    Message(#[from] MessageError),
    #[error("the recorder does not accept this process: start both with one `vigie serve`")]
    NotAccepted,
    #[error("the permit does not hold: {why}")]
    NoPermit { why: String },
    #[error("the recorder cannot answer: {why}")]
    Unable { why: String },
    #[error("the recorder answered another question: use programs of one release")]
    Unexpected,
}

type Result<T> = std::result::Result<T, LinkError>;

impl RecorderLink {
    pub async fn ask(&self, ask: &RecorderAsk) -> Result<RecorderAnswer> {
        let mut stream = self.connect().await?;
        match within(PATIENCE, exchange(&mut stream, ask)).await? {
            RecorderAnswer::Refused { why } => Err(LinkError::Unable { why }),
            answer => Ok(answer),
        }
    }

    pub async fn live(&self, permit: Permit, stream: StreamId) -> Result<LiveLink> {
        let mut socket = self.connect().await?;
        let ask = RecorderAsk::Live { permit, stream };
        match within(PATIENCE, exchange(&mut socket, &ask)).await? {
            RecorderAnswer::Watching => Ok(LiveLink { stream: socket }),
            RecorderAnswer::Refused { why } => Err(LinkError::NoPermit { why }),
            RecorderAnswer::Located(_) | RecorderAnswer::Weighed { .. } | RecorderAnswer::Timeline(_) => {
                Err(LinkError::Unexpected)
            }
        }
    }

    async fn connect(&self) -> Result<UnixStream> {
        let mut stream = within(PATIENCE, async { Ok(UnixStream::connect(&self.socket).await?) }).await?;
        let hello = Question::Hello { peer: Peer::Web, secret: self.secret.clone() };
        match within(PATIENCE, exchange(&mut stream, &hello)).await? {
            Answer::Done => Ok(stream),
            _ => Err(LinkError::NotAccepted),
        }
    }
}

impl LiveLink {
    /// The next message; `Ended` also where the recorder closed the connection.
    pub async fn next(&mut self) -> Result<LiveMessage> {
        match within(SILENCE, receive(&mut self.stream, LIVE_MESSAGE_BYTES_MAX)).await {
            Err(LinkError::Away(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(LiveMessage::Ended),
            message => message,
        }
    }
}

impl From<LinkError> for Problem {
    fn from(error: LinkError) -> Problem {
        match error {
            LinkError::NoPermit { .. } => (&problem::PERMIT_ENDED).into(),
            error => {
                tracing::warn!(%error, "no answer from the recorder");
                (&problem::RECORDER_AWAY).into()
            }
        }
    }
}

async fn within<T>(patience: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(patience, work).await.map_err(|_| LinkError::Silent(patience))?
}

async fn exchange<T: DeserializeOwned>(stream: &mut UnixStream, question: &impl Serialize) -> Result<T> {
    let mut bytes = Zeroizing::new(Vec::new());
    write_message(&mut *bytes, question, MESSAGE_BYTES_MAX)?;
    stream.write_all(&bytes).await?;
    receive(stream, MESSAGE_BYTES_MAX).await
}

/// Gathers one message, then reads it as everybody does. Wiped afterwards: it may hold a picture in clear.
async fn receive<T: DeserializeOwned>(stream: &mut UnixStream, bytes_max: usize) -> Result<T> {
    let mut head = [0; HEAD_BYTES];
    stream.read_exact(&mut head).await?;
    let bytes = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
    if bytes > bytes_max {
        return Err(MessageError::TooLong { bytes, bytes_max }.into());
    }
    let mut message = Zeroizing::new(vec![0; HEAD_BYTES + bytes]);
    message[..HEAD_BYTES].copy_from_slice(&head);
    stream.read_exact(&mut message[HEAD_BYTES..]).await?;
    let closed = || LinkError::Away(io::ErrorKind::UnexpectedEof.into());
    read_message(&mut &message[..], bytes_max)?.ok_or_else(closed)
}
