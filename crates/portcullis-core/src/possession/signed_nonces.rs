//! [`SignedNonces`]: nonces that need no memory.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    mem::MaybeUninit,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac, rand};
use zeroize::Zeroizing;

use super::{NonceCheck, NonceIssuer};
use crate::{ConfigError, Secret, UnixTime, authenticator::Nonce, token::decode_into};

/// Nonces that contain the end of their life, and an HMAC over it and the origin. Any instance with the same secret recognises them, and
/// nothing is stored. A nonce may be used for several proofs within its life; a [`ReplayStore`](super::ReplayStore) keeps a proof from being
/// used twice.
///
/// ```text
/// base64url(end of life in seconds, u64 big endian || 8 random bytes
///           || HMAC-SHA256(secret, "nonce" || end || random || origin)[..16])
/// ```
///
/// One instance uses [`random`](Self::random): after a restart, each client has to repeat one request. Several instances share a
/// [secret](Self::with_secret).
pub struct SignedNonces {
    /// The first one makes nonces, all are accepted.
    secrets: Vec<hmac::Key>,
    life: Duration,
    randomness: RandomState,
    made: AtomicU64,
}

impl SignedNonces {
    /// The default life of a nonce: 60 s. A client that is active needs a new one each half minute, and a stolen proof is worthless after a
    /// minute at the latest.
    pub const DEFAULT_LIFE: Duration = Duration::from_secs(60);

    /// Returns an issuer with a random secret, for a service with one instance.
    ///
    /// # Errors
    ///
    /// If the operating system has no randomness.
    pub fn random() -> Result<Self, ConfigError> {
        let mut bytes = Zeroizing::new([0; 32]);
        rand::fill(&mut *bytes).map_err(|_| ConfigError::new("nonces: the operating system has no randomness"))?;
        Ok(Self::with_key(&*bytes))
    }

    /// Returns an issuer with this secret, which all instances of the service share. Use a secret of its own for nonces; its id and its
    /// algorithm do not matter.
    ///
    /// ```
    /// use portcullis_core::{Algorithm, Secret, possession::SignedNonces};
    ///
    /// # let text = "C-vZ4nBNy0vL2pTjOj_4rUNdx6JjMSHg0Be9_yD60Cg";
    /// let nonces = SignedNonces::with_secret(&Secret::from_base64("2026-12", Algorithm::Hs256, text)?);
    /// # Ok::<(), portcullis_core::keys::KeyError>(())
    /// ```
    pub fn with_secret(secret: &Secret) -> Self {
        Self::with_key(secret.as_bytes())
    }

    /// Also accepts nonces that were made with this other secret.
    ///
    /// To replace a secret without refusing any client: let all instances accept the new one, then let all make nonces with the new one and
    /// accept the old one, and drop the old one when the life of a nonce has passed.
    #[must_use]
    pub fn also_accepting(mut self, other: &Secret) -> Self {
        self.secrets.push(key(other.as_bytes()));
        self
    }

    /// Sets the life of a nonce, in whole seconds. Defaults to [`DEFAULT_LIFE`](Self::DEFAULT_LIFE).
    ///
    /// # Errors
    ///
    /// If it is shorter than 5 s (slow clients would repeat every request) or longer than an hour (the ids of proofs are remembered that
    /// long, and a stolen proof can be used that long).
    pub fn life(self, life: Duration) -> Result<Self, ConfigError> {
        if !(SHORTEST_LIFE..=LONGEST_LIFE).contains(&life) {
            return Err(ConfigError::new(format!(
                "nonces: a life of {life:?} is not between {SHORTEST_LIFE:?} and {LONGEST_LIFE:?}; 60 s is common"
            )));
        }
        Ok(Self { life: Duration::from_secs(life.as_secs()), ..self })
    }

    fn with_key(bytes: &[u8]) -> Self {
        Self {
            secrets: vec![key(bytes)],
            life: Self::DEFAULT_LIFE,
            randomness: RandomState::new(), // from the operating system
            made: AtomicU64::new(0),
        }
    }

    /// Returns eight bytes that distinguish the nonces of one second. They need not be secret: the HMAC is what cannot be guessed.
    fn distinction(&self) -> [u8; 8] {
        self.randomness.hash_one(self.made.fetch_add(1, Ordering::Relaxed)).to_be_bytes()
    }
}

