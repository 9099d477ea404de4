//! Where a log lives, and what can happen to it there.

use std::future::{Future, ready};

use portcullis_core::RevocationLog;

/// Where a log lives, as the contract's tests see it. A method that does nothing says that this cannot happen to the log, and the tests for it
/// are left out.
pub trait LogPlace {
    /// The log.
    type Log: RevocationLog;

    /// A handle to the log, as another instance of a service would have one.
    fn open(&self) -> impl Future<Output = Self::Log> + Send;

    /// Kills whatever keeps the log, as `kill -9` does, and starts it again. There are no handles then. No log is without it that survives
    /// anything, so this one has no default.
    fn crash(&mut self) -> impl Future<Output = Possible> + Send;

    /// Loses everything that is in the log, as somebody does who replaces a disk.
    fn lose_everything(&mut self) -> impl Future<Output = Possible> + Send {
        ready(Possible::No)
    }

    /// Remembers how the log stands now, for [`roll_back`](Self::roll_back).
    fn save(&mut self) -> impl Future<Output = Possible> + Send {
        ready(Possible::No)
    }

    /// Takes the log back to how it was saved, as somebody does who restores a backup.
    fn roll_back(&mut self) -> impl Future<Output = Possible> + Send {
        ready(Possible::No)
    }

    /// Removes all but the newest few hundred entries, or all of them, before their time.
    fn trim(&mut self) -> impl Future<Output = Possible> + Send {
        ready(Possible::No)
    }
}

/// Whether something can happen to a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Possible {
    /// It has happened.
    Yes,
    /// It cannot.
    No,
}
