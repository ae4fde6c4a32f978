//! What scrubbing finds: entered once whoever repeats it, an alarm until that footage is dead, also across restarts (decision 0052).

use crate::support::*;
use domain::ReelId;
use keeper::wire::FindingState;
use ledger::Event;
use vault::keeper::{Beat, Fact};

fn damaged(reel: u8, n: i64) -> Fact {
    Fact::Damaged { reel: ReelId([reel; 16]), hour: hour(n), slot: 3, from: 4096, to: 12_288 }
}

fn entered(opened: &Opened) -> usize {
    let journal = opened.core.journal();
    let events = (0..journal.size()).filter_map(|number| journal.entry(number).ok());
    events.filter(|entry| matches!(entry.event, Event::Damaged { .. })).count()
}

fn alarm(opened: &Opened) -> Option<String> {
    let findings = opened.core.health().unwrap().findings;
    let finding = findings.into_iter().find(|finding| finding.id == "reels-damaged")?;
    assert_eq!(finding.state, FindingState::Alarm);
    Some(finding.detail_en)
}

#[test]
fn a_damaged_reel_is_entered_once_and_is_an_alarm_until_its_hour_is_dead() {
    let world = World::with_keys_in_memory(81);
    let mut opened = world.open();
    opened.mint(0, &[1]);
    opened.core.enter(&[damaged(1, 0), damaged(1, 0), damaged(2, 0)]).unwrap();
    assert_eq!(entered(&opened), 2);
    // the recorder and the keeper start again: what is found again is known
    opened = world.open();
    opened.core.enter(&[damaged(1, 0)]).unwrap();
    assert_eq!(entered(&opened), 2);
    let told = alarm(&opened).expect("after a restart, too");
    assert!(told.starts_with("2 reel(s)") && told.contains("slot 3, bytes 4096 to 12288"), "{told}");
    world.clock.pass(3 * DAY);
    opened.core.tick().unwrap();
    let dead = opened.core.check(&Beat::default()).unwrap().dead;
    let freed = dead.into_iter().map(|dead| Fact::Freed {
        hour: dead.hour,
        cameras: dead.cameras,
        reels: vec![ReelId([1; 16]), ReelId([2; 16])],
        residual: vec![],
    });
    opened.core.enter(&freed.collect::<Vec<_>>()).unwrap();
    assert_eq!(alarm(&opened), None);
    opened.core.enter(&[damaged(3, 0)]).unwrap();
    assert_eq!((entered(&opened), alarm(&opened)), (2, None), "of dead footage nothing is told");
}
