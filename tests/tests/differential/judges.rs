//! The two verifiers, configured alike.

use jsonwebtoken::{DecodingKey, Validation, crypto::aws_lc::DEFAULT_PROVIDER, errors::Error, get_current_timestamp};
use portcullis::{
    Admission, Code, JwtAuthenticator, TrustedIssuer, authenticator::Attempt, clock::UnixTime, policy::Leeway,
};
use portcullis_test::{FixedClock, MockIssuer};

use super::{
    keys::{Key, Signer, decoding_key},
    token::{AUDIENCE, ISSUER, LEEWAY, Token},
};

/// Both verifiers for each key.
#[derive(Debug)]
pub(crate) struct Judges {
    benches: Vec<Bench>,
    clock: FixedClock,
}

/// Everything about one key.
#[derive(Debug)]
struct Bench {
    key: Key,
    issuer: MockIssuer,
    stranger: MockIssuer,
    ours: Admission,
    theirs: (DecodingKey, Validation),
}

/// Two verdicts on one text.
#[derive(Debug)]
pub(crate) struct Verdicts {
    pub(crate) text: String,
    pub(crate) now: u64,
    pub(crate) ours: Result<(), Code>,
    pub(crate) theirs: Result<(), Error>,
}

impl Judges {
    pub(crate) fn new() -> Self {
        // Not by its features, so that nothing here hangs on who else is in the build.
        let _ = DEFAULT_PROVIDER.install_default();
        let clock = FixedClock::default();
        Self { benches: Key::ALL.map(|key| Bench::new(key, &clock)).into(), clock }
    }

    /// Has the token judged.
    ///
    /// jsonwebtoken reads the system's clock. Ours stands still; a case during which the second changed is repeated.
    pub(crate) fn judge(&self, token: &Token) -> Verdicts {
        let bench = self.benches.iter().find(|bench| bench.key == token.key).unwrap();
        loop {
            let now = get_current_timestamp();
            self.clock.set(UnixTime::from_secs(now));
            let text = token.mint(bench.signer(token.signer), now);
            let (ours, theirs) = (bench.our_verdict(&text), bench.their_verdict(&text));
            if get_current_timestamp() == now {
                return Verdicts { text, now, ours, theirs };
            }
        }
    }
}

impl Bench {
    fn new(key: Key, clock: &FixedClock) -> Self {
        let issuer = key.issuer(Signer::Issuer);
        let trusted = TrustedIssuer::new(ISSUER, issuer.keys())
            .audience(AUDIENCE)
            .algorithms(key.algorithm())
            .leeway(Leeway::from_secs(LEEWAY).unwrap());
        Self {
            key,
            stranger: key.issuer(Signer::Stranger),
            ours: Admission::new(JwtAuthenticator::new(trusted).unwrap()).clock(clock.clone()),
            theirs: (decoding_key(&issuer), validation(key)),
            issuer,
        }
    }

    fn signer(&self, signer: Signer) -> &MockIssuer {
        match signer {
            Signer::Issuer => &self.issuer,
            Signer::Stranger => &self.stranger,
        }
    }

    fn our_verdict(&self, text: &str) -> Result<(), Code> {
        match self.ours.verify(text) {
            Attempt::Done(outcome) => outcome.map(drop).map_err(|error| error.code()),
            other => panic!("{other:?}: the key is at hand"),
        }
    }

    fn their_verdict(&self, text: &str) -> Result<(), Error> {
        let (key, validation) = &self.theirs;
        jsonwebtoken::decode::<serde_json::Value>(text, key, validation).map(drop)
    }
}

fn validation(key: Key) -> Validation {
    let mut validation = Validation::new(key.their_algorithm());
    validation.leeway = LEEWAY;
    validation.validate_nbf = true;
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation
}
