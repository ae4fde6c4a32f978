//! Each account with its act, that act's end, and its training in data protection (law ACC-01, ACC-08).

use super::words::{AccountReview, AccountsPage, ActOfPerson};
use crate::{
    core::{KeeperCore, failed, malformed},
    health::finding,
    wire::{Answer, Finding, FindingState, MissingAct},
};
use catalog::Account;
use domain::{Act, ActScope, Role, Sensitive, UtcMicros, limit::TRAINING_MONTHS_MAX};
use ledger::{Actor, Event};
use policy::{
    calendar::{day_en, days_after, months_after},
    golive::missing_of_person,
};
use vault::KeeperError;

/// Papers of one person that are told: the present one and those before it.
const ACTS_TOLD_MAX: usize = 5;

impl KeeperCore {
    pub(super) fn accounts_page(&self, entry: u64) -> Result<AccountsPage, KeeperError> {
        let (now, acts, law) = (self.decision_time(), self.known_acts()?, self.law());
        let trainings = self.parts.registry.trainings().map_err(failed)?;
        let of = |account: Account| {
            let role: Role = account.role.parse().map_err(failed)?;
            let trained = trainings.get(&account.id).copied();
            let lacking = missing_of_person(law.required(), &acts, account.id, role, now);
            let missing = lacking.into_iter().map(|it| MissingAct { rule: it.rule, blocks: true, ended: it.ended });
            Ok(AccountReview {
                role,
                closed: account.disabled,
                acts: of_person(&acts, &account, now),
                missing: missing.collect(),
                trained,
                training_is_old: trained.is_some_and(|trained| is_old(trained, now)),
                name: account.name,
            })
        };
        let accounts = self.parts.registry.accounts().map_err(failed)?.into_iter();
        let accounts = accounts.map(of).collect::<Result<_, KeeperError>>()?;
        Ok(AccountsPage { entry, accounts, required: law.required().to_vec() })
    }

    /// A person was trained in data protection that day: entered, then kept.
    pub fn account_trained(
        &self,
        actor: Actor,
        name: &Sensitive<String>,
        on: UtcMicros,
    ) -> Result<Answer, KeeperError> {
        let now = self.trusted()?;
        let known = self.parts.registry.account_by_name(name.reveal()).map_err(failed)?;
        let account = known.ok_or_else(|| malformed("no account has that name: `vigie account list` names them"))?;
        if now < on {
            return Err(malformed("a training that has not been held yet: give the day on which it was"));
        }
        let change = format!("training on {}", day_en(on));
        self.enter_events(actor, vec![Event::Account { change, name: name.clone(), role: account.role }])?;
        self.parts.registry.training_add(account.id, on, now).map_err(failed)?;
        Ok(Answer::Done)
    }

    /// Open accounts whose training is too long ago, counted: no name leaves the registry for a page that everybody sees.
    pub(crate) fn training_finding(&self, now: UtcMicros) -> Result<Option<Finding>, KeeperError> {
        let trainings = self.parts.registry.trainings().map_err(failed)?;
        let accounts = self.parts.registry.accounts().map_err(failed)?;
        let is_due = |account: &&Account| {
            !account.disabled && trainings.get(&account.id).is_some_and(|trained| is_old(*trained, now))
        };
        let count = accounts.iter().filter(is_due).count();
        Ok((0 < count).then(|| {
            finding(
                "training",
                FindingState::Warning,
                ("Formation à la protection des données", "Training in data protection"),
                (
                    format!("{count} compte(s) dont la formation a plus de {TRAINING_MONTHS_MAX} mois. Formez ces personnes, puis notez le jour : `vigie account training`. Le délégué voit lesquelles dans Relecture."),
                    format!("{count} account(s) whose training is more than {TRAINING_MONTHS_MAX} months ago. Train these persons, then note the day: `vigie account training`. The officer sees which on the page Reviews."),
                ),
            )
        }))
    }
}

fn of_person(acts: &[Act], account: &Account, now: UtcMicros) -> Vec<ActOfPerson> {
    let of = |act: &&Act| act.scope == ActScope::Person(account.id);
    let told = |act: &Act| ActOfPerson {
        kind: act.kind,
        number: act.number.clone(),
        from: act.from,
        end: act.end(),
        holds: act.holds_at(now),
    };
    let mut told: Vec<ActOfPerson> = acts.iter().filter(of).map(told).collect();
    told.sort_by_key(|act| std::cmp::Reverse((act.end.unwrap_or(UtcMicros(i64::MAX)), act.from)));
    told.truncate(ACTS_TOLD_MAX);
    told
}

fn is_old(trained: UtcMicros, now: UtcMicros) -> bool {
    // the day itself still counts
    days_after(months_after(trained, TRAINING_MONTHS_MAX), 1) <= now
}
