//! Where the tokens of accounts come from.
//!
//! A user's token names an account, and only the account's token says whether the user may come in: it has the signing keys, the revocations
//! and the limits. An [`AccountResolver`] finds it by the account's id:
//!
//! | | |
//! |---|---|
//! | [`NoResolver`] | none: callers bring the account's token with them ([`AccountCache::stapled`]) |
//! | [`MemoryAccounts`] | accounts that the application puts in |
//! | [`AccountDirectory`] | the folder of a nats-server's resolver, or the store of `nsc` |
//! | `HttpAccounts` (feature `http`) | an account server over HTTP |
//! | `NatsAccounts` (feature `nats`) | nats-servers, asked over the system account |
//! | [`from_fn`] | a closure |
//!
//! Nothing that a resolver gives is trusted: an operator's key has to have signed it, for exactly the account that was asked for.
//!
//! # The rules
//!
//! - **Fresh.** An account is used for a minute ([`AccountCache::fresh_for`]), which is how long a revocation may go unnoticed. From about 80 % of
//!   that time on, the next request causes a look-up that no request waits for; after the minute, requests wait for it.
//! - **Outage.** If the look-up fails, the account that is held is used for ten minutes more ([`AccountCache::stale_for`]), never beyond its own
//!   `exp`. After that, and for accounts that are not held, the answer is "we could not decide" (503), never a refusal.
//! - **Unknown.** If the resolver says that there is no such account, its users are refused at once. A deleted account counts as unknown from the next
//!   look-up on.
//! - **Made-up accounts.** Anyone can make up accounts, and users of them. One look-up per account runs at a time, at most 64 in all, each for at
//!   most 1.9 s as in nats-server, and at most half of them for accounts that have never been accepted before. What a look-up did not find is
//!   not looked up again for 5 s. None of it is kept among the accounts: only an operator's signature leads there.
//! - **No way back.** An account is never replaced by one that was issued earlier, also not after a restart, if there is a store of floors that
//!   outlives the process ([`AccountCache::floors`]). Of two tokens of the same second, the later arrival is taken, unless it takes back a
//!   revocation of the other one.

mod cache;
mod desk;
mod directory;
#[cfg(feature = "http")]
mod http;
mod insert_error;
mod memory;
#[cfg(feature = "nats")]
mod nats;
mod resolver;

pub(crate) use self::desk::{Desk, KnownAccount, Lookup};
#[cfg(feature = "http")]
pub use self::http::HttpAccounts;
#[cfg(feature = "nats")]
pub use self::nats::NatsAccounts;
pub use self::{
    cache::AccountCache,
    directory::AccountDirectory,
    insert_error::{InsertError, InsertErrorKind},
    memory::MemoryAccounts,
    resolver::{AccountResolver, AccountUpdates, ArrivedUpdates, NoResolver, ResolverError, ResolverFn, from_fn},
};
