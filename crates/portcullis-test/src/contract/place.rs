//! [`LogPlace`]: where a log is stored, and the faults that can happen to it there.

use std::{fmt, future::Future, time::Duration};

use portcullis_core::{Clock, UnixTime, clock::SystemClock, revocation::RevocationLog};

/// Where a log is stored, as the contract's tests see it.
///
/// Every method that causes a fault has to be implemented. If the fault cannot happen there, return [`Possible::No`], and declare it with
/// the reason by [`RevocationLogContract::without`](super::RevocationLogContract::without).
pub trait LogPlace {
    /// The log.
    type Log: RevocationLog;

    /// Opens a handle to the log, like another instance of a service.
    fn open(&self) -> impl Future<Output = Self::Log> + Send;

    /// Returns the time that the log uses to expire entries. Defaults to the system's time.
    fn now(&self) -> UnixTime {
        SystemClock.now()
    }

    /// Kills the process that keeps the log, like `kill -9`, and starts it again. No handles are open at that time.
    fn crash(&mut self) -> impl Future<Output = Possible> + Send;

    /// Deletes all entries of the log, like a replaced disk.
    fn lose_everything(&mut self) -> impl Future<Output = Possible> + Send;

    /// Makes a backup of the log, for [`roll_back`](Self::roll_back).
    fn save(&mut self) -> impl Future<Output = Possible> + Send;

    /// Restores the backup.
    fn roll_back(&mut self) -> impl Future<Output = Possible> + Send;

    /// Removes all but the newest few hundred entries, or all entries, before they expire.
    fn trim(&mut self) -> impl Future<Output = Possible> + Send;

    /// Writes texts into the log, one after the other, like another program or a later version of this one.
    fn write(&mut self, texts: &[&str]) -> impl Future<Output = Possible> + Send;

    /// Lets this much time pass for the log.
    fn pass(&mut self, time: Duration) -> impl Future<Output = Possible> + Send;
}

/// Whether a fault can happen to a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Possible {
    /// It has happened.
    Yes,
    /// It cannot happen.
    No,
}

/// A fault that can happen to a log: the methods of [`LogPlace`] by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Switch {
    /// [`LogPlace::crash`].
    Crash,
    /// [`LogPlace::lose_everything`].
    LoseEverything,
    /// [`LogPlace::save`] and [`LogPlace::roll_back`].
    RollBack,
    /// [`LogPlace::trim`].
    Trim,
    /// [`LogPlace::write`].
    Write,
    /// [`LogPlace::pass`].
    Pass,
}

impl Switch {
    /// All faults.
    pub const ALL: [Self; 6] = [Self::Crash, Self::LoseEverything, Self::RollBack, Self::Trim, Self::Write, Self::Pass];
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Crash => "crash",
            Self::LoseEverything => "lose everything",
            Self::RollBack => "roll back",
            Self::Trim => "trim",
            Self::Write => "write a foreign text",
            Self::Pass => "let time pass",
        })
    }
}
