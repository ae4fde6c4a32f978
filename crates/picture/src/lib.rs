//! Pictures made of a camera's own, for the eye: what web and the program `vigie-picture` say to each other, and [`Viewing`], which asks.
//!
//! FFmpeg is in that program alone (decision 0080): whoever asks for a copy builds and runs without it. No container crosses: coded
//! pictures with their times, one message each, so that no demuxer ever reads what a camera sent.

mod ask;
mod job;
mod message;
pub mod redact;

pub use ask::{Came, Viewing, ViewingError};
pub use job::{FORMAT, Job, JobError, Task};
pub use message::{Coded, Counts, Made, Message, MessageError, Messages, Reason, Refusal, write};
