//! Persons who ask for shorter delays (R14): two of them, each with password and authenticator, and a day in between.

use crate::{
    checks::{self, Held, broken},
    recording::locked,
    steps::idle,
    support::camera,
    town::{DELAYS, Town},
    truth::Coming,
};
use aws_lc_rs::hmac;
use domain::{CameraId, Sensitive, UtcMicros, limit::SHORTEN_WAIT_SECONDS};
use keeper::wire::{Answer, DelayDone, PersonProof};
use ledger::Actor;
use policy::Role;
use std::collections::BTreeMap;

const CLI: Actor = Actor::Cli { uid: 0 };
const PASSWORD: &str = "a long password";

/// Who asks, and what stands.
#[derive(Default)]
pub struct People {
    persons: Vec<Account>,
    tried: u32,
    request: Option<Request>,
}

/// An account with the seed that its setup link showed.
#[derive(Clone)]
struct Account {
    name: String,
    seed: Vec<u8>,
}

struct Request {
    number: String,
    /// Which of the persons asked.
    by: usize,
    days: BTreeMap<CameraId, i64>,
    /// From when on it holds, by the true time.
    from: Option<UtcMicros>,
}

/// Somebody asks, approves, cancels, or lets the day pass.
pub fn happens(town: &mut Town) -> Held {
    if town.core().is_none_or(|core| core.judgement().trusted.is_none()) {
        return Ok(()); // refused in a doubt
    }
    for _ in town.people.persons.len()..2 {
        set_up(town);
    }
    if town.people.persons.len() < 2 {
        return Ok(()); // a planned fault met it
    }
    if town.people.request.is_none() {
        ask(town);
    }
    let throw = town.dice.below(6);
    match town.people.request.take() {
        None => {}
        Some(request) if request.from.is_none() => match throw {
            0 => approve_alone(town, request)?,
            1 => cancel(town, request),
            _ => approve(town, request)?,
        },
        Some(request) => match throw {
            0..=2 => {
                let from = request.from;
                cancel(town, request);
                wait(town, from)?; // and nothing dies
            }
            _ => wait(town, request.from)?,
        },
    }
    Ok(())
}

/// Somebody with another role each: two administrators are not enough.
fn set_up(town: &mut Town) {
    let Some(core) = town.core() else { return };
    let role = if town.people.persons.is_empty() { Role::Dpo } else { Role::Administrator };
    town.people.tried += 1;
    let name = format!("person {}", town.people.tried);
    let Ok(Answer::SetupToken { token, .. }) = core.account_add(CLI, &Sensitive::new(name.clone()), role) else {
        return;
    };
    let Ok(Answer::SetUpBegun(begun)) = core.set_up_begin(&token) else { return };
    let person = Account { name, seed: seed_of(begun.otpauth.reveal()) };
    let code = person.code(crate::town::believed(&core));
    if let Ok(Answer::SetUp { .. }) = core.set_up(&token, &Sensitive::new(PASSWORD.to_owned()), &code) {
        town.people.persons.push(person);
    }
}

fn ask(town: &mut Town) {
    let (by, which) = (town.dice.below(2), town.dice.below(DELAYS.len()));
    let id = camera(which as u8 + 1);
    let delay = locked(&town.place.truth).delays.get(&id).copied().unwrap_or(1);
    if delay < 2 {
        return;
    }
    let days = 1 + town.dice.below(delay as usize - 1) as i64;
    let Some((core, proof)) = proof(town, by) else { return };
    let asked = core.delay_ask(CLI, &proof, &[format!("camera {}", which + 1)], days as u32);
    if let Ok(Answer::DelayDone(DelayDone::Asked { request: number, .. })) = asked {
        town.people.request = Some(Request { number, by, days: [(id, days)].into(), from: None });
    }
}

/// Nobody is two persons.
fn approve_alone(town: &mut Town, request: Request) -> Held {
    let Some((core, proof)) = proof(town, request.by) else { return Ok(()) };
    let answer = core.delay_approve(CLI, &proof, &request.number);
    if let Ok(Answer::DelayDone(DelayDone::Approved { .. })) = answer {
        return broken("R14", format!("one person asked for {} and approved it", request.number));
    }
    town.people.request = Some(request);
    Ok(())
}