impl NonceIssuer for SignedNonces {
    fn issue(&self, origin: &str, now: UnixTime) -> Nonce {
        let mut bytes = [0; LEN];
        bytes[..8].copy_from_slice(&now.plus(self.life).as_secs().to_be_bytes());
        bytes[8..SIGNED].copy_from_slice(&self.distinction());
        let (signed, place) = bytes.split_at_mut(SIGNED);
        if let Some(secret) = self.secrets.first() {
            place.copy_from_slice(&mac(secret, signed, origin));
        }
        Nonce::of_bytes(&bytes)
    }

    fn check(&self, nonce: &str, origin: &str, now: UnixTime) -> NonceCheck {
        let mut buffer = [MaybeUninit::uninit(); LEN];
        let Some((signed, sent)) = decode_into(nonce, &mut buffer).and_then(|bytes| bytes.split_at_checked(SIGNED))
        else {
            return NonceCheck::Unknown;
        };
        let is_from = |secret| verify_slices_are_equal(&mac(secret, signed, origin), sent).is_ok();
        if !self.secrets.iter().any(is_from) {
            return NonceCheck::Unknown;
        }
        let until = end(signed);
        // Made while the clock of an instance was wrong: its life would not end in time.
        if until > now.plus(self.life * 2) {
            return NonceCheck::Expired;
        }
        NonceCheck::of(until, self.life, now)
    }
}

impl fmt::Debug for SignedNonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedNonces")
            .field("secrets", &format_args!("{} (REDACTED)", self.secrets.len()))
            .field("life", &self.life)
            .finish_non_exhaustive()
    }
}

fn key(bytes: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, bytes)
}

/// The origin is last, so that no two inputs are the same text: all before it has a fixed length.
fn mac(secret: &hmac::Key, signed: &[u8], origin: &str) -> [u8; MAC] {
    let mut context = hmac::Context::with_key(secret);
    context.update(b"nonce");
    context.update(signed);
    context.update(origin.as_bytes());
    let mut mac = [0; MAC];
    mac.copy_from_slice(&context.sign().as_ref()[..MAC]);
    mac
}

fn end(signed: &[u8]) -> UnixTime {
    signed.first_chunk().map_or(UnixTime::EPOCH, |secs| UnixTime::from_secs(u64::from_be_bytes(*secs)))
}

/// The end of life, and what distinguishes the nonces of one second.
const SIGNED: usize = 16;

/// Half of the HMAC: 2^128 guesses within a minute.
const MAC: usize = 16;

const LEN: usize = SIGNED + MAC;

