//! Stores of used proofs, for services with several instances.

mod counts;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;

use std::time::Duration;

use portcullis_core::{AuthError, Code, UnixTime, revocation::LogError};

#[cfg(feature = "postgres")]
pub use self::postgres::PostgresReplayStore;
#[cfg(feature = "redis")]
pub use self::redis::RedisReplayStore;

/// How much longer than asked an id is remembered: the instance whose clock is furthest behind accepts a proof longest.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);

const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Returns how long to remember an id, from now on; an error if its time is over, so that nothing can be said about it.
fn life(until: UnixTime, now: UnixTime) -> Result<Duration, AuthError> {
    match until.since(now) {
        Duration::ZERO => Err(AuthError::new(Code::ReplayUndecided)
            .with_explanation("whether the proof was used before is not known any more: its time is over")
            .with_retry_after(RETRY_AFTER)),
        // Capped, so that no number of a server overflows.
        life => Ok(life.min(Duration::from_secs(24 * 60 * 60)) + CLOCKS_DIFFER),
    }
}

fn undecided(error: LogError) -> AuthError {
    AuthError::new(Code::ReplayUndecided).with_retry_after(RETRY_AFTER).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_remembered_longer_than_its_proof_is_accepted() {
        let at = |secs: u64| UnixTime::from_secs(1_800_000_000 + secs);
        assert_eq!(life(at(60), at(0)).unwrap(), Duration::from_secs(120));
        assert_eq!(life(at(60), at(59)).unwrap(), Duration::from_secs(61));
        for now in [60, 61] {
            assert_eq!(life(at(60), at(now)).unwrap_err().code(), Code::ReplayUndecided);
        }
        assert_eq!(life(UnixTime::MAX, at(0)).unwrap(), Duration::from_secs(86_460));
    }
}
