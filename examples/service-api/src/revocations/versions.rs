//! Which version a user's tokens have: the number that "log out everywhere" raises.
//!
//! It is a second since 1970, so it needs no storage other than the log of revocations:
//!
//! - A token gets the second in which it is minted, or the lowest version that is not revoked, if that is higher.
//! - "Log out everywhere" revokes all versions up to the latest that any instance can have used so far: its own clock
//!   plus the leeway, by which clocks may differ; or one more version, if users log out and in again faster.
//!
//! So all earlier tokens end, even those from an instance whose clock is ahead, and the next login works, even at an
//! instance whose clock is behind. A counter that starts at zero would need storage that forgets nothing: the log
//! forgets an entry once no live token can match it, and the counter would start again, below the versions of tokens
//! that have been minted since.

use portcullis::{clock::UnixTime, policy::Leeway, revocation::RevocationView};

/// The versions of this issuer's tokens.
#[derive(Clone, Debug)]
pub(crate) struct TokenVersions {
    issuer: String,
    leeway: Leeway,
    view: RevocationView,
}

impl TokenVersions {
    pub(crate) fn new(issuer: &str, leeway: Leeway, view: impl Into<RevocationView>) -> Self {
        Self { issuer: issuer.to_owned(), leeway, view: view.into() }
    }

    /// The version of a token that the user gets now.
    pub(crate) fn of_new_token(&self, user: &str, now: UnixTime) -> u64 {
        let least = self.view.current_version(&self.issuer, user).unwrap_or_default();
        // Exactly the least: a higher one would outlive the next "log out everywhere".
        now.as_secs().max(least)
    }

    /// The least version that is good after the user's tokens have been revoked now. `presented` is the version of one
    /// of them.
    pub(crate) fn after_log_out(&self, user: &str, presented: Option<u64>, now: UnixTime) -> u64 {
        let latest_clock = now.plus(self.leeway.as_duration()).as_secs();
        let highest = self.of_new_token(user, now).max(presented.unwrap_or(0)).max(latest_clock);
        highest.saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use portcullis::revocation::{Revocation, ViewWriter};

    use super::*;

    const ISSUER: &str = "https://service.test";
    const NOON: UnixTime = UnixTime::from_secs(1_800_000_000);

    /// An instance, and its view of the log that all share.
    struct Instance {
        writer: ViewWriter,
        versions: TokenVersions,
    }

    fn instance() -> Instance {
        let writer = ViewWriter::builder(Duration::from_secs(86_400)).build();
        let versions = TokenVersions::new(ISSUER, Leeway::from_secs(30).unwrap(), &writer);
        Instance { writer, versions }
    }

    fn is_live(instance: &Instance, version: u64) -> bool {
        instance.versions.view.current_version(ISSUER, "alice").is_none_or(|current| version >= current)
    }

    fn log_out(everywhere: &[&Instance], user: &str, version: u64) {
        for Instance { writer, .. } in everywhere {
            writer.merge(&[writer.entry(&Revocation::version(ISSUER, user, version))]);
        }
    }

    fn at(secs: i64) -> UnixTime {
        UnixTime::from_secs(NOON.as_secs().checked_add_signed(secs).unwrap())
    }

    #[test]
    fn a_token_has_the_second_in_which_it_is_minted() {
        assert_eq!(instance().versions.of_new_token("alice", NOON), NOON.as_secs());
    }

    #[test]
    fn what_was_minted_before_ends_and_the_next_login_is_good() {
        for (clock_here, clock_there) in [(0, 0), (0, 30), (0, -30), (30, 0), (-30, 0)] {
            let (here, there) = (instance(), instance());
            let old = [
                here.versions.of_new_token("alice", at(clock_here)),
                there.versions.of_new_token("alice", at(clock_there)),
            ];
            log_out(&[&here, &there], "alice", here.versions.after_log_out("alice", Some(old[0]), at(clock_here)));
            for (instance, clock) in [(&here, at(clock_here)), (&there, at(clock_there))] {
                assert!(old.iter().all(|old| !is_live(instance, *old)), "{old:?}");
                let new = instance.versions.of_new_token("alice", clock);
                assert!(is_live(instance, new) && !is_live(instance, new - 1));
                assert_eq!(
                    instance.versions.of_new_token("bob", clock),
                    clock.as_secs(),
                    "other users are not affected"
                );
            }
        }
    }

    #[test]
    fn whoever_logs_out_and_in_again_and_again_is_logged_out_each_time() {
        let (here, there) = (instance(), instance());
        let mut old = vec![there.versions.of_new_token("alice", at(30))];
        for _ in 0..100 {
            log_out(&[&here, &there], "alice", here.versions.after_log_out("alice", None, NOON));
            assert!(old.iter().all(|old| !is_live(&there, *old)));
            old.extend([here.versions.of_new_token("alice", NOON), there.versions.of_new_token("alice", at(30))]);
        }
    }

    #[test]
    fn a_version_that_was_raised_by_hand_is_found() {
        let here = instance();
        for version in [NOON.as_secs() + 1, NOON.as_secs() + 86_400, 1 << 52, u64::MAX] {
            log_out(&[&here], "alice", version);
            assert_eq!(here.versions.of_new_token("alice", NOON), version);
        }
        assert_eq!(here.versions.after_log_out("alice", None, NOON), u64::MAX, "no further, and no overflow");
    }
}
