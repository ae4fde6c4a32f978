//! Opinions on what is asked for under another text than the requisitions of the CPP: the head of the service and the data-protection
//! officer say whether footage may leave (law REQ-03, REQ-10; law.md section 11, 4b). Without both, favourable, nothing does.
//!
//! Give: 1 who may: the data-protection officer, or an agent who may process requisitions and wrote no version of this line · 2 it takes
//! opinions, and the town has not refused it · 3 entry *requisition*, changed · 4 the registry has it, sealed. A further version of what
//! the line says begins without opinions.

use crate::{
    core::{KeeperCore, failed, malformed},
    requisitions::{PAGE_BYTES_MAX, TEXT_CHARS_MAX},
    wire::{
        exports::{ExportAnswer, OpinionView},
        papers::Pictures,
    },
};
use catalog::Account;
use domain::{
    Requisition, RequisitionId, Role, Sensitive,
    limit::REASON_CHARS_MIN,
    requisition::{Adviser, Opinion, Outcome},
};
use vault::{KeeperError, keeper::SessionSecret};

const FAVOURABLE: &str = "opinion-favourable";
const UNFAVOURABLE: &str = "opinion-unfavourable";
/// Of one line: whoever changes their mind oftener enters the request anew.
const OPINIONS_MAX: usize = 20;

impl KeeperCore {
    pub(crate) fn opinion_give(
        &self,
        session: &SessionSecret,
        id: RequisitionId,
        (favourable, reason): (bool, Sensitive<String>),
    ) -> Result<ExportAnswer, KeeperError> {
        let (account, adviser) = self.adviser(session)?; // 1
        let at = self.trusted()?;
        let chars = reason.reveal().trim().chars().count();
        if !(REASON_CHARS_MIN..=TEXT_CHARS_MAX).contains(&chars) {
            return Err(malformed(format!(
                "an opinion says why, in {REASON_CHARS_MIN} to {TEXT_CHARS_MAX} characters"
            )));
        }
        let _one_at_a_time = self.registering();
        let mut known = self.known_requisition(id)?;
        let says = &mut known.0.says;
        if !says.framework.takes_opinions() {
            return Err(malformed("a requisition of the CPP is executed, no opinion is asked on it"));
        }
        if adviser == Adviser::HeadOfService && says.written_by.contains(&account.id) {
            return Err(KeeperError::Forbidden {
                what: "the opinion on a request that you entered yourself (CSI R253-2: another agent gives it)".into(),
            });
        }
        if says.answer.as_ref().is_some_and(|answer| answer.outcome == Outcome::Refused) {
            return Err(malformed("the town refused this request: enter another answer first"));
        }
        if OPINIONS_MAX <= says.opinions.len() {
            return Err(malformed("no further opinion is taken on this request: enter it anew"));
        } // 2
        says.opinions.push(Opinion { at, adviser, by: account.name.clone(), favourable, reason });
        self.put_requisition(&account, if favourable { FAVOURABLE } else { UNFAVOURABLE }, &known) // 3, 4
    }

    /// The newest first, as many as a message holds.
    pub(crate) fn opinions(&self, session: &SessionSecret) -> Result<ExportAnswer, KeeperError> {
        let (account, adviser) = self.adviser(session)?;
        let rows = self.parts.registry.requisitions().map_err(failed)?;
        let (mut views, mut bytes) = (Vec::new(), 0);
        for row in rows.iter().rev() {
            let known = self.requisition_of(row)?;
            if !known.says.framework.takes_opinions() {
                continue;
            }
            // its windows get names and places
            bytes += row.facts.len() * 2;
            if PAGE_BYTES_MAX < bytes {
                break;
            }
            let pictures = self.pictures(&known.says.windows)?;
            views.push(view(known, pictures, &account, adviser));
        }
        Ok(ExportAnswer::Opinions(views))
    }

    fn adviser(&self, session: &SessionSecret) -> Result<(Account, Adviser), KeeperError> {
        let (account, _) = self.who_acts(session)?;
        if account.role == Role::Dpo.name() {
            return Ok((account, Adviser::Dpo));
        }
        Ok((self.registrar(session)?, Adviser::HeadOfService))
    }
}

fn view(known: Requisition, pictures: Vec<Pictures>, account: &Account, adviser: Adviser) -> OpinionView {
    let (number, says) = (known.label(), known.says);
    let is_own = says.written_by.contains(&account.id);
    OpinionView {
        requisition: known.id,
        number,
        received: says.received,
        framework: says.framework_title(),
        service: says.authority.service,
        procedure: says.procedure,
        object: says.object,
        pictures,
        has_act: says.scan.is_some(),
        is_genuine: says.genuine.is_some(),
        opinions: says.opinions,
        may: (adviser == Adviser::Dpo || !is_own).then_some(adviser),
    }
}
