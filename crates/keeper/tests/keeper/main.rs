//! What the keeper promises, over a disk that fails, clocks that are set by hand and chance from a seed.

mod accounts;
mod acts;
mod clocks;
mod crash;
mod destroy;
mod gate;
mod lawful;
mod mint;
mod orders;
mod rebuild;
mod secrecy;
mod sockets;
mod support;
mod thirty_days;
mod two_persons;
