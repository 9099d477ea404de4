//! Tokens that were verified before, so that they need not be again while nothing relevant has changed.
//!
//! The rules:
//!
//! - Only a verified token gets in, so nobody from outside can fill the cache or choose what stands in it.
//! - A hit needs the same bytes, all of them. The hash that finds the place is keyed, and other in every process.
//! - A hit needs the same scheme, because an authenticator may treat another one in another way.
//! - A hit needs the same keys, and the same policy: its authenticator says that the [`Edition`] by which the token was verified is current. An
//!   issuer that was removed or replaced ([`Issuers`](crate::Issuers)) has another one.
//! - A hit needs an instant at which a full verification would accept the token's times: the [`Window`].
//! - A hit needs a token that is not revoked, and where its bearer owes a proof, that proof: the admission sees to both.
//! - Whatever else decides (the type of the custom claims, the limit of the length) cannot change while the authenticator lives.
//! - Looking never waits: where another thread is just writing, the token is verified in full.

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

/// How many tokens are kept unless set otherwise: the callers that a busy instance sees within one token's life. At
/// one to four KiB each they take 10 to 40 MB.
pub(super) const DEFAULT_TOKENS: usize = 10_000;

/// What a kept token may take on average, in bytes, so that long ones cannot fill the memory: twice what those that providers
/// issue take at most, with the tree of their claims that guards make.
const BYTES_PER_TOKEN: u64 = 8 * 1024;

/// What takes more than so many times the longest token is verified every time: its bearer would push out others. That is as much as
/// eight ordinary tokens, unless longer ones are taken.
const HEAVIEST: u64 = 4;

/// How much of a token is hashed, from its end: signature, and nothing that anybody could choose. Two tokens with one signature
/// are not both verified, so this tells them apart as well as all of it would, in a tenth of the time; the comparison that
/// follows is of all bytes in any case.
const HASHED: usize = 16;

/// What an entry takes beside the texts of token and claims.
const BYTES_OVERHEAD: u64 = 512;

/// Verified tokens with claims of type `C`, by their text.
pub(super) struct TokenCache<C> {
    tokens: Cache<CachedToken, Entry<C>, Weight, BuildPrecomputed, DropLater>,
    hasher: RandomState,
    max_len: usize,
}

/// A token, and what has to be unchanged for it to be good still.
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

/// A token that was verified before, and would be again.
pub(super) struct Seen<C> {
    pub(super) verified: Verified<C>,
    pub(super) owes_proof: bool,
}

/// A token's text with its keyed hash, taken once for looking and for remembering.
pub(super) struct Probe<'t> {
    hash: u64,
    scheme: Scheme,
    text: &'t [u8],
}

impl<C> TokenCache<C> {
    /// A cache for that many tokens of at most `max_len` bytes. It takes no memory before there are any.
    pub(super) fn new(tokens: usize, max_len: usize) -> Option<Self> {
        // Its room is divided among shards, and chance fills some of them sooner: an eighth more holds that many for sure.
        let tokens = tokens.saturating_add(tokens / 8);
        let weight = u64::try_from(tokens).unwrap_or(u64::MAX).saturating_mul(BYTES_PER_TOKEN);
        let options = OptionsBuilder::new().estimated_items_capacity(tokens).weight_capacity(weight).build().ok()?;
        let tokens = Cache::with_options(options, Weight, BuildPrecomputed::default(), DropLater);
        Some(Self { tokens, hasher: RandomState::default(), max_len })
    }

    /// What to look for; `None` for a text that is too long to be a token and not worth hashing.
    pub(super) fn probe<'t>(&self, text: &'t [u8], scheme: Scheme) -> Option<Probe<'t>> {
        let hash = || self.hasher.hash_one(&text[text.len().saturating_sub(HASHED)..]);
        (text.len() <= self.max_len).then(|| Probe { hash: hash(), scheme, text })
    }

    /// The token as it was verified, if it would be accepted at `now` all the same. `is_current` tells whether what was found in an edition
    /// would be found again.
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
        // If another thread is writing, it stays: what is said of it above holds next time as well.
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
        // Where another thread is writing, the token comes in with its next request.
        let _ = self.tokens.try_insert(token, entry);
    }
}

impl<C> fmt::Debug for TokenCache<C> {
    /// How much is in it, and nothing of what.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache").field("tokens", &self.tokens.len()).finish_non_exhaustive()
    }
}

/// The text of a token, wiped from memory when the entry goes.
struct CachedToken {
    hash: u64,
    /// An authenticator may tell schemes apart.
    scheme: Scheme,
    /// With its entry.
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

/// Keeps what had to make room until the lock is let go: the application's claims are dropped by its own code, which may take long,
/// come back here, or panic.
#[derive(Clone)]
struct DropLater;

impl<C> Lifecycle<CachedToken, Entry<C>> for DropLater {
    type RequestState = Vec<(CachedToken, Entry<C>)>;

    fn on_evict(&self, evicted: &mut Self::RequestState, token: CachedToken, entry: Entry<C>) {
        evicted.push((token, entry));
    }
}

/// Bounds the number of tokens and their bytes at once: an entry counts its bytes, but no less than the average.
#[derive(Clone)]
struct Weight;

impl<C> Weighter<CachedToken, Entry<C>> for Weight {
    fn weight(&self, token: &CachedToken, _: &Entry<C>) -> u64 {
        token.weight
    }
}

/// At most what it takes, but for what the application's own claims have on the heap.
fn weight<C>(token: &[u8], verified: &Verified<C>) -> u64 {
    let claims = verified.claims_json();
    let texts = (token.len() + claims.len()) as u64;
    (texts + most_bytes_of_tree(claims) + BYTES_OVERHEAD).max(BYTES_PER_TOKEN)
}

/// At most what the tree takes that [`Facts::claim`](crate::verified::Facts::claim) may make of it.
///
/// `serde_json`'s objects are B-trees, whose nodes have room for eleven members however many there are: seven bytes of text can take a
/// hundred times as much.
fn most_bytes_of_tree(claims: &str) -> u64 {
    const NODE: u64 = 640;
    /// A member or an element beyond the first: its share of a node that is half full, and two short strings.
    const NEXT: u64 = 192;
    let (mut nodes, mut more) = (0, 0);
    // Sums of a byte, which vector units do sixteen and more of at once.
    for part in claims.as_bytes().chunks(255) {
        nodes += u64::from(part.iter().map(|byte| u8::from(matches!(byte, b'{' | b'['))).sum::<u8>());
        more += u64::from(part.iter().map(|byte| u8::from(*byte == b',')).sum::<u8>());
    }
    claims.len() as u64 + NODE * nodes + NEXT * more
}

#[cfg(test)]
mod tests;
