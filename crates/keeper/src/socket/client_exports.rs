//! What web asks the keeper about requisitions and exports.

use super::client::{KeeperClient, unexpected};
use crate::wire::{
    Answer, Question,
    exports::{ExportAnswer, ExportQuestion},
};
use vault::KeeperError;

impl KeeperClient {
    pub fn export(&self, question: ExportQuestion) -> Result<ExportAnswer, KeeperError> {
        match self.ask(&Question::Export(Box::new(question)))? {
            Answer::Export(answer) => Ok(*answer),
            other => Err(unexpected(&other)),
        }
    }
}
