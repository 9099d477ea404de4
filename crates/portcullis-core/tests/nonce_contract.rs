//! The contract of issuers of nonces: `SignedNonces` keeps it, and each of its checks notices an issuer that does not.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../../tests/tests/support/planted.rs"]
mod planted;

use std::time::Duration;

use portcullis_core::{
    UnixTime,
    authenticator::Nonce,
    possession::{NonceCheck, NonceIssuer, SignedNonces},
};
use portcullis_test::contract::NonceIssuerContract;

#[test]
fn signed_nonces_keep_the_contract() {
    NonceIssuerContract::new(SignedNonces::random().unwrap()).check();
    let longest = SignedNonces::random().unwrap().life(Duration::from_secs(3600)).unwrap();
    NonceIssuerContract::new(longest).check();
    let shortest = SignedNonces::random().unwrap().life(Duration::from_secs(5)).unwrap();
    NonceIssuerContract::new(std::sync::Arc::new(shortest)).check();
}

planted::faults! {
    AcceptsAnything,
    AcceptsNothing,
    IgnoresOrigin,
    NeverEnds,
    AcceptsASecondLonger,
    EndsEarly,
    EndsAtOnce,
    LivesForAMonth,
    TheSameTwice,
    NeverRenews,
    AlwaysRenews,
    IgnoresTheLastCharacter,
    IgnoresTheFirstCharacter,
    IgnoresWhatFollows,
    Long,
}

/// Nonces that are their own description: `origin|end|number`, without a MAC, and remembered.
#[derive(Debug)]
struct Faulty {
    fault: Option<Fault>,
    issued: std::sync::Mutex<Vec<(String, String, UnixTime)>>,
}

const LIFE: Duration = Duration::from_secs(60);

impl Faulty {
    fn new(fault: Option<Fault>) -> Self {
        Self { fault, issued: std::sync::Mutex::default() }
    }

    fn life(&self) -> Duration {
        match self.fault {
            Some(Fault::EndsAtOnce) => Duration::ZERO,
            Some(Fault::LivesForAMonth) => LIFE * 60 * 24 * 30,
            _ => LIFE,
        }
    }
}

impl NonceIssuer for Faulty {
    fn issue(&self, origin: &str, now: UnixTime) -> Nonce {
        let mut issued = self.issued.lock().unwrap();
        let number = if self.fault == Some(Fault::TheSameTwice) { issued.len() / 2 } else { issued.len() };
        let padding = if self.fault == Some(Fault::Long) { 2000 } else { 4 };
        let text = format!("N{number:0padding$}Z");
        issued.push((text.clone(), origin.to_owned(), now.plus(self.life())));
        Nonce::new(text).unwrap()
    }

    fn check(&self, nonce: &str, origin: &str, now: UnixTime) -> NonceCheck {
        let fault = self.fault;
        let is_same = |text: &str| match fault {
            Some(Fault::IgnoresTheLastCharacter) => {
                nonce.len() == text.len()
                    && nonce.is_char_boundary(nonce.len() - 1)
                    && nonce[..nonce.len() - 1] == text[..text.len() - 1]
            }
            Some(Fault::IgnoresTheFirstCharacter) => nonce.get(1..) == text.get(1..),
            Some(Fault::IgnoresWhatFollows) => nonce.starts_with(text),
            _ => nonce == text,
        };
        let issued = self.issued.lock().unwrap();
        let found =
            issued.iter().find(|(text, of, _)| is_same(text) && (origin == of || fault == Some(Fault::IgnoresOrigin)));
        let until = match (found, fault) {
            (_, Some(Fault::AcceptsNothing)) => return NonceCheck::Unknown,
            (Some((_, _, until)), _) => *until,
            (None, Some(Fault::AcceptsAnything)) => now.plus(LIFE),
            (None, _) => return NonceCheck::Unknown,
        };
        let (early, late) = (Duration::from_secs(2), Duration::from_secs(7200));
        let check = match fault {
            Some(Fault::NeverEnds) => NonceCheck::of(until.max(now.plus(LIFE)), LIFE, now),
            Some(Fault::EndsEarly) if now >= until.minus(early) => NonceCheck::Expired,
            Some(Fault::AcceptsASecondLonger) if now == until => NonceCheck::of(until, late, until.minus(early)),
            _ => NonceCheck::of(until, self.life(), now),
        };
        match (fault, check.until()) {
            // As if it had just been made, and as if it were about to end.
            (Some(Fault::NeverRenews), Some(until)) => {
                NonceCheck::of(until, Duration::from_secs(1), until.minus(early))
            }
            (Some(Fault::AlwaysRenews), Some(until)) => NonceCheck::of(until, late, until.minus(early)),
            _ => check,
        }
    }
}

#[test]
fn the_issuer_of_the_faults_keeps_the_contract_without_one() {
    NonceIssuerContract::new(Faulty::new(None)).check();
}

#[test]
fn every_planted_fault_is_noticed() {
    planted::require_each_noticed(Fault::ALL, |fault| async move {
        NonceIssuerContract::new(Faulty::new(Some(fault))).check();
    });
}
