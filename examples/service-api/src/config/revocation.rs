//! Where revocations are kept, and how old knowledge of them may be.

use std::{path::Path, time::Duration};

use super::{file::RevocationTable, problems::Problems};
use crate::revocations::LogPlace;

/// What revocation goes by.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RevocationRules {
    pub(crate) place: LogPlace,
    /// How long this instance trusts what it knows when the log does not answer.
    pub(crate) max_staleness: Duration,
}

impl RevocationRules {
    /// There is no default for the log, because a wrong choice would go unnoticed until a revoked token is accepted: a
    /// log in memory is lost at a restart, and a log in a file does not reach a second instance.
    pub(super) fn from_table(table: &RevocationTable, folder: &Path, problems: &mut Problems) -> Option<Self> {
        let text = problems.require(
            "revocation.log",
            table.log.as_ref(),
            "name where revocations are kept: for one instance a file, revocations.redb, for several a server's URL",
        );
        let place = text.and_then(|text| {
            let place = LogPlace::parse(text.text(), folder);
            problems.accept("revocation.log", place)
        });
        let max_staleness = max_staleness(table.max_staleness_seconds, problems);
        Some(Self { place: place?, max_staleness })
    }
}

/// Defaults to 5 s: the log confirms once a second, so a single answer may get lost. With 2 s, what it confirmed a
/// second ago would have to come without any delay.
fn max_staleness(seconds: Option<u64>, problems: &mut Problems) -> Duration {
    let seconds = seconds.unwrap_or(5);
    if !(3..=3600).contains(&seconds) {
        problems.add("revocation.max_staleness_seconds", "expected 3 to 3600: the log confirms once a second, at best");
    }
    Duration::from_secs(seconds)
}
