//! All metrics of the crates of this family. `docs/metrics.md` of the crate `portcullis` has the same table for people.

use super::Metric;

/// Requests that reached a layer.
pub static REQUESTS: Metric = Metric::counter(
    "portcullis_requests_total",
    "Requests that a layer decided about.",
    &["layer", "issuer", "result", "code"],
);

/// Admitted requests whose token was verified before.
pub static CACHE_HITS: Metric = Metric::counter(
    "portcullis_cache_hits_total",
    "Admitted requests whose credential was found in the cache and did not have to be verified.",
    &["layer", "issuer"],
);

/// Refusals behind a layer.
pub static GUARD_REFUSALS: Metric = Metric::counter(
    "portcullis_guard_refusals_total",
    "Admitted requests that a guard or an extractor refused.",
    &["layer", "code"],
);

/// The duration of verifications.
pub static VERIFICATION: Metric = Metric::histogram(
    "portcullis_verification_seconds",
    "How long it took to verify a credential that was not cached, including the wait for its keys.",
    &["layer"],
);

/// Usable keys.
pub static KEYS: Metric = Metric::gauge("portcullis_keys", "Keys that tokens can be verified with.", &["source"]);

/// The age of keys.
pub static KEYS_AGE: Metric = Metric::gauge(
    "portcullis_keys_age_seconds",
    "Time since the issuer was last seen to publish these keys.",
    &["source"],
);

/// Whether tokens can be verified.
pub static KEYS_READY: Metric =
    Metric::gauge("portcullis_keys_ready", "1 if tokens can be verified with these keys, 0 if not.", &["source"]);

/// Fetches of keys.
pub static KEY_FETCHES: Metric = Metric::counter(
    "portcullis_key_fetches_total",
    "Finished attempts to fetch keys; `result` is ok or failed.",
    &["source", "result"],
);

/// Entries of a view.
pub static REVOCATION_ENTRIES: Metric =
    Metric::gauge("portcullis_revocation_entries", "Revocations that this process remembers.", &["source"]);

/// The age of a view.
pub static REVOCATION_AGE: Metric = Metric::gauge(
    "portcullis_revocation_view_age_seconds",
    "Time since the log last confirmed that it has nothing newer; absent before the first time.",
    &["source"],
);

/// Whether a view is fresh.
pub static REVOCATION_FRESH: Metric = Metric::gauge(
    "portcullis_revocation_view_fresh",
    "1 if the log has confirmed the view within `max_staleness`, 0 if not.",
    &["source"],
);

/// Whether a view is followed.
pub static REVOCATION_FOLLOWED: Metric =
    Metric::gauge("portcullis_revocation_followed", "1 if a task follows the log, 0 if none does.", &["source"]);

/// The lag of a log.
pub static REVOCATION_LAG: Metric = Metric::gauge(
    "portcullis_revocation_lag_seconds",
    "How long it took until this instance had read the latest canary or revocation; absent before the first.",
    &["source"],
);

/// Requests that were admitted with a stale view.
pub static REVOCATION_SERVED_STALE: Metric = Metric::counter(
    "portcullis_revocation_served_stale_total",
    "Requests that were admitted although the view was stale, because their route permits it.",
    &["source"],
);

/// Revocations that are not durable yet.
pub static REVOCATION_UNACKNOWLEDGED: Metric = Metric::gauge(
    "portcullis_revocation_unacknowledged",
    "Revocations of this instance that the log has not acknowledged.",
    &["source"],
);

/// Restarts of a log.
pub static REVOCATION_RESTARTS: Metric = Metric::counter(
    "portcullis_revocation_restarts_total",
    "How often the log had to be read again from its beginning.",
    &["source"],
);

/// Unreadable records of a log.
pub static REVOCATION_UNREADABLE: Metric = Metric::counter(
    "portcullis_revocation_unreadable_total",
    "Records in the log that this version cannot read as entries.",
    &["source"],
);

/// Ids of proofs in a store.
pub static REPLAY_IDS: Metric =
    Metric::gauge("portcullis_replay_ids", "Ids of used proofs that this process remembers.", &["source"]);

/// Proofs that were used again.
pub static REPLAY_REPEATED: Metric = Metric::counter(
    "portcullis_replay_repeated_total",
    "Proofs that were refused because they had been used before.",
    &["source"],
);

/// Proofs about which a store could not decide.
pub static REPLAY_UNDECIDED: Metric = Metric::counter(
    "portcullis_replay_undecided_total",
    "Proofs about which the store could not decide, because it was full or could not be reached.",
    &["source"],
);

/// Accounts of NATS.
pub static ACCOUNTS: Metric =
    Metric::gauge("portcullis_accounts", "Accounts of NATS that this process holds.", &["source"]);

/// The age of accounts.
pub static ACCOUNTS_AGE: Metric = Metric::gauge(
    "portcullis_accounts_age_seconds",
    "Time since that account was looked up whose look-up is the longest ago; absent without accounts.",
    &["source"],
);

/// Look-ups of accounts.
pub static ACCOUNT_LOOKUPS: Metric = Metric::counter(
    "portcullis_account_lookups_total",
    "Finished look-ups of accounts; `result` is found, unknown, refused or failed.",
    &["source", "result"],
);

/// Look-ups of accounts that are under way.
pub static ACCOUNT_LOOKUPS_UNDER_WAY: Metric =
    Metric::gauge("portcullis_account_lookups_under_way", "Look-ups of accounts that wait for an answer.", &["source"]);

/// Accounts that callers bring along.
pub static ACCOUNT_STAPLES: Metric = Metric::counter(
    "portcullis_account_staples_total",
    "New account tokens that callers brought along; `result` is accepted or refused.",
    &["source", "result"],
);

/// Floors of accounts.
pub static ACCOUNT_FLOORS: Metric =
    Metric::gauge("portcullis_account_floors", "Accounts whose newest issue time is remembered.", &["source"]);

/// Older tokens of accounts.
pub static ACCOUNT_ROLLBACKS: Metric = Metric::counter(
    "portcullis_account_rollbacks_total",
    "Account tokens that were refused because a newer one had been seen.",
    &["source"],
);

/// All metrics.
pub static ALL: [&Metric; 27] = [
    &REQUESTS,
    &CACHE_HITS,
    &GUARD_REFUSALS,
    &VERIFICATION,
    &KEYS,
    &KEYS_AGE,
    &KEYS_READY,
    &KEY_FETCHES,
    &REVOCATION_ENTRIES,
    &REVOCATION_AGE,
    &REVOCATION_FRESH,
    &REVOCATION_FOLLOWED,
    &REVOCATION_LAG,
    &REVOCATION_SERVED_STALE,
    &REVOCATION_UNACKNOWLEDGED,
    &REVOCATION_RESTARTS,
    &REVOCATION_UNREADABLE,
    &REPLAY_IDS,
    &REPLAY_REPEATED,
    &REPLAY_UNDECIDED,
    &ACCOUNTS,
    &ACCOUNTS_AGE,
    &ACCOUNT_LOOKUPS,
    &ACCOUNT_LOOKUPS_UNDER_WAY,
    &ACCOUNT_STAPLES,
    &ACCOUNT_FLOORS,
    &ACCOUNT_ROLLBACKS,
];
