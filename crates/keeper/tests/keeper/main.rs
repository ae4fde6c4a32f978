//! What the keeper promises, over a disk that fails, clocks that are set by hand and chance from a seed.

mod accounts;
mod clocks;
mod crash;
mod destroy;
mod forget;
mod gate;
mod mint;
mod orders;
mod rebuild;
mod reserve;
mod secrecy;
mod sockets;
mod support;
mod thirty_days;
mod two_persons;
