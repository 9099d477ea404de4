//! [`TokenIssuer`]: mints access tokens.

mod access_token;
mod actor;
mod claims;
mod error;
mod log_out;
mod minted;
mod size;
mod token_id;

use std::{fmt, sync::Arc, time::Duration};

pub use access_token::AccessToken;
pub use actor::ActingParty;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
pub use error::{MintError, MintErrorKind};
pub use log_out::LogOutToken;
pub use minted::Minted;
use portcullis_core::{Algorithm, Clock, ConfigError, UnixTime, clock::SystemClock, policy::TokenSpec};
use serde::Serialize;

use self::{claims::Claims, size::check_size};
use crate::signer::{Choosing, CurrentSigner, SignError, SignErrorKind, Signature, Signer, signature_len};

/// Mints access tokens (RFC 9068) by a [`TokenSpec`], from which services derive what they accept. Cheap to clone.
///
/// ```
/// use portcullis_core::{Admission, Algorithm, JwtAuthenticator, KeySet, policy::TokenSpec};
/// use portcullis_issuer::{AccessToken, SigningKey, TokenIssuer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let spec = TokenSpec::new("https://id.example.com").audience("https://orders.example.com");
/// let key = SigningKey::generate(Algorithm::Es256)?;
///
/// // the issuer
/// let issuer = TokenIssuer::new(spec.clone(), key.clone())?;
/// let minted = issuer.mint(&AccessToken::for_user("alice", "web").scope("orders:read")).await?;
///
/// // a service, with the same specification
/// let keys = KeySet::from(key.verifying_key());
/// let admission = Admission::new(JwtAuthenticator::new(spec.trusted_at("https://orders.example.com", keys)?)?);
/// let verified = admission.verify(minted.token()).outcome().await?;
/// assert_eq!(verified.subject(), Some("alice"));
/// assert!(verified.has_scope("orders:read"));
/// # Ok(())
/// # }
/// ```
#[doc(alias = "encode")]
#[derive(Clone)]
pub struct TokenIssuer(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    spec: TokenSpec,
    signer: Arc<dyn CurrentSigner>,
    clock: Arc<dyn Clock>,
}

impl TokenIssuer {
    /// Creates an issuer that signs with `signer`: one key, or the current key of a [`KeyRing`](crate::key_ring::KeyRing).
    ///
    /// # Errors
    ///
    /// All problems of the specification, and if it does not allow the signer's algorithm.
    pub fn new(spec: TokenSpec, signer: impl CurrentSigner) -> Result<Self, ConfigError> {
        let mut problems: Vec<_> = spec.problems().collect();
        let algorithm = signer.current_algorithm();
        if !spec.allowed_algorithms().contains(algorithm) {
            problems.push(format!(
                "the signing key is one for {algorithm}, which the specification of {:?} does not allow: change one of the two",
                spec.issuer()
            ));
        }
        ConfigError::check(problems)?;
        Ok(Self(Arc::new(Inner { spec, signer: Arc::new(signer), clock: Arc::new(SystemClock) })))
    }

    /// Reads the time from `clock`. Defaults to [`SystemClock`].
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        Self(Arc::new(Inner { clock: Arc::new(clock), ..Inner::clone(&self.0) }))
    }

    pub(crate) fn own_clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.0.clock)
    }

    /// Returns the specification.
    pub fn spec(&self) -> &TokenSpec {
        &self.0.spec
    }

    /// Returns the signer of the next token; `None` if there is none without waiting.
    pub(crate) fn signer_at_hand(&self) -> Option<Arc<dyn Signer>> {
        match Arc::clone(&self.0.signer).choose(Duration::ZERO) {
            Choosing::Done(signer) => signer.ok(),
            Choosing::Waiting(_) => None,
        }
    }

    /// Returns the time by which tokens are minted.
    pub(crate) fn now(&self) -> UnixTime {
        self.0.clock.now()
    }

    /// Makes sure that this content can be minted now, apart from its size and the signature.
    pub(crate) fn check<C: Serialize>(&self, content: &AccessToken<C>) -> Result<(), MintError> {
        let Inner { spec, clock, .. } = &*self.0;
        Claims::of(content, spec, &**clock).map(drop)
    }

    /// Mints an access token.
    ///
    /// It is valid from now on, for the lifetime of the specification, or shorter if the content says so. Its id (`jti`) begins with
    /// the time, in milliseconds, and has 128 random bits.
    ///
    /// # Errors
    ///
    /// See [`MintErrorKind`]. Nothing has been signed, unless the error is about the signature.
    pub async fn mint<C: Serialize + Sync>(&self, content: &AccessToken<C>) -> Result<Minted, MintError> {
        let Inner { spec, signer, clock } = &*self.0;
        let signer = Arc::clone(signer).choose(spec.longest_lifetime()).outcome().await?;
        check_algorithm(spec, signer.algorithm())?;
        let claims = Claims::of(content, spec, &**clock)?;
        let header = Header { alg: signer.algorithm().name(), kid: signer.key_id(), typ: "at+jwt" };
        let mut token = URL_SAFE_NO_PAD.encode(header.to_json()?);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims.text(), &mut token);
        if let Some(len) = signature_len(signer.algorithm()) {
            check_size(spec, token.len() + 1 + encoded_len(len), &claims)?;
        }
        let signature = signer.sign(token.as_bytes()).outcome().await?;
        check_form(&*signer, &signature)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.as_bytes(), &mut token);
        check_size(spec, token.len(), &claims)?;
        Ok(claims.minted(token))
    }
}

/// The header (RFC 9068 section 2.1).
#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    kid: &'a str,
    typ: &'a str,
}

impl Header<'_> {
    fn to_json(&self) -> Result<String, SignError> {
        serde_json::to_string(self)
            .map_err(|_| SignError::new(SignErrorKind::Malformed, "its header cannot be written"))
    }
}

/// Refuses a key that services would not accept: a ring may have changed its algorithm since the issuer was made.
fn check_algorithm(spec: &TokenSpec, algorithm: Algorithm) -> Result<(), SignError> {
    if spec.allowed_algorithms().contains(algorithm) {
        return Ok(());
    }
    let detail = format!("it is one for {algorithm}, which the specification does not allow: change one of the two");
    Err(SignError::new(SignErrorKind::Refused, detail))
}

/// Returns the length of the base64url text of this many bytes.
const fn encoded_len(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

/// Makes sure that services can read the signature: signers elsewhere answer in forms of their own.
fn check_form(signer: &dyn Signer, signature: &Signature) -> Result<(), SignError> {
    let (algorithm, len) = (signer.algorithm(), signature.as_bytes().len());
    match signature_len(algorithm) {
        Some(expected) if len != expected => {
            let hint = match signature.as_bytes() {
                [0x30, ..] => ": it is in DER form, write its two numbers one after the other (RFC 7518 section 3.4)",
                _ => "",
            };
            let detail = format!("{algorithm} signatures have {expected} bytes, and this one has {len}{hint}");
            Err(SignError::new(SignErrorKind::Malformed, detail))
        }
        None if len < 256 => {
            let detail = format!("{algorithm} signatures have at least 256 bytes, and this one has {len}");
            Err(SignError::new(SignErrorKind::Malformed, detail))
        }
        _ => Ok(()),
    }
}

impl fmt::Debug for TokenIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenIssuer")
            .field("spec", &self.0.spec)
            .field("signer", &self.0.signer)
            .field("clock", &self.0.clock)
            .finish()
    }
}