fn approve(town: &mut Town, mut request: Request) -> Held {
    let Some((core, proof)) = proof(town, 1 - request.by) else { return Ok(()) };
    let from = town.now().plus_seconds(SHORTEN_WAIT_SECONDS);
    match core.delay_approve(CLI, &proof, &request.number) {
        Ok(Answer::DelayDone(DelayDone::Approved { from: said, .. })) => {
            if checks::AGREED_MICROS < said.since(from).abs() {
                return broken("R14", format!("approved to hold from {said}, a day from now is {from}"));
            }
            request.from = Some(from);
            let coming = request.days.iter().map(|(camera, days)| Coming { from, camera: *camera, days: *days });
            locked(&town.place.truth).coming.extend(coming);
            town.people.request = Some(request);
        }
        Ok(_) => {} // refused, or nobody approved it for a week
        Err(_) => locked(&town.place.truth).doubtful.extend(request.days.keys()),
    }
    Ok(())
}

fn cancel(town: &mut Town, request: Request) {
    let who = town.dice.below(2);
    let Some((core, proof)) = proof(town, who) else { return };
    let answer = core.delay_cancel(CLI, &proof, &request.number);
    let now = town.now();
    let is_of_it = |coming: &Coming| request.from == Some(coming.from);
    let mut truth = locked(&town.place.truth);
    match answer {
        Ok(Answer::DelayDone(DelayDone::Cancelled)) => {
            if truth.coming.iter().any(|coming| is_of_it(coming) && coming.may_hold(now)) {
                truth.doubtful.extend(request.days.keys()); // one of its cameras may have its order
            }
            truth.coming.retain(|coming| !is_of_it(coming));
        }
        Ok(_) => {} // it was carried out, or nobody is believed now
        Err(_) => {
            truth.coming.retain(|coming| !is_of_it(coming));
            truth.doubtful.extend(request.days.keys());
        }
    }
}

/// The day passes: nothing dies in it, and then what is due.
fn wait(town: &mut Town, from: Option<UtcMicros>) -> Held {
    let Some(from) = from else { return Ok(()) };
    for until in [from.plus_seconds(-Coming::EARLY_SECONDS - 5), from.plus_seconds(Coming::LATE_SECONDS + 5)] {
        let seconds = until.since(town.now()) / 1_000_000;
        if seconds > 0 {
            idle(town, seconds);
        }
        town.revive().or_else(|what| broken("promise 1, R5", what))?;
        checks::always(town)?;
    }
    Ok(())
}

/// A minute later, with the code of that minute: each code counts once.
fn proof(town: &mut Town, who: usize) -> Option<(std::sync::Arc<keeper::KeeperCore>, PersonProof)> {
    idle(town, 60);
    let (core, person) = (town.core()?, town.people.persons.get(who)?.clone());
    let code = person.code(crate::town::believed(&core));
    let (account, password) = (Sensitive::new(person.name), Sensitive::new(PASSWORD.to_owned()));
    Some((core, PersonProof { account, password, code }))
}

impl Account {
    fn code(&self, at: UtcMicros) -> Sensitive<String> {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.seed);
        let tag = hmac::sign(&key, &(at.seconds() / 30).to_be_bytes());
        let offset = usize::from(tag.as_ref()[19] & 15);
        let four = std::array::from_fn(|at| tag.as_ref()[offset + at]);
        Sensitive::new(format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000))
    }
}

/// The seed in a setup link's address: base 32.
fn seed_of(otpauth: &str) -> Vec<u8> {
    let text = otpauth.split("secret=").nth(1).and_then(|rest| rest.split('&').next()).unwrap_or_default();
    let (mut seed, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes() {
        let digit = if letter.is_ascii_uppercase() { letter - b'A' } else { letter.wrapping_sub(b'2') + 26 };
        (bits, held) = (bits << 5 | u32::from(digit), held + 5);
        if held >= 8 {
            held -= 8;
            seed.push((bits >> held) as u8);
        }
    }
    seed
}
