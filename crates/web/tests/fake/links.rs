//! The keeper's script about links: whoever brings the code fetches, each link is named by its token's first half.
#![allow(dead_code)] // each test program uses a part

use super::{NOW, exports::EXPORT};
use domain::{LinkCode, LinkEnd, LinkId, LinkStep, LinkToken, Sensitive};
use keeper::wire::{
    Answer,
    links::{LinkAnswer, LinkQuestion, LinkView},
};
use std::sync::Mutex;

pub const CODE: &[u8] = b"70Q2M-X1KRT";
pub const LINK_ASK: &str = r#"{"recipient":"OPJ n","minutes":60,"downloads":1}"#;
pub const LINK: LinkId = LinkId([0x11; 16]);

/// How downloads ended, as web told it.
pub static OVER: Mutex<Vec<(LinkId, u8, bool)>> = Mutex::new(Vec::new());

pub fn answer(question: LinkQuestion) -> Answer {
    Answer::Link(Box::new(match question {
        LinkQuestion::Make(ask) if ask.downloads > 1 => LinkAnswer::Lives,
        LinkQuestion::Make(_) => {
            let (token, code) = (LinkToken::draw(&super::Counting), LinkCode::parse(CODE).unwrap());
            LinkAnswer::Made { view: Box::new(link()), token, code }
        }
        LinkQuestion::Revoke { link: LINK, .. } | LinkQuestion::EndOf { .. } => LinkAnswer::Done,
        LinkQuestion::Revoke { .. } => LinkAnswer::Unknown,
        LinkQuestion::Try(tried) if tried.code == LinkCode::parse(CODE).unwrap() => {
            let mut link = [0; 16];
            link.copy_from_slice(&tried.token.expose()[..16]);
            LinkAnswer::Fetch { link: LinkId(link), nth: 1, export: EXPORT }
        }
        LinkQuestion::Try(_) => LinkAnswer::No,
        LinkQuestion::Over { link, nth, is_whole } => {
            OVER.lock().unwrap().push((link, nth, is_whole));
            LinkAnswer::Done
        }
    }))
}

pub fn link() -> LinkView {
    LinkView {
        link: LINK,
        leaf: 9,
        made: NOW,
        who: Sensitive::new("brigadier".into()),
        recipient: Sensitive::new("OPJ n".into()),
        until: NOW.plus_seconds(3_600),
        downloads: 1,
        over: Some(LinkEnd::Used),
        steps: vec![
            (NOW, LinkStep::WrongCode),
            (NOW, LinkStep::Fetch { nth: 1, again: false }),
            (NOW, LinkStep::Sent { nth: 1 }),
            (NOW, LinkStep::Ended { why: LinkEnd::Used }),
        ],
    }
}
