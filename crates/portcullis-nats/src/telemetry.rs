//! The only place that emits events: all other code calls these functions, with or without the feature `tracing`.
//!
//! What an operator has to look at is logged at `warn` and `error`. Requests cause no events.

#[cfg(all(feature = "nats", feature = "tracing"))]
pub(crate) use enabled::not_followed;
#[cfg(feature = "tracing")]
pub(crate) use enabled::{account_rolled_back, look_up_failed, look_up_succeeded, update_not_taken};

#[cfg(all(feature = "nats", not(feature = "tracing")))]
pub(crate) use disabled::not_followed;
#[cfg(not(feature = "tracing"))]
pub(crate) use disabled::{account_rolled_back, look_up_failed, look_up_succeeded, update_not_taken};

#[cfg(feature = "tracing")]
mod enabled {
    use std::error::Error;

    use portcullis_core::text::LogText;

    use crate::nkey::AccountKey;

    /// The target for filters: the crate, independent of the module.
    const TARGET: &str = "portcullis_nats";

    /// A token of an account is older than one that was seen before.
    pub(crate) fn account_rolled_back(id: &AccountKey) {
        tracing::warn!(
            target: TARGET, account = %id,
            "an older token of this account was refused, which would undo revocations: has the place of accounts been restored from a copy? \
             If that is intended, reset the account's floor"
        );
    }

    /// Accounts cannot be looked up, so many times in a row.
    pub(crate) fn look_up_failed(error: &(dyn Error + 'static), failures: u64) {
        let error = LogText::of_error(error);
        tracing::warn!(target: TARGET, %error, failures, "accounts cannot be looked up; those that are held stay in use for a while");
    }

    /// Accounts can be looked up, after so many failures.
    pub(crate) fn look_up_succeeded(failures: u64) {
        if failures > 0 {
            tracing::info!(target: TARGET, failures, "accounts can be looked up again");
        }
    }

    /// Changes of accounts cannot be followed, so many times in all.
    #[cfg(feature = "nats")]
    pub(crate) fn not_followed(error: &(dyn Error + 'static), failures: u64) {
        let error = LogText::of_error(error);
        tracing::warn!(
            target: TARGET, %error, failures,
            "changes of accounts are not followed, and are seen with the next look-up only; this is tried again each second"
        );
    }

    /// The resolver has sent a token that cannot be used.
    pub(crate) fn update_not_taken(id: &AccountKey, error: &dyn Error) {
        let error = LogText::of_error(error);
        tracing::warn!(target: TARGET, account = %id, %error, "the resolver has sent a new token of an account that is not used");
    }
}

#[cfg(not(feature = "tracing"))]
mod disabled {
    use std::error::Error;

    use crate::nkey::AccountKey;

    pub(crate) fn account_rolled_back(_: &AccountKey) {}

    pub(crate) fn look_up_failed(_: &(dyn Error + 'static), _: u64) {}

    pub(crate) fn look_up_succeeded(_: u64) {}

    #[cfg(feature = "nats")]
    pub(crate) fn not_followed(_: &(dyn Error + 'static), _: u64) {}

    pub(crate) fn update_not_taken(_: &AccountKey, _: &dyn Error) {}
}
