//! [`TokenCache`]: tokens that were verified before, so that they need not be verified again while nothing relevant has changed.
//!
//! The rules:
//!
//! - Only a verified token gets in, so outsiders can neither fill the cache nor choose its content.
//! - A hit needs exactly the same bytes. The hash that finds the place is keyed, and different in every process.
//! - A hit needs the same scheme, because an authenticator may treat another scheme differently.
//! - A hit needs the same keys and the same policy: the authenticator says that the [`Edition`] with which the token was verified is
//!   current. An issuer that was removed or replaced ([`Issuers`](crate::Issuers)) has another edition.
//! - A hit needs an instant at which a full verification would accept the token's times: the [`Window`].
//! - A hit needs a token that is not revoked, and, if it owes a proof, that proof: the admission checks both.
//! - Everything else that matters (the type of the custom claims, the limit of the length) cannot change during the authenticator's life.
//! - A look-up never waits: if another thread is writing, the token is verified in full.

use std::{
    fmt,
    hash::{BuildHasher, Hash, Hasher},
};

use foldhash::quality::RandomState;
use quick_cache::{Equivalent, Lifecycle, OptionsBuilder, Weighter, sync::Cache};
use zeroize::Zeroizing;

use crate::{
    UnixTime, Verified,
    authenticator::{Edition, Scheme},
    policy::Window,
    precomputed::BuildPrecomputed,
};

/// How many tokens are cached by default: the callers that a busy instance sees within one token's lifetime. At one to four KiB each they
/// take 10 to 40 MB.
pub(super) const DEFAULT_TOKENS: usize = 10_000;

/// The average size of a cached token in bytes, so that long ones cannot fill the memory: twice the size of the largest tokens of common
/// providers, including the tree of their claims that guards make.
const BYTES_PER_TOKEN: u64 = 8 * 1024;

/// A token that would take more than this many times the longest token is not cached, because it would displace too many others. This is
/// as much as eight ordinary tokens, unless the limit for tokens is raised.
const HEAVIEST: u64 = 4;

/// How many bytes at the end of a token are hashed: they belong to the signature, which cannot be chosen. Two different tokens with the
/// same signature are not both verified, so this distinguishes them as well as the whole text would, in a tenth of the time. All bytes
/// are compared afterwards in any case.
const HASHED: usize = 16;

/// The size of an entry without the texts of token and claims.
const BYTES_OVERHEAD: u64 = 512;

/// Verified tokens with claims of type `C`, by their text.
pub(super) struct TokenCache<C> {
    tokens: Cache<CachedToken, Entry<C>, Weight, BuildPrecomputed, DropLater>,
    hasher: RandomState,
    max_len: usize,
}

/// A token, and the state that must be unchanged for it to be still valid.
pub(super) struct Entry<C> {
    pub(super) verified: Verified<C>,
    pub(super) window: Window,
    pub(super) edition: Edition,
    pub(super) owes_proof: bool,
}

impl<C> Clone for Entry<C> {
    fn clone(&self) -> Self {
        Self { verified: self.verified.clone(), ..*self }
    }
}

/// A token that was verified before, and would be verified again.
pub(super) struct Seen<C> {
    pub(super) verified: Verified<C>,
    pub(super) owes_proof: bool,
}

/// A token's text with its keyed hash, which is computed once for finding and for inserting.
pub(super) struct Probe<'t> {
    hash: u64,
    scheme: Scheme,
    text: &'t [u8],
}

impl<C> TokenCache<C> {
    /// Returns a cache for this many tokens of at most `max_len` bytes. It uses no memory while it is empty.
    pub(super) fn new(tokens: usize, max_len: usize) -> Option<Self> {
        // The capacity is divided among shards, and some of them fill earlier by chance: an eighth more guarantees the number.
        let tokens = tokens.saturating_add(tokens / 8);
        let weight = u64::try_from(tokens).unwrap_or(u64::MAX).saturating_mul(BYTES_PER_TOKEN);
        let options = OptionsBuilder::new().estimated_items_capacity(tokens).weight_capacity(weight).build().ok()?;
        let tokens = Cache::with_options(options, Weight, BuildPrecomputed::default(), DropLater);
        Some(Self { tokens, hasher: RandomState::default(), max_len })
    }

