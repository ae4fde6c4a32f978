//! What the health page says of holds: held footage that should lie in the reserve and does not, and what could not be kept.

use super::Hold;
use crate::{
    core::KeeperCore,
    health::finding,
    wire::{Finding, FindingState},
};
use domain::UtcMicros;

/// A reel closes within a minute, and the recorder copies it at once: what waits longer waits for a person.
const WAITS_SECONDS: i64 = 15 * 60;

impl KeeperCore {
    /// None: nothing is held.
    pub(crate) fn holds_finding(&self) -> Option<Finding> {
        let now = self.decision_time();
        let (waiting, incomplete, standing) = {
            let moving = self.moving();
            let numbers = |is: &dyn Fn(&Hold) -> bool| {
                let of =
                    moving.holds.standing().filter(|(_, hold)| is(hold)).map(|(_, hold)| hold.says.number.to_string());
                of.collect::<Vec<_>>()
            };
            let incomplete = |hold: &Hold| hold.kept.is_some_and(|(_, _, missing)| 0 < missing);
            (numbers(&|hold| waits(hold, now)), numbers(&incomplete), moving.holds.standing().count())
        };
        let titles = ("Réserve des gels", "Reserve of holds");
        let (state, texts) = match (waiting.is_empty(), incomplete.is_empty(), standing) {
            (_, _, 0) => return None,
            (false, ..) => (FindingState::Alarm, words_waiting(&waiting.join(", "))),
            (true, false, _) => (FindingState::Warning, words_incomplete(&incomplete.join(", "))),
            (true, true, count) => (
                FindingState::Ok,
                (
                    format!("{count} gel(s) en cours, dans la réserve ou en route."),
                    format!("{count} hold(s) stand, in the reserve or on their way."),
                ),
            ),
        };
        Some(finding("holds-kept", state, titles, texts))
    }
}

/// Longer than it takes once the last of its minutes is over.
fn waits(hold: &Hold, now: UtcMicros) -> bool {
    let over = hold.says.windows.iter().map(|window| window.span.to()).max().unwrap_or(hold.says.opened);
    hold.kept.is_none() && over.max(hold.says.opened).plus_seconds(WAITS_SECONDS) < now
}

fn words_waiting(numbers: &str) -> (String, String) {
    (
        format!(
            "Gel(s) n° {numbers} : leurs images ne sont pas encore dans la réserve. Elles sont gardées, mais avec tout leur emplacement, et rien n’en sera remis tant qu’elles n’y sont pas. Regardez si l’enregistreur répond, si le disque des images est là, et si la réserve a de la place (`store.holds_percent`)."
        ),
        format!(
            "Hold(s) {numbers}: their footage is not in the reserve yet. It is kept, but with all of its slot, and none of it is handed over until it is there. See whether the recorder answers, whether the disk of the footage is there, and whether the reserve has room (`store.holds_percent`)."
        ),
    )
}

fn words_incomplete(numbers: &str) -> (String, String) {
    (
        format!(
            "Gel(s) n° {numbers} : une partie des images ne se lisait plus et n’est pas dans la réserve ; le reste y est. Dites-le à qui a demandé le gel."
        ),
        format!(
            "Hold(s) {numbers}: part of the footage could not be read any more and is not in the reserve; the rest is. Tell whoever asked for the hold."
        ),
    )
}
