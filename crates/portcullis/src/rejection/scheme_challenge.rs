//! [`SchemeChallenge`]: how to challenge clients for another scheme than `Bearer`.

use http::HeaderName;
use portcullis_core::{Algorithm, AuthError, Code, ConfigError, authenticator::Scheme};

use super::challenge::Challenge;

/// The challenge for another scheme than `Bearer`: its parameters, its own error codes, and the HTTP header for its nonces.
///
/// A layer offers every scheme that its admissions accept, with default settings. Set others by [`BearerChallenge::beside`]:
///
/// ```
/// use portcullis::{Algorithm, AuthError, Code};
/// use portcullis::authenticator::{Nonce, Scheme};
/// use portcullis::rejection::{BearerChallenge, MakeRejection, SchemeChallenge};
///
/// # fn main() -> Result<(), portcullis::ConfigError> {
/// let challenge = BearerChallenge::new().beside(SchemeChallenge::dpop([Algorithm::Es256]));
///
/// let error = AuthError::new(Code::ProofNonceNeeded).with_scheme(Scheme::DPoP).with_nonce(Nonce::new("eyJ7S_zG")?);
/// let response: http::Response<String> = challenge.make_rejection(&error);
/// assert_eq!(response.headers()["dpop-nonce"], "eyJ7S_zG");
/// let challenges: Vec<_> = response.headers().get_all("www-authenticate").iter().collect();
/// assert_eq!(challenges[0], "Bearer");
/// assert_eq!(
///     challenges[1],
///     r#"DPoP algs="ES256", error="use_dpop_nonce", error_description="the proof needs the nonce of this answer""#,
/// );
/// # Ok(())
/// # }
/// ```
///
/// [`BearerChallenge::beside`]: super::BearerChallenge::beside
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemeChallenge {
    challenge: Challenge,
    proof_error: Option<&'static str>,
    nonce_error: Option<&'static str>,
    nonce_header: Option<HeaderName>,
}

impl SchemeChallenge {
    /// Returns the challenge for `DPoP` (RFC 9449 section 7.1). `algorithms` are those that a proof may be signed with; if there are none,
    /// the challenge does not name any.
    ///
    /// Bad proofs are answered with the error `invalid_dpop_proof`, and proofs without a current nonce with `use_dpop_nonce`. Nonces are
    /// sent in `DPoP-Nonce`. Browsers show that header to scripts of other origins only if `Access-Control-Expose-Headers` names it.
    pub fn dpop(algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        Self {
            challenge: Challenge::dpop(algorithms.into_iter().map(Algorithm::name)),
            proof_error: Some("invalid_dpop_proof"),
            nonce_error: Some("use_dpop_nonce"),
            nonce_header: Some(HeaderName::from_static("dpop-nonce")),
        }
    }

    /// Returns the challenge for `NatsUser`, the scheme of NATS users over HTTP.
    ///
    /// Proofs without a current nonce are answered with the error `use_nonce`, and all other refusals with `invalid_token`. Nonces are sent in
    /// `Nats-Nonce`. Browsers show that header to scripts of other origins only if `Access-Control-Expose-Headers` names it.
    pub fn nats() -> Self {
        Self {
            challenge: Challenge::nats(),
            proof_error: None,
            nonce_error: Some("use_nonce"),
            nonce_header: Some(HeaderName::from_static("nats-nonce")),
        }
    }

    /// Sets the error code for a missing or bad proof: [`Code::is_about_proof`]. Defaults to `invalid_token`.
    #[must_use]
    pub fn proof_error(self, error: &'static str) -> Self {
        Self { proof_error: Some(error), ..self }
    }

    /// Sets the error code for a proof without a current nonce: [`Code::ProofNonceNeeded`]. Defaults to the code for a bad proof.
    #[must_use]
    pub fn nonce_error(self, error: &'static str) -> Self {
        Self { nonce_error: Some(error), ..self }
    }

    /// Sets the HTTP header for nonces. Defaults to none: nonces are then not sent.
    #[must_use]
    pub fn nonce_header(self, name: HeaderName) -> Self {
        Self { nonce_header: Some(name), ..self }
    }

    /// Returns the default settings.
    ///
    /// # Errors
    ///
    /// If the name of the scheme is not a token (RFC 9110 section 5.6.2).
    pub(super) fn default_for(scheme: Scheme) -> Result<Self, ConfigError> {
        if scheme == Scheme::Bearer {
            return Ok(Challenge::bearer().into());
        }
        if scheme == Scheme::DPoP {
            return Ok(Self::dpop([]));
        }
        let nats = Self::nats();
        if nats.is_for(scheme) { Ok(nats) } else { Challenge::new(scheme.as_str()).map(Self::from) }
    }

    pub(super) fn is_for(&self, scheme: Scheme) -> bool {
        self.challenge.scheme().eq_ignore_ascii_case(scheme.as_str())
    }

    pub(super) fn challenge(&self) -> &Challenge {
        &self.challenge
    }

    /// Returns the error code for an error about the proof, if the scheme has its own.
    pub(super) fn own_error(&self, error: &AuthError) -> Option<&'static str> {
        match error.code() {
            Code::ProofNonceNeeded => self.nonce_error.or(self.proof_error),
            code if code.is_about_proof() => self.proof_error,
            _ => None,
        }
    }

    pub(super) fn nonce_name(&self) -> Option<&HeaderName> {
        self.nonce_header.as_ref()
    }
}

/// A challenge without error codes of its own and without nonces.
impl From<Challenge> for SchemeChallenge {
    fn from(challenge: Challenge) -> Self {
        Self { challenge, proof_error: None, nonce_error: None, nonce_header: None }
    }
}
