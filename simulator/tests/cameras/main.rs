//! The cameras from outside: over a plain socket, through the recorder's library, through ffmpeg, as a program.

mod client;
mod codings;
mod faults;
mod program;
mod recorder_library;
mod socket;
