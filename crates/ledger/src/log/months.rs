//! The end of the log's own details, month by month, as the log tells it (L2): not too early, announced, confirmed.

use super::{Report, fault::Fault};
use crate::entry::{Entry, Event};

pub(super) fn take(seq: u64, entry: &Entry, report: &mut Report) {
    match &entry.event {
        Event::LogKeyCondemned { month, .. } => {
            if entry.at < month.details_kept_until() {
                report.faults.push(Fault::LogKeyCondemnedEarly { seq, month: *month });
            }
            report.log_key_condemned = report.log_key_condemned.max(Some(*month));
        }
        Event::LogKeyDestroyed { month, copies, .. } => {
            if *copies == 0 {
                report.faults.push(Fault::LogKeyUnconfirmed { seq, month: *month });
            }
            report.log_key_destroyed = report.log_key_destroyed.max(Some(*month));
        }
        _ => {}
    }
}

/// Months die in their order, each announced before; the announcement itself dies later than what it announced.
pub(super) fn conclude(report: &mut Report) {
    if let Some(month) = report.log_key_destroyed.filter(|month| report.log_key_condemned < Some(*month)) {
        report.faults.push(Fault::LogKeyNotCondemned { month });
    }
}