const SHORTEST_LIFE: Duration = Duration::from_secs(5);
const LONGEST_LIFE: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Algorithm;

    const ORIGIN: &str = "https://api.example.com";
    const T: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn secret(byte: u8) -> Secret {
        Secret::new("nonces", Algorithm::Hs256, [byte; 32]).unwrap()
    }

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn a_nonce_is_current_for_half_of_its_life_and_accepted_for_all_of_it() {
        let nonces = SignedNonces::with_secret(&secret(1));
        let nonce = nonces.issue(ORIGIN, T);
        let until = T.plus(secs(60));
        for (later, expected) in [
            (0, NonceCheck::Current { until }),
            (29, NonceCheck::Current { until }),
            (30, NonceCheck::Aging { until }),
            (59, NonceCheck::Aging { until }),
            (60, NonceCheck::Expired),
            (61, NonceCheck::Expired),
        ] {
            assert_eq!(nonces.check(nonce.as_str(), ORIGIN, T.plus(secs(later))), expected, "{later}");
        }
    }

    #[test]
    fn a_nonce_is_only_for_its_origin() {
        let nonces = SignedNonces::with_secret(&secret(1));
        let nonce = nonces.issue(ORIGIN, T);
        for origin in ["https://api.example.co", "https://api.example.com:443", "https://API.example.com", ""] {
            assert_eq!(nonces.check(nonce.as_str(), origin, T), NonceCheck::Unknown, "{origin}");
        }
        assert!(nonces.check(nonce.as_str(), ORIGIN, T).until().is_some());
    }

    #[test]
    fn a_nonce_with_any_bit_changed_is_unknown() {
        let nonces = SignedNonces::with_secret(&secret(1));
        let nonce = nonces.issue(ORIGIN, T);
        let mut buffer = [MaybeUninit::uninit(); LEN];
        let bytes = decode_into(nonce.as_str(), &mut buffer).unwrap().to_vec();
        for bit in 0..8 * LEN {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let text = Nonce::of_bytes(&changed);
            assert_eq!(nonces.check(text.as_str(), ORIGIN, T), NonceCheck::Unknown, "bit {bit}");
        }
        assert!(nonces.check(Nonce::of_bytes(&bytes).as_str(), ORIGIN, T).until().is_some());
    }

    #[test]
    fn text_that_is_no_nonce_is_unknown() {
        let nonces = SignedNonces::with_secret(&secret(1));
        let nonce = nonces.issue(ORIGIN, T);
        let nonce = nonce.as_str();
        let texts = [
            "",
            "A",
            "?",
            "\u{e4}",
            &nonce[1..],
            &nonce[..nonce.len() - 1],
            &format!("{nonce}="),
            &format!(" {nonce}"),
        ];
        for text in texts {
            assert_eq!(nonces.check(text, ORIGIN, T), NonceCheck::Unknown, "{text:?}");
        }
        assert_eq!(nonces.check(&nonce.repeat(1000), ORIGIN, T), NonceCheck::Unknown);
        assert!(nonces.check(nonce, ORIGIN, T).until().is_some());
    }

    #[test]
    fn instances_with_one_secret_know_each_others_nonces_and_a_secret_can_be_replaced() {
        let (old, new) = (secret(1), secret(2));
        let before = SignedNonces::with_secret(&old);
        let between = SignedNonces::with_secret(&new).also_accepting(&old);
        let after = SignedNonces::with_secret(&new);
        let accepts = |one: &SignedNonces, maker: &SignedNonces| {
            one.check(maker.issue(ORIGIN, T).as_str(), ORIGIN, T).until().is_some()
        };
        assert!(accepts(&before, &SignedNonces::with_secret(&old)));
        assert!(accepts(&between, &before) && accepts(&between, &after) && accepts(&after, &between));
        assert!(!accepts(&before, &between) && !accepts(&after, &before));
        let (one, other) = (SignedNonces::random().unwrap(), SignedNonces::random().unwrap());
        assert!(accepts(&one, &one) && !accepts(&one, &other));
    }

    #[test]
    fn nonces_of_one_second_differ() {
        let nonces = SignedNonces::random().unwrap();
        let made: std::collections::HashSet<_> =
            (0..1000).map(|_| nonces.issue(ORIGIN, T).as_str().to_owned()).collect();
        assert_eq!(made.len(), 1000);
    }

    #[test]
    fn the_life_has_bounds() {
        let life = |life| SignedNonces::with_secret(&secret(1)).life(life);
        for (refused, accepted) in [(secs(4), secs(5)), (secs(3601), secs(3600))] {
            let error = life(refused).unwrap_err().to_string();
            assert!(error.contains(&format!("{refused:?}")) && error.contains("between"), "{error}");
            let nonces = life(accepted).unwrap();
            let until = nonces.check(nonces.issue(ORIGIN, T).as_str(), ORIGIN, T).until();
            assert_eq!(until, Some(T.plus(accepted)));
        }
    }

    #[test]
    fn a_nonce_of_an_instance_whose_clock_was_far_ahead_is_refused() {
        let nonces = SignedNonces::with_secret(&secret(1));
        let ahead = |by| nonces.check(nonces.issue(ORIGIN, T.plus(secs(by))).as_str(), ORIGIN, T);
        assert_eq!(ahead(60), NonceCheck::Current { until: T.plus(secs(120)) });
        assert_eq!(ahead(61), NonceCheck::Expired);
        assert_eq!(ahead(86_400 * 365 * 10_000), NonceCheck::Expired);
    }

    #[test]
    fn the_form_of_a_nonce_never_changes() {
        let nonces = SignedNonces::with_secret(&secret(1));
        let made = nonces.issue(ORIGIN, T);
        let mut buffer = [MaybeUninit::uninit(); LEN];
        let bytes = decode_into(made.as_str(), &mut buffer).unwrap();
        let message = [b"nonce", &bytes[..16], ORIGIN.as_bytes()].concat();
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &[1; 32]), &message);
        assert_eq!(bytes[16..], tag.as_ref()[..16]);
        assert_eq!(bytes[..8], 1_800_000_060_u64.to_be_bytes());
        assert_eq!(made.as_str().len(), 43);
    }

    #[test]
    fn no_secret_is_shown() {
        let shown = format!("{:?}", SignedNonces::with_secret(&secret(77)).also_accepting(&secret(78)));
        assert!(shown.contains("2 (REDACTED)") && !shown.contains("77") && !shown.contains("78"), "{shown}");
    }
}
