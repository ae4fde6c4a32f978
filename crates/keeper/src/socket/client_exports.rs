//! What web asks the keeper about requisitions, holds, exports, requests for access, and papers.

use super::client::{KeeperClient, unexpected};
use crate::wire::{
    Answer, Question,
    access::{AccessAnswer, AccessQuestion},
    exports::{ExportAnswer, ExportQuestion},
    holds::{HoldAnswer, HoldQuestion},
    links::{LinkAnswer, LinkQuestion},
    papers::{PaperAnswer, PaperQuestion},
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

    pub fn link(&self, question: LinkQuestion) -> Result<LinkAnswer, KeeperError> {
        match self.ask(&Question::Link(Box::new(question)))? {
            Answer::Link(answer) => Ok(*answer),
            other => Err(unexpected(&other)),
        }
    }

    pub fn paper(&self, question: PaperQuestion) -> Result<PaperAnswer, KeeperError> {
        match self.ask(&Question::Paper(Box::new(question)))? {
            Answer::Paper(answer) => Ok(*answer),
            other => Err(unexpected(&other)),
        }
    }

    pub fn access(&self, question: AccessQuestion) -> Result<AccessAnswer, KeeperError> {
        match self.ask(&Question::Access(Box::new(question)))? {
            Answer::Access(answer) => Ok(*answer),
            other => Err(unexpected(&other)),
        }
    }
}
