//! What the keeper promises, over a disk that fails, clocks that are set by hand and chance from a seed.

mod accounts;
mod authenticator;
mod clocks;
mod crash;
mod destroy;
mod gate;
mod mint;
mod orders;
mod passkeys;
mod rebuild;
mod second_factor;
mod secrecy;
mod sockets;
mod support;
mod thirty_days;
mod two_persons;
