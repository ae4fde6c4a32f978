//! The gate: recorded before answered, a permit for exactly what was asked, keys for exactly the permit.

use crate::support::*;
use disk::{Fault, Happened};
use domain::{ReelId, UtcMicros};
use ledger::Event;
use seal::GroupStart;
use std::io::ErrorKind;
use vault::{
    KeeperError,
    keeper::{Beat, KeyQuery, Permit, SessionSecret, Verdict, View},
};

fn own_group(reel: u8) -> GroupStart {
    GroupStart { reel: ReelId([reel; 16]), chunk: 0 }
}

fn holds(opened: &Opened, permit: &Permit) -> bool {
    let beat = Beat { permits: vec![permit.clone()], ..Beat::default() };
    opened.core.check(&beat).unwrap().alive[0]
}

/// Reel number and chunk numbers.
fn keys(opened: &Opened, query: &KeyQuery) -> Result<Vec<(u8, Vec<u32>)>, KeeperError> {
    let answer = opened.core.keys(query)?;
    Ok(answer.reels.iter().map(|reel| (reel.reel.0[0], reel.chunks.iter().map(|(n, _)| *n).collect())).collect())
}

#[test]
fn a_look_and_a_refusal_stand_in_the_ledger_before_the_answer() {
    let world = World::new(1);
    let opened = world.open();
    let permit = opened.permit(View::Live, &[1, 2]);
    let entry = opened.core.journal().entry(permit.leaf).unwrap();
    assert!(matches!(entry.event, Event::Look { permit: id, live: true, .. } if id == permit.id));
    let answer = opened.core.pass(&session("administrator"), &ask(View::Live, &[1])).unwrap();
    let Verdict::Refused(refused) = answer else { panic!("an administrator got a permit") };
    assert!(refused.reasons.iter().any(|reason| reason.rule == "administrator-sees-no-picture"), "{refused:?}");
    let entry = opened.core.journal().entry(refused.leaf).unwrap();
    assert!(matches!(entry.event, Event::Refusal { role, .. } if role == "administrator"));
}

#[test]
fn without_an_entry_there_is_no_permit_and_no_refusal() {
    for (role, happened) in [("operator", Happened::No), ("operator", Happened::Yes), ("administrator", Happened::No)] {
        let world = World::new(2);
        let opened = world.open();
        opened.permit(View::Live, &[1]);
        world.disk.plan(world.disk.steps(), Fault::Error(happened, ErrorKind::StorageFull));
        let answer = opened.core.pass(&session(role), &ask(View::Live, &[1]));
        assert!(matches!(answer, Err(KeeperError::LedgerAway { .. })), "{answer:?}");
        assert!(opened.core.must_restart());
        assert!(opened.core.pass(&session(role), &ask(View::Live, &[1])).is_err(), "until it is opened again");
    }
}

#[test]
fn a_permit_altered_in_any_field_does_not_hold() {
    let world = World::new(3);
    let opened = world.open();
    let permit = opened.permit(View::Replay(span(0, 50)), &[1]);
    assert!(holds(&opened, &permit));
    let alter: [fn(&mut Permit); 8] = [
        |permit| permit.id.0[0] ^= 1,
        |permit| permit.account[0] ^= 1,
        |permit| permit.cameras.push(camera(2)),
        |permit| permit.view = View::Replay(span(0, 51)),
        |permit| permit.purpose = domain::Purpose::Terrorism,
        |permit| permit.leaf += 1,
        |permit| permit.expires = UtcMicros(permit.expires.0 + 1),
        |permit| permit.code[31] ^= 1,
    ];
    for (n, alter) in alter.into_iter().enumerate() {
        let mut altered = permit.clone();
        alter(&mut altered);
        assert!(!holds(&opened, &altered), "field {n}");
        let query = KeyQuery { permit: altered, stream: stream(1), span: span(0, 10), parts: Vec::new() };
        assert!(matches!(opened.core.keys(&query), Err(KeeperError::NoPermit)), "field {n}");
    }
}

