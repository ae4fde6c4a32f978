//! Forty days in a moment: what is past its deadline never opens, everything younger does.

use crate::support::*;
use domain::{ReelId, UtcMicros};
use seal::GroupStart;
use std::collections::BTreeMap;
use vault::keeper::{Beat, Fact, KeyQuery, Minted, ReelPart, Verdict, View};

const HOURS: i64 = 40 * 24;
/// Footage is tried at these ages, in hours: all young ones, and around each deadline.
const AGES: [i64; 14] = [0, 1, 24, 70, 71, 72, 73, 166, 167, 168, 169, 500, 718, 721];

struct Footage {
    minted: Minted,
    part: ReelPart,
}

#[test]
fn at_each_hour_of_forty_days_nothing_past_its_deadline_opens_and_everything_younger_does() {
    let world = World::new(1);
    let mut opened = world.open();
    let mut footage: BTreeMap<i64, Vec<Footage>> = BTreeMap::new();
    world.clock.pass(840); // a quarter past each hour
    for now in 0..HOURS {
        if now % 12 == 0 {
            drop(opened);
            opened = world.open_with_session(); // a service is over: the keeper starts again, somebody signs in
        }
        let minted = opened.mint(now, &[1, 2, 3]);
        let part = |minted: &Minted| {
            let group = GroupStart { reel: ReelId([7; 16]), chunk: 0 };
            opened.reel(7, minted, now * 3_600, group)
        };
        let recorded = minted.iter().map(|minted| Footage { part: part(minted), minted: minted.clone() }).collect();
        footage.insert(now, recorded);
        opened.core.tick().unwrap();
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
        world.clock.pass(1_800);
        opened.core.tick().unwrap();
        opened.permit(View::Live, &[1]); // and the operator stays signed in
        world.clock.pass(1_800);
    }
    let report = opened.check_ledger(world.now().plus_seconds(-3_600));
    let mints = 3 * HOURS as u64;
    assert_eq!((report.mints, report.late.len()), (mints, 0));
    let destroyed = opened.destructions();
    assert_eq!(destroyed.len() as u64, report.destroyed);
    assert!(report.live < 30 * 24 + 7 * 24 + 3 * 24 + 3, "{} keys live", report.live);
}

fn check_hour(opened: &Opened, footage: &BTreeMap<i64, Vec<Footage>>, now: i64, at: UtcMicros) {
    // one look at all cameras and the whole past would be refused as beyond the retention: one a camera and age
    for age in AGES.into_iter().filter(|age| now % 6 == 0 || *age < 2 || *age % 24 < 2) {
        let Some(recorded) = footage.get(&(now - age)) else { continue };
        let span = span((now - age) * 3_600, (now - age) * 3_600 + 10);
        let verdict = opened.core.pass(&session("operator"), &ask(View::Replay(span), &[1, 2, 3])).unwrap();
        let Verdict::Allowed(permit) = verdict else {
            assert!(720 <= age, "a look at footage of {age} hours was refused");
            continue;
        };
        for Footage { minted, part } in recorded {
            let query =
                KeyQuery { permit: permit.clone(), stream: minted.stream, span, parts: vec![part.clone()] };
            let opens = opened.core.keys(&query).is_ok_and(|answer| answer.reels[0].chunks.len() == 20);
            let is_young = at < minted.deadline.plus_seconds(-600);
            assert_eq!(opens, is_young, "{:?} of {} at {at}", minted.stream, minted.hour);
        }
    }
}
