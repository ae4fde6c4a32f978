//! What web asks the keeper about break-glass.

use super::client::{KeeperClient, unexpected};
use crate::wire::{Answer, GlassDone, GlassView, PersonProof, Question};
use domain::{CameraId, GlassId, Sensitive};
use vault::{KeeperError, keeper::SessionSecret};

/// Denied: come back after so many seconds; 0 where password or code was wrong.
type DoneOrWait = Result<Result<GlassDone, u32>, KeeperError>;

impl KeeperClient {
    pub fn break_glass(&self, session: SessionSecret) -> Result<GlassView, KeeperError> {
        match self.ask(&Question::SeeBreakGlass { session })? {
            Answer::BreakGlass(view) => Ok(*view),
            other => Err(unexpected(&other)),
        }
    }

    pub fn break_glass_ask(
        &self,
        session: SessionSecret,
        cameras: Vec<CameraId>,
        reason: Sensitive<String>,
        password: Sensitive<String>,
        code: Sensitive<String>,
    ) -> DoneOrWait {
        self.glass_done(&Question::BreakGlassAsk { session, cameras, reason, password, code })
    }

    pub fn break_glass_confirm(&self, session: SessionSecret, glass: GlassId, person: PersonProof) -> DoneOrWait {
        self.glass_done(&Question::BreakGlassConfirm { session, glass, person })
    }

    pub fn break_glass_end(&self, session: SessionSecret, glass: GlassId) -> DoneOrWait {
        self.glass_done(&Question::BreakGlassEnd { session, glass })
    }

    pub fn break_glass_acknowledge(&self, session: SessionSecret, glass: GlassId) -> DoneOrWait {
        self.glass_done(&Question::BreakGlassAcknowledge { session, glass })
    }

    fn glass_done(&self, question: &Question) -> DoneOrWait {
        match self.ask(question)? {
            Answer::GlassDone(done) => Ok(Ok(done)),
            Answer::Denied { wait_seconds } => Ok(Err(wait_seconds)),
            other => Err(unexpected(&other)),
        }
    }
}