#[test]
fn a_permit_ends_with_its_time_its_look_its_session_its_account_and_its_keeper() {
    let ends: [fn(&World, &Opened, &Permit); 4] = [
        |world, _, _| world.clock.pass(8 * 3_600),
        |_, opened, _| {
            opened.core.account_disable(ledger::Actor::Cli { uid: 0 }, &name("operator")).unwrap();
        },
        |world, _, _| world.clock.step(9 * 3_600),
        |world, _, _| world.clock.pass(3_601), // the session was not used for an hour
    ];
    for (n, end) in ends.into_iter().enumerate() {
        let world = World::new(4);
        let opened = world.open();
        let permit = opened.permit(View::Live, &[1]);
        assert!(holds(&opened, &permit));
        end(&world, &opened, &permit);
        assert!(!holds(&opened, &permit), "way {n}");
    }
    let world = World::new(5);
    let permit = world.open().permit(View::Live, &[1]);
    assert!(!holds(&world.open(), &permit), "another life of the keeper");
}

fn name(text: &str) -> SessionSecret {
    SessionSecret::new(text.into())
}

#[test]
fn a_live_permit_gives_no_keys_and_a_replay_permit_only_those_of_its_cameras_and_span() {
    let world = World::new(6);
    let opened = world.open();
    let minted = opened.mint(0, &[1, 2]);
    let part = opened.reel(7, &minted[0], 0, own_group(7));
    let query = |permit: Permit, stream, span| KeyQuery { permit, stream, span, parts: vec![part.clone()] };
    let refused = |query: KeyQuery| matches!(opened.core.keys(&query), Err(KeeperError::NoPermit));
    assert!(refused(query(opened.permit(View::Live, &[1]), stream(1), span(0, 10))));
    let permit = opened.permit(View::Replay(span(2, 5)), &[1]);
    assert!(refused(query(permit.clone(), stream(2), span(2, 5))), "another camera");
    assert!(refused(query(permit.clone(), stream(1), span(2, 6))), "beyond its span");
    assert!(refused(query(permit.clone(), stream(1), span(1, 5))), "before its span");
    let theirs = opened.reel(8, &minted[1], 0, own_group(8));
    let mixed = KeyQuery { permit: permit.clone(), stream: stream(1), span: span(2, 5), parts: vec![theirs] };
    assert!(matches!(opened.core.keys(&mixed), Err(KeeperError::Malformed { .. })), "another camera's reel");
    let answer = opened.core.keys(&query(permit, stream(1), span(2, 5))).unwrap();
    let (number, key) = &answer.reels[0].chunks[0];
    assert_eq!(*key, minted[0].data_key.record_key(ReelId([7; 16]), seal::Kind::Chunk, 3, *number));
}

#[test]
fn keys_go_back_to_the_start_of_the_group_and_not_one_chunk_more() {
    let world = World::new(7);
    let opened = world.open();
    let minted = opened.mint(0, &[1]).remove(0);
    let permit = opened.permit(View::Replay(span(23, 25)), &[1]);
    let part = |id: u8, from, group: u8, chunk| {
        opened.reel(id, &minted, from, GroupStart { reel: ReelId([group; 16]), chunk })
    };
    let ask = |parts: Vec<_>| {
        let query = KeyQuery { permit: permit.clone(), stream: stream(1), span: span(23, 25), parts };
        keys(&opened, &query).unwrap()
    };
    assert_eq!(ask(vec![part(7, 20, 7, 4)]), [(7, (4..10).collect())], "a start in the same reel");
    let before = part(6, 10, 6, 0);
    let in_earlier = part(7, 20, 6, 15);
    let both = [(6, (15..20).collect::<Vec<u32>>()), (7, (0..10).collect())];
    assert_eq!(ask(vec![before.clone(), in_earlier.clone()]), both, "a start in the reel before");
    assert_eq!(ask(vec![in_earlier.clone()]), [(7, (0..10).collect())], "which is not among the parts");
    // reels that have nothing to do with the span, smuggled in before, between and after
    let foreign = [part(1, 0, 1, 0), part(2, 40, 2, 0), part(3, 12, 3, 0)];
    let [a, b, c] = foreign;
    assert_eq!(ask(vec![a, before.clone(), b, in_earlier.clone(), c]), both);
    let late = part(8, 24, 8, 0);
    let reversed = ask(vec![late, in_earlier, before]);
    assert_eq!(reversed, [(8, vec![0, 1]), (7, (0..10).collect()), (6, (15..20).collect())], "the order opens nothing");
}
