//! What the keeper promises, over a disk that fails, clocks that are set by hand and chance from a seed.

mod accounts;
mod acts;
mod authenticator;
mod clocks;
mod crash;
mod destroy;
mod devices;
mod forget;
mod gate;
mod law;
mod lawful;
mod mint;
mod orders;
mod passkeys;
mod provider;
mod rebuild;
mod reserve;
mod second_factor;
mod secrecy;
mod sockets;
mod support;
mod thirty_days;
mod two_persons;
mod verdict;
