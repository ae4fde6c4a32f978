//! Identities: 128 random bits each, shown as 32 hexadecimal digits, never reused.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a text is not an identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an identity: 32 hexadecimal digits expected")]
pub struct IdError {
    pub text: String,
}

/// Declares one 16-byte identity type.
#[macro_export]
macro_rules! identity {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// Sixteen bytes drawn from `random`.
            pub fn draw(random: &dyn $crate::world::Random) -> $name {
                let mut bytes = [0; 16];
                random.fill(&mut bytes);
                $name(bytes)
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::id::write_hex(&self.0, f)
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
        impl std::str::FromStr for $name {
            type Err = $crate::id::IdError;
            fn from_str(text: &str) -> Result<$name, $crate::id::IdError> {
                Ok($name($crate::id::read_hex(text)?))
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::id::serialize(&self.0, serializer)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                Ok($name($crate::id::deserialize(deserializer)?))
            }
        }
    };
}

identity!(
    /// One break-glass: what two persons open in an emergency.
    GlassId
);
identity!(
    /// One town's installation, one data controller. In clear headers it is a pseudonym: it names nobody.
    SiteId
);
identity!(
    /// One local store: a folder on one disk.
    RootId
);
identity!(
    /// About a minute of all streams of one recorder with the same hour and deadline (vault.md R2).
    ReelId
);
identity!(
    /// One life of a recorder on one clock anchor (R9).
    RunId
);
identity!(
    /// One export: footage that leaves in one package.
    ExportId
);
identity!(
    /// One hold: footage frozen for an authority.
    HoldId
);
identity!(
    /// One line of the register of requests for access.
    AccessId
);
identity!(
    /// One line of the register of requisitions.
    RequisitionId
);
identity!(
    /// One permission to look, made by the gate and nobody else (P4).
    PermitId
);

/// Writes bytes as lower-case hexadecimal.
pub fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// Reads 32 hexadecimal digits.
pub fn read_hex(text: &str) -> Result<[u8; 16], IdError> {
    let wrong = || IdError { text: text.chars().take(40).collect() };
    let text = text.as_bytes();
    if text.len() != 32 || !text.iter().all(u8::is_ascii_hexdigit) {
        return Err(wrong());
    }
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
    }
    Ok(bytes)
}

/// Serde: hexadecimal text for people's formats, 16 bytes for our sockets.
pub fn serialize<S: serde::Serializer>(bytes: &[u8; 16], serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() { serializer.collect_str(&Hex(bytes)) } else { bytes.serialize(serializer) }
}

/// The inverse of [`serialize`].
pub fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<[u8; 16], D::Error> {
    if deserializer.is_human_readable() {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        read_hex(&text).map_err(serde::de::Error::custom)
    } else {
        <[u8; 16]>::deserialize(deserializer)
    }
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr;

    #[test]
    fn an_identity_reads_back_as_written() {
        let id = ReelId([0xab; 16]);
        assert_eq!(ReelId::from_str(&id.to_string()), Ok(id));
    }

    #[test]
    fn a_text_that_is_no_identity_is_refused() {
        for text in ["", "ab", "zz000000000000000000000000000000", "+1000000000000000000000000000000"] {
            assert!(ReelId::from_str(text).is_err(), "{text}");
        }
    }
}