    /// Returns the key for a look-up; `None` for a text that is too long to be a token.
    pub(super) fn probe<'t>(&self, text: &'t [u8], scheme: Scheme) -> Option<Probe<'t>> {
        let hash = || self.hasher.hash_one(&text[text.len().saturating_sub(HASHED)..]);
        (text.len() <= self.max_len).then(|| Probe { hash: hash(), scheme, text })
    }

    /// Returns the token as it was verified, if it would also be accepted at `now`. `is_current` says whether a result found in an
    /// edition would be found again.
    pub(super) fn find(
        &self,
        probe: &Probe<'_>,
        now: UnixTime,
        is_current: impl FnOnce(Edition) -> bool,
    ) -> Option<Seen<C>> {
        let entry = self.tokens.try_get(probe).ok()??;
        if is_current(entry.edition) && entry.window.contains(now) {
            return Some(Seen { verified: entry.verified, owes_proof: entry.owes_proof });
        }
        // If another thread is writing, the entry stays: the next look-up finds the same.
        let _ = self.tokens.try_remove(probe);
        None
    }

    pub(super) fn remember(&self, probe: &Probe<'_>, entry: Entry<C>) {
        let weight = weight(probe.text, &entry.verified);
        if weight > HEAVIEST * (self.max_len as u64).max(BYTES_PER_TOKEN) {
            return;
        }
        let token =
            CachedToken { hash: probe.hash, scheme: probe.scheme, weight, text: Zeroizing::new(probe.text.into()) };
        // If another thread is writing, the token is cached at its next request.
        let _ = self.tokens.try_insert(token, entry);
    }
}

impl<C> fmt::Debug for TokenCache<C> {
    /// Shows how many entries there are, but none of their content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache").field("tokens", &self.tokens.len()).finish_non_exhaustive()
    }
}

/// The text of a token, wiped from memory when the entry is dropped.
struct CachedToken {
    hash: u64,
    /// An authenticator may tell schemes apart.
    scheme: Scheme,
    /// The weight, including the entry.
    weight: u64,
    text: Zeroizing<Box<[u8]>>,
}

impl PartialEq for CachedToken {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.scheme == other.scheme
    }
}

impl Eq for CachedToken {}

impl Hash for CachedToken {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Hash for Probe<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Equivalent<CachedToken> for Probe<'_> {
    fn equivalent(&self, token: &CachedToken) -> bool {
        *self.text == **token.text && self.scheme == token.scheme
    }
}

/// Keeps evicted entries until the lock is released: dropping the application's claims runs its own code, which may take long, call this
/// cache, or panic.
#[derive(Clone)]
struct DropLater;

impl<C> Lifecycle<CachedToken, Entry<C>> for DropLater {
    type RequestState = Vec<(CachedToken, Entry<C>)>;

    fn on_evict(&self, evicted: &mut Self::RequestState, token: CachedToken, entry: Entry<C>) {
        evicted.push((token, entry));
    }
}

/// Limits the number of tokens and their bytes at once: an entry counts its bytes, but at least the average.
#[derive(Clone)]
struct Weight;

impl<C> Weighter<CachedToken, Entry<C>> for Weight {
    fn weight(&self, token: &CachedToken, _: &Entry<C>) -> u64 {
        token.weight
    }
}

/// Returns an upper limit of its size, without the heap memory of the application's own claims.
fn weight<C>(token: &[u8], verified: &Verified<C>) -> u64 {
    let claims = verified.claims_json();
    let texts = (token.len() + claims.len()) as u64;
    (texts + most_bytes_of_tree(claims) + BYTES_OVERHEAD).max(BYTES_PER_TOKEN)
}

/// Returns an upper limit of the size of the tree that [`Facts::claim`](crate::verified::Facts::claim) may build.
///
/// `serde_json`'s objects are B-trees, whose nodes have room for eleven members however many there are: seven bytes of text can take a
/// hundred times as much.
fn most_bytes_of_tree(claims: &str) -> u64 {
    const NODE: u64 = 640;
    /// Any further member or element: its share of a half-full node, and two short strings.
    const NEXT: u64 = 192;
    let (mut nodes, mut more) = (0, 0);
    // Sums in single bytes, of which vector units add sixteen or more at once.
    for part in claims.as_bytes().chunks(255) {
        nodes += u64::from(part.iter().map(|byte| u8::from(matches!(byte, b'{' | b'['))).sum::<u8>());
        more += u64::from(part.iter().map(|byte| u8::from(*byte == b',')).sum::<u8>());
    }
    claims.len() as u64 + NODE * nodes + NEXT * more
}

#[cfg(test)]
mod tests;
