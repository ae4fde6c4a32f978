//! A supervision centre over a simulated year: eight operators in shifts, three hundred cameras, papers that end.

#[path = "../keeper/authenticator.rs"]
mod authenticator;
mod centre;
mod lines;
mod sockets;
#[path = "../keeper/support.rs"]
mod support;
mod year;
