//! A person's telephone: the seed that a setup link showed, and the codes that follow from it.

use crate::{sockets::Served, support::World};
use aws_lc_rs::hmac;
use domain::{Sensitive, UtcMicros};
use keeper::wire::SetUpDone;

pub const PASSWORD: &str = "a long password";

/// An account's codes, on a telephone that has the world's time.
pub struct Phone {
    pub seed: Vec<u8>,
    pub recovery: Vec<Sensitive<String>>,
}

impl Phone {
    /// Uses a setup link as a person does.
    pub fn set_up(served: &Served, world: &World, token: &Sensitive<String>) -> Phone {
        let seed = Phone::shown(served, token);
        let mut phone = Phone { seed, recovery: vec![] };
        let password = Sensitive::new(PASSWORD.to_owned());
        let SetUpDone { recovery, .. } =
            served.web.set_up(token.clone(), password, phone.code(world.now())).unwrap().unwrap();
        phone.recovery = recovery;
        phone
    }

    /// The seed that a link shows.
    pub fn shown(served: &Served, token: &Sensitive<String>) -> Vec<u8> {
        let begun = served.web.set_up_begin(token.clone()).unwrap().expect("an open link");
        let secret = begun.otpauth.reveal().split("secret=").nth(1).unwrap().split('&').next().unwrap().to_owned();
        let digits = |letter: u8| match letter {
            b'A'..=b'Z' => letter - b'A',
            _ => letter - b'2' + 26,
        };
        let bits: String = secret.bytes().map(|letter| format!("{:05b}", digits(letter))).collect();
        bits.as_bytes()
            .chunks_exact(8)
            .map(|eight| u8::from_str_radix(std::str::from_utf8(eight).unwrap(), 2).unwrap())
            .collect()
    }

    pub fn code(&self, at: UtcMicros) -> Sensitive<String> {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.seed);
        let tag = hmac::sign(&key, &(at.seconds() / 30).to_be_bytes());
        let offset = usize::from(tag.as_ref()[19] & 15);
        let mut four = [0; 4];
        four.copy_from_slice(&tag.as_ref()[offset..offset + 4]);
        Sensitive::new(format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000))
    }
}
