//! What the ledger tells of links: an index, not a truth. Whatever backup of the registry comes back, a link that was used stays used.

use crate::wire::links::LinkView;
use domain::{
    ExportId, LinkEnd, LinkId, LinkStep, Sensitive, UtcMicros,
    limit::{LINK_AGAIN_SECONDS, LINK_BEGINNINGS_MAX, LINK_LATE_ENTRIES_MAX, LINK_WRONG_CODES_MAX},
};
use ledger::{Digest, Entry, Event, Month};
use std::collections::BTreeMap;

/// All links that a readable entry remembers.
#[derive(Debug, Default)]
pub(crate) struct LinkBook {
    links: BTreeMap<LinkId, Link>,
    tokens: BTreeMap<[u8; 32], LinkId>,
}

/// One link and all that happened at it.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub id: LinkId,
    pub export: ExportId,
    pub leaf: u64,
    made: UtcMicros,
    who: Sensitive<String>,
    recipient: Sensitive<String>,
    pub until: UtcMicros,
    downloads: u8,
    pub code: Digest,
    /// Bounded: by wrong codes, downloads, beginnings, and visits of a link that is over.
    steps: Vec<(UtcMicros, LinkStep)>,
}

/// What a visit comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visit {
    Fetch {
        nth: u8,
        again: bool,
    },
    /// And whether it was the last that is borne.
    WrongCode {
        is_last: bool,
    },
    /// It is over.
    Late,
    /// It is over, and enough of such visits are entered.
    Silent,
}

impl LinkBook {
    pub fn take(&mut self, number: u64, entry: &Entry) {
        match &entry.event {
            Event::LinkMade { link, export, who, recipient, until, downloads, token, code, .. } => {
                self.tokens.insert(token.0, *link);
                let made = Link {
                    id: *link,
                    export: *export,
                    leaf: number,
                    made: entry.at,
                    who: who.clone(),
                    recipient: recipient.clone(),
                    until: *until,
                    downloads: *downloads,
                    code: *code,
                    steps: Vec::new(),
                };
                self.links.insert(*link, made);
            }
            Event::Link { link, step, .. } => {
                if let Some(known) = self.links.get_mut(link) {
                    known.steps.push((entry.at, *step));
                }
            }
            _ => {}
        }
    }

    /// The details of this month and of all before are over: nothing of them stays here either (L2).
    pub fn forget(&mut self, month: Month) {
        self.links.retain(|_, link| month < Month::of(link.made));
        let links = &self.links;
        self.tokens.retain(|_, link| links.contains_key(link));
    }

    pub fn get(&self, link: LinkId) -> Option<&Link> {
        self.links.get(&link)
    }

    pub fn by_token(&self, token: &Digest) -> Option<&Link> {
        self.links.get(self.tokens.get(&token.0)?)
    }

    /// Those of a package, the oldest first.
    pub fn of(&self, export: ExportId) -> Vec<&Link> {
        let mut links: Vec<&Link> = self.links.values().filter(|link| link.export == export).collect();
        links.sort_by_key(|link| link.leaf);
        links
    }

    /// Those that are not entered as ended.
    pub fn open(&self) -> impl Iterator<Item = &Link> {
        self.links.values().filter(|link| link.ended().is_none())
    }
}

impl Link {
    /// What is entered of its end.
    pub fn ended(&self) -> Option<LinkEnd> {
        self.steps.iter().find_map(|(_, step)| match step {
            LinkStep::Ended { why } => Some(*why),
            _ => None,
        })
    }

    /// Why it is over by this time, entered or not.
    pub fn over(&self, now: UtcMicros) -> Option<LinkEnd> {
        let by_time = (self.until <= now).then_some(LinkEnd::Expired);
        let by_use = self.next(now).is_none().then_some(LinkEnd::Used);
        self.ended().or(by_time).or(by_use)
    }

    /// What whoever brings its token gets; `may_leave`: two persons' permission stands.
    pub fn visit(&self, is_code: bool, may_leave: bool, now: UtcMicros) -> Visit {
        if !may_leave || self.over(now).is_some() {
            let late = self.count(|step| matches!(step, LinkStep::Late));
            return if late < usize::from(LINK_LATE_ENTRIES_MAX) { Visit::Late } else { Visit::Silent };
        }
        if !is_code {
            let wrong = 1 + self.count(|step| matches!(step, LinkStep::WrongCode));
            return Visit::WrongCode { is_last: usize::from(LINK_WRONG_CODES_MAX) <= wrong };
        }
        match self.next(now) {
            Some((nth, again)) => Visit::Fetch { nth, again },
            None => Visit::Silent, // over says so before
        }
    }

    /// The download that began last and is not known to have ended.
    pub fn runs(&self) -> Option<u8> {
        match self.last() {
            Some((_, LinkStep::Fetch { nth, .. })) => Some(nth),
            _ => None,
        }
    }

    /// Which download would begin now, and whether it goes on for one that broke off.
    pub fn next(&self, now: UtcMicros) -> Option<(u8, bool)> {
        if let Some((at, LinkStep::Fetch { nth, .. } | LinkStep::BrokeOff { nth })) = self.last() {
            let begun = self.count(|step| matches!(step, LinkStep::Fetch { nth: of, .. } if *of == nth));
            if begun < usize::from(LINK_BEGINNINGS_MAX) && now < at.plus_seconds(LINK_AGAIN_SECONDS) {
                return Some((nth, true));
            }
        }
        let counted = self.count(|step| matches!(step, LinkStep::Fetch { again: false, .. }));
        let counted = u8::try_from(counted).unwrap_or(u8::MAX);
        (counted < self.downloads).then(|| (counted + 1, false))
    }

    pub fn view(&self, now: UtcMicros) -> LinkView {
        LinkView {
            link: self.id,
            leaf: self.leaf,
            made: self.made,
            who: self.who.clone(),
            recipient: self.recipient.clone(),
            until: self.until,
            downloads: self.downloads,
            over: self.over(now),
            steps: self.steps.clone(),
        }
    }

    fn last(&self) -> Option<(UtcMicros, LinkStep)> {
        let is_download = |step: &LinkStep| {
            matches!(step, LinkStep::Fetch { .. } | LinkStep::Sent { .. } | LinkStep::BrokeOff { .. })
        };
        self.steps.iter().rev().find(|(_, step)| is_download(step)).copied()
    }

    fn count(&self, of: impl Fn(&LinkStep) -> bool) -> usize {
        self.steps.iter().filter(|(_, step)| of(step)).count()
    }
}
