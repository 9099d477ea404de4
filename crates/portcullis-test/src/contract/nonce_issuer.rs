//! [`NonceIssuerContract`]: the rules that every issuer of nonces has to follow.

use std::{collections::HashSet, time::Duration};

use portcullis_core::{
    UnixTime,
    authenticator::Nonce,
    possession::{NonceCheck, NonceIssuer},
};

/// The contract of [`NonceIssuer`](portcullis_core::possession::NonceIssuer).
///
/// ```
/// use portcullis_core::possession::SignedNonces;
/// use portcullis_test::contract::NonceIssuerContract;
///
/// NonceIssuerContract::new(SignedNonces::random()?).check();
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct NonceIssuerContract<N> {
    nonces: N,
}

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const ORIGIN: &str = "https://api.example.com";
const SECOND: Duration = Duration::from_secs(1);

/// An HTTP header with a longer one would be refused on its way.
const LONGEST: usize = 1024;

impl<N: NonceIssuer> NonceIssuerContract<N> {
    /// Returns the contract for this issuer.
    pub fn new(nonces: N) -> Self {
        Self { nonces }
    }

    /// Checks all rules.
    ///
    /// # Panics
    ///
    /// If the issuer breaks one. The message says which.
    pub fn check(self) {
        self.a_fresh_nonce_is_current();
        self.no_two_nonces_are_equal();
        self.a_nonce_is_accepted_for_its_life_and_no_longer();
        self.a_nonce_is_to_be_renewed_before_its_end();
        self.a_nonce_is_only_for_its_origin();
        self.text_that_was_not_issued_is_refused();
    }

    fn accepted(&self, nonce: &str, origin: &str, now: UnixTime) -> Option<UnixTime> {
        self.nonces.check(nonce, origin, now).until()
    }

    /// Returns a fresh nonce, and when its life ends.
    #[expect(clippy::panic, reason = "a contract that is broken is a test that has failed")]
    fn fresh(&self) -> (Nonce, UnixTime) {
        let nonce = self.nonces.issue(ORIGIN, NOW);
        match self.accepted(nonce.as_str(), ORIGIN, NOW) {
            Some(until) => (nonce, until),
            None => panic!("a fresh nonce is refused"),
        }
    }

    fn a_fresh_nonce_is_current(&self) {
        let nonce = self.nonces.issue(ORIGIN, NOW);
        assert!(nonce.as_str().len() <= LONGEST, "a nonce has more than {LONGEST} characters");
        let check = self.nonces.check(nonce.as_str(), ORIGIN, NOW);
        assert!(matches!(check, NonceCheck::Current { .. }), "a fresh nonce is {check:?}");
    }

    fn no_two_nonces_are_equal(&self) {
        let issued: HashSet<_> = (0..1000).map(|_| self.nonces.issue(ORIGIN, NOW).as_str().to_owned()).collect();
        assert_eq!(issued.len(), 1000, "nonces of one instant are equal");
    }

    fn a_nonce_is_accepted_for_its_life_and_no_longer(&self) {
        let (nonce, until) = self.fresh();
        assert!(until > NOW, "a nonce whose life is over at once");
        assert!(until.since(NOW) <= Duration::from_secs(24 * 3600), "a nonce that lives for more than a day");
        let last = until.minus(SECOND);
        assert_eq!(
            self.accepted(nonce.as_str(), ORIGIN, last),
            Some(until),
            "a nonce is refused within its life, or lives longer"
        );
        for over in [until, until.plus(SECOND), until.plus(Duration::from_secs(3600))] {
            assert_eq!(self.accepted(nonce.as_str(), ORIGIN, over), None, "a nonce is accepted after its life");
        }
    }

    fn a_nonce_is_to_be_renewed_before_its_end(&self) {
        let (nonce, until) = self.fresh();
        let last = self.nonces.check(nonce.as_str(), ORIGIN, until.minus(SECOND));
        assert!(last.is_renewal_due(), "a client gets no other nonce before the end of its own");
        assert!(self.nonces.check(nonce.as_str(), ORIGIN, until).is_renewal_due(), "a client gets no other nonce");
    }

    fn a_nonce_is_only_for_its_origin(&self) {
        let (nonce, _) = self.fresh();
        for origin in ["https://other.example.com", "https://api.example.com.", "https://api.example.co", ""] {
            assert_eq!(self.accepted(nonce.as_str(), origin, NOW), None, "a nonce is accepted for {origin:?}");
        }
    }

    fn text_that_was_not_issued_is_refused(&self) {
        let (nonce, _) = self.fresh();
        let nonce = nonce.as_str();
        let altered = (0..nonce.len()).map(|at| {
            let other = if nonce.as_bytes()[at] == b'A' { "B" } else { "A" };
            [&nonce[..at], other, &nonce[at + 1..]].concat()
        });
        let texts =
            ["", "nonce", "\u{e4}", "a b", &nonce[1..], &format!("{nonce}A"), &nonce.repeat(1000)].map(str::to_owned);
        for text in texts.into_iter().chain(altered) {
            assert_eq!(self.accepted(&text, ORIGIN, NOW), None, "a nonce is accepted that was not issued: {text:.100}");
        }
    }
}
