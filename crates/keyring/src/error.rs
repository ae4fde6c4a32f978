//! What can go wrong with a keyring, and what to do about it. No message carries a secret.

use crate::{custodian::Away, pkcs11::TokenFault};
use disk::DiskError;
use domain::Hour;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    #[error("the passphrase does not open the keyring: give the passphrase chosen at `vigie init`")]
    WrongPassphrase,
    #[error(
        "there is no keyring in `{first}` nor in `{second}`: run `vigie init`, or connect the devices if it was run before",
        first = first.display(), second = second.display()
    )]
    NeverInitialised { first: PathBuf, second: PathBuf },
    #[error("a keyring is already in `{path}`: choose empty folders, a keyring is never written over", path = path.display())]
    AlreadyInitialised { path: PathBuf },
    #[error("both copies of the keyring are in `{path}`: choose two folders, on two devices", path = path.display())]
    SameFolder { path: PathBuf },
    #[error(
        "no copy of the keyring can be used: `{first}`: {first_reason}; `{second}`: {second_reason}: connect at least one",
        first = first.display(), second = second.display()
    )]
    NoCopy { first: PathBuf, first_reason: Away, second: PathBuf, second_reason: Away },
    #[error("the copy of the keyring in `{path}` cannot be used: {reason}", path = path.display())]
    CopyFailed { path: PathBuf, reason: Away },
    #[error(
        "no root record of the keyring is readable in `{first}` nor `{second}`: have the devices examined; keys of footage \
         are never backed up, so what they opened is lost unless one copy can be read again",
        first = first.display(), second = second.display()
    )]
    RootDamaged { first: PathBuf, second: PathBuf },
    #[error(
        "the keyring in `{path}` is of version {found}, written by a later program: nothing was changed; install the later \
         program again",
        path = path.display()
    )]
    LaterVersion { path: PathBuf, found: u16 },
    #[error(
        "the key page of hour `{hour}` is readable in no copy: its footage cannot be opened; destroy the whole hour when due"
    )]
    PageDamaged { hour: Hour },
    #[error("hour `{hour}` or a camera of it is condemned: no key is made for it again")]
    HourCondemned { hour: Hour },
    #[error("the keyring has no key for that camera in hour `{hour}`: add the camera first")]
    CameraMissing { hour: Hour },
    #[error("hour `{hour}` is condemned and its key is not destroyed yet: destroy it, then forget it")]
    NotDestroyed { hour: Hour },
    #[error("the log key of month `{month}` was destroyed: its details cannot be read or written again")]
    LogKeyDestroyed { month: u32 },
    #[error("`{text}` is not a month: give year and month as in 202603")]
    NotAMonth { text: u32 },
    #[error(
        "copy {copy} of the keyring cannot be written off or replaced: it is {state}: only an absent copy is written off, only a written-off one replaced"
    )]
    CopyState { copy: usize, state: &'static str },
    #[error("the keyring has no copy number {copy}")]
    CopyUnknown { copy: usize },
    #[error(
        "the cost of the passphrase's derivation is out of bounds ({memory_kib} KiB, {passes} passes, {lanes} lanes): use 65536, 3, 1"
    )]
    KdfCost { memory_kib: u32, passes: u32, lanes: u32 },
    #[error(
        "the keyring grew past its bound of {bytes_max} bytes: destroy due hours, forget condemnations that have their tombstone"
    )]
    TooLarge { bytes_max: usize },
    #[error("the keyring's token: {0}")]
    Token(#[from] TokenFault),
    #[error(
        "the token has no key for the files in `{first}` and `{second}`: they are older than it, what they opened was destroyed; \
         connect the devices with the present copies",
        first = first.display(), second = second.display()
    )]
    OlderThanToken { first: PathBuf, second: PathBuf },
    #[error(
        "the root of this keyring is in a PKCS#11 token: give `pkcs11.module`, `pkcs11.token` and `pkcs11.pin_file`"
    )]
    TokenNotConfigured,
    #[error("the keyring's disk failed: {0}")]
    Disk(#[from] DiskError),
}
