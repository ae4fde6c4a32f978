//! Asks a camera by ONVIF which streams it has and where, so that nobody has to know their addresses (decision 0066).
//!
//! Reads only: six questions of ONVIF Core and of Media 1 and 2. There is no word here that sets, moves, listens, subscribes to
//! events or asks for metadata. Whatever addresses a device gives, only their ports and paths count: no question goes to another
//! host than the one that the operator named, and no stream is looked for elsewhere.

mod answers;
mod device;
mod found;
mod http;
mod soap;
mod talk;
mod trouble;

pub use device::{Device, DeviceError};
pub use found::{Found, Stream};
pub use http::HttpLine;
pub use soap::SignIn;
pub use talk::find;
pub use trouble::Trouble;
pub use url::Url;

/// An answer above this is none.
pub const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// Profiles above these are not asked about: a panoramic camera of four lenses has about a dozen.
pub const STREAMS_MAX: usize = 32;

/// What came back over HTTP.
pub struct Reply {
    pub status: u16,
    /// The device's own Date header (RFC 9110, 6.6.1), Unix seconds.
    pub date: Option<i64>,
    pub body: Vec<u8>,
}

/// One question: a SOAP 1.2 envelope, and the action that its media type names (RFC 3902), by which some devices choose.
pub struct Question {
    pub action: String,
    pub body: String,
}

/// How questions get to the device: by [`HttpLine`], or by a test.
pub trait Line {
    /// # Errors
    /// [`Trouble`] where nothing came back, or only that nobody may ask.
    fn post(&mut self, to: &Url, question: &Question) -> Result<Reply, Trouble>;
}

/// What the world gives: the time, and chance for nonces (16 bytes).
pub struct World<'a> {
    pub unix_seconds: i64,
    pub nonce: &'a mut dyn FnMut() -> [u8; 16],
}
