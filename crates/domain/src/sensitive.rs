//! Values that never print: personal data and secrets stay out of logs, errors, URLs and metrics.

use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Personal data, or anything that must not be printed by accident. `Debug` and `Display` show a mark only.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sensitive<T>(T);

impl<T> Sensitive<T> {
    pub const fn new(value: T) -> Sensitive<T> {
        Sensitive(value)
    }
    /// The value, where it is really needed. Searching for this name finds every such place.
    pub const fn reveal(&self) -> &T {
        &self.0
    }
    pub fn into_revealed(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹withheld›")
    }
}

impl<T> fmt::Display for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹withheld›")
    }
}

/// A 256-bit secret: wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret32([u8; 32]);

impl Secret32 {
    pub const fn new(bytes: [u8; 32]) -> Secret32 {
        Secret32(bytes)
    }
    pub fn draw(random: &dyn crate::world::Random) -> Secret32 {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        Secret32(bytes)
    }
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Secret32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹secret›")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_a_secret_nor_personal_data_prints() {
        let text = format!("{:?} {} {:?}", Sensitive::new("Dupont"), Sensitive::new("Dupont"), Secret32::new([65; 32]));
        assert!(!text.contains("Dupont") && !text.contains("65") && !text.contains("AAAA"), "{text}");
    }
}
