//! Forty days in a moment: what is past its deadline never opens, everything younger does.

use crate::authenticator::{PASSWORD, Phone};
use crate::{acts::approve, sockets::Served, support::*};
use domain::{ReelId, Sensitive, UtcMicros};
use keeper::wire::{Answer, Browser};
use ledger::Actor;
use policy::Role;
use seal::GroupStart;
use std::collections::BTreeMap;
use vault::keeper::{Beat, Fact, KeyQuery, Minted, ReelPart, SessionSecret, View};

const HOURS: i64 = 40 * 24;
/// Footage is tried at these ages, in hours: all young ones, and around each deadline.
const AGES: [i64; 14] = [0, 1, 24, 70, 71, 72, 73, 166, 167, 168, 169, 500, 718, 719];

struct Footage {
    minted: Minted,
    part: ReelPart,
}

#[test]
fn at_each_hour_of_forty_days_nothing_past_its_deadline_opens_and_everything_younger_does() {
    let world = World::with_keys_in_memory(1);
    let mut opened = world.open();
    let served = Served::new(&opened);
    let added = opened.core.account_add(Actor::Cli { uid: 0 }, &text("watcher"), Role::Operator).unwrap();
    let Answer::SetupToken { token, .. } = added else { panic!("{added:?}") };
    let phone = Phone::set_up(&served, &world, &token);
    approve(&opened, "watcher");
    drop(served);
    let mut footage: BTreeMap<i64, Vec<Footage>> = BTreeMap::new();
    world.clock.pass(840); // a quarter past each hour
    for now in 0..HOURS {
        if now % 120 == 60 {
            drop(opened);
            world.disk.reboot(); // the power goes every five days
            opened = world.open();
        }
        if now % 12 == 0 {
            opened.session = sign_in(&opened, phone.code(world.now())); // a service is over
        }
        let minted = opened.mint(now, &[1, 2, 3]);
        let part = |minted: &Minted| {
            let group = GroupStart { reel: ReelId([7; 16]), chunk: 0 };
            opened.reel(7, minted, now * 3_600, group)
        };
        let recorded = minted.iter().map(|minted| Footage { part: part(minted), minted: minted.clone() }).collect();
        footage.insert(now, recorded);
        opened.core.destroy_due().unwrap();
        let freed = |dead: vault::keeper::Dead| Fact::Freed {
            hour: dead.hour,
            cameras: dead.cameras,
            reels: vec![],
            residual: vec![],
        };
        let dead = opened.core.check(&Beat::default()).unwrap().dead;
        opened.core.enter(&dead.into_iter().map(freed).collect::<Vec<_>>()).unwrap();
        check_hour(&opened, &footage, now, world.now());
        let health = opened.core.health().unwrap().destruction;
        assert_eq!((health.hours_past_deadline, health.hours_closed_unconfirmed), (0, 0));
        world.clock.pass(2_400);
        opened.core.tick().unwrap(); // five minutes before the deadlines of this hour
        opened.permit(View::Live, &[1]); // the operator stays signed in
        world.clock.pass(1_200);
    }
    let report = opened.check_ledger(world.now().plus_seconds(-3_600));
    let mints = 3 * HOURS as u64;
    assert_eq!((report.mints, report.late.len()), (mints, 0));
    let destroyed = opened.destructions();
    assert_eq!(destroyed.len() as u64, report.destroyed);
    // the figure that people read: each camera's each hour, not only hours of which every camera is dead
    let told = opened.core.health().unwrap().destruction;
    assert_eq!((told.camera_hours_destroyed, told.last_destroyed_at.is_some()), (destroyed.len() as u64, true));
    assert!(report.live < 30 * 24 + 7 * 24 + 3 * 24 + 3, "{} keys live", report.live);
}

fn text(text: &str) -> Sensitive<String> {
    Sensitive::new(text.to_owned())
}

fn sign_in(opened: &Opened, code: Sensitive<String>) -> SessionSecret {
    Served::new(opened).web.sign_in(text("watcher"), text(PASSWORD), code, Browser::default()).unwrap().unwrap().session
}

fn check_hour(opened: &Opened, footage: &BTreeMap<i64, Vec<Footage>>, now: i64, at: UtcMicros) {
    let permit = opened.permit(View::Replay(span((now - 719).max(0) * 3_600, now * 3_600 + 800)), &[1, 2, 3]);
    for age in AGES.into_iter().filter(|age| now % 6 == 0 || *age < 2 || *age % 24 < 2) {
        let from = (now - age) * 3_600;
        for Footage { minted, part } in footage.get(&(now - age)).into_iter().flatten() {
            let span = span(from, from + 10);
            let query = KeyQuery { permit: permit.clone(), stream: minted.stream, span, parts: vec![part.clone()] };
            let opens = opened.core.keys(&query).is_ok_and(|answer| answer.reels[0].chunks.len() == 20);
            let is_young = at < minted.deadline.plus_seconds(-600);
            assert_eq!(opens, is_young, "{:?} of {} at {at}", minted.stream, minted.hour);
        }
    }
}
