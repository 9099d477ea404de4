//! How many sessions a user may have, and how much is under way at once.

use portcullis_core::{ConfigError, revocation::Revoker};

use super::{EndReason, Family, RefreshError, RefreshStore, Sessions, Subjects};
use crate::tasks::Tasks;

/// More than any user has devices, and few enough to end all of them at once, within a second.
pub(super) const MOST_SESSIONS: usize = 1000;

impl<S: RefreshStore, R: Revoker, J: Subjects> Sessions<S, R, J> {
    /// Sets how many live sessions a user may have, of all clients together. A log-in beyond that ends the one that would end first without use:
    /// with one policy for all clients, the one that was not used for the longest time. Without a limit, someone who has a password can
    /// open so many that to log out everywhere takes minutes.
    ///
    /// Defaults to 1000. For [`usize::MAX`], nothing is counted. Log-ins at the same time may go beyond the limit until the next one.
    ///
    /// # Errors
    ///
    /// If it is zero, or the sessions are already in use: configure them first.
    pub fn most_sessions(self, most: usize) -> Result<Self, ConfigError> {
        if most == 0 {
            return Err(ConfigError::new("with no session for each user, no one can log in: set 1 or more"));
        }
        self.configure(|inner| inner.most_sessions = most)
    }

    /// Sets how many refreshes and log-ins by codes are under way at once, at most: they go on if their client hangs up. Ends of sessions have room for
    /// as many of their own. One more is answered with [`Unavailable::TooManyAtOnce`](super::Unavailable::TooManyAtOnce), and nothing was begun: the client may try again.
    ///
    /// Defaults to 4096.
    ///
    /// # Errors
    ///
    /// If it is zero, or the sessions are already in use: configure them first.
    pub fn most_at_once(self, most: usize) -> Result<Self, ConfigError> {
        if most == 0 {
            return Err(ConfigError::new("with nothing at once, nothing is ever done: set 1 or more"));
        }
        self.configure(|inner| inner.tasks = Tasks::at_most(most))
    }

    /// Ends sessions of a user that are too many, beside the one that was opened just now.
    pub(super) async fn make_room(&self, opened: &Family) -> Result<(), RefreshError> {
        let most = self.0.most_sessions;
        if most == usize::MAX {
            return Ok(());
        }
        let surplus = self.0.store.surplus_of(opened.log_in.subject(), most).await?;
        for session in surplus.into_iter().filter(|session| *session != opened.id) {
            self.end_now(session, EndReason::TooMany).await?;
        }
        Ok(())
    }
}
