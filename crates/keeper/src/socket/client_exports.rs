//! What web asks the keeper about requisitions, holds and exports.

use super::client::{KeeperClient, unexpected};
use crate::wire::{
    Answer, Question,
    exports::{ExportAnswer, ExportQuestion},
    holds::{HoldAnswer, HoldQuestion},
};
use vault::KeeperError;

impl KeeperClient {
    pub fn export(&self, question: ExportQuestion) -> Result<ExportAnswer, KeeperError> {
        match self.ask(&Question::Export(Box::new(question)))? {
            Answer::Export(answer) => Ok(*answer),
            other => Err(unexpected(&other)),
        }
    }

    pub fn hold(&self, question: HoldQuestion) -> Result<HoldAnswer, KeeperError> {
        match self.ask(&Question::Hold(Box::new(question)))? {
            Answer::Hold(answer) => Ok(*answer),
            other => Err(unexpected(&other)),
        }
    }
}
