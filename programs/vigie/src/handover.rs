//! What `serve` hands to each role on its standard input: role secrets, never an argument or a variable (P3).
//!
//! The descriptor stays open: its end tells the role that `serve` stops, or died.

use domain::Secret32;
use keeper::socket::{read_message, write_message};
use serde::{Deserialize, Serialize};
use std::{
    io::{self, Read, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

const HANDOVER_BYTES_MAX: usize = 4_096;

/// Secrets by which the processes know each other, made anew at each start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Handover {
    /// Recorder at the keeper.
    pub recorder: Secret32,
    /// Web at the keeper.
    pub web: Secret32,
    /// Web at the recorder.
    pub recorder_web: Secret32,
    /// The auditor at the keeper.
    pub auditor: Secret32,
}

impl Handover {
    pub fn give(&self, to: &mut impl Write) -> Result<(), keeper::socket::MessageError> {
        write_message(to, self, HANDOVER_BYTES_MAX)
    }

    /// All that the auditor is given.
    pub fn give_auditor(&self, to: &mut impl Write) -> Result<(), keeper::socket::MessageError> {
        write_message(to, &self.auditor, HANDOVER_BYTES_MAX)
    }

    /// Reads the auditor's secret, then watches the descriptor.
    pub fn take_auditor(stop: &Arc<AtomicBool>) -> Result<Secret32, String> {
        Handover::read(stop)
    }

    /// Reads the handover, then watches the descriptor: `stop` is set at its end.
    pub fn take(stop: &Arc<AtomicBool>) -> Result<Handover, String> {
        Handover::read(stop)
    }

    fn read<T: serde::de::DeserializeOwned>(stop: &Arc<AtomicBool>) -> Result<T, String> {
        let mut input = io::stdin();
        let handover = read_message(&mut input, HANDOVER_BYTES_MAX)
            .map_err(|error| error.to_string())?
            .ok_or("a role is started by `vigie serve`, not by hand")?;
        Handover::watch(stop);
        Ok(handover)
    }

    /// For a role that is handed nothing: only watches the descriptor.
    pub fn watch(stop: &Arc<AtomicBool>) {
        let stop = stop.clone();
        std::thread::spawn(move || {
            let (mut input, mut rest) = (io::stdin(), [0; 64]);
            // anything but bytes means that the other end is gone
            while matches!(input.read(&mut rest), Ok(1..)) {}
            stop.store(true, Ordering::SeqCst);
        });
    }
}
