//! [`ProofSigner`]: signs requests.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::{
    HeaderMap, HeaderValue, Method, Request, StatusCode, Uri,
    header::{HeaderName, WWW_AUTHENTICATE},
    request::Parts,
    uri::PathAndQuery,
};
use portcullis_core::{ConfigError, UnixTime};
use portcullis_nats::{
    claims::{Account, User},
    creds::Creds,
    nkey::{KeyPair, PublicKey},
    proof::{Proof, RequestId, SCHEME, Signed, is_nonce},
    token::Token,
};

use crate::{
    SignError, SignErrorKind,
    destination::Destination,
    headers::{NONCE, ProofHeaders},
};

/// Signs requests of one user to one service. Cheap to clone; clones share the nonce, the token and the account.
///
/// See the [crate's docs](crate) for the rules and an example.
#[derive(Clone)]
pub struct ProofSigner(Arc<Inner>);

struct Inner {
    destination: Destination,
    key: KeyPair,
    state: Mutex<State>,
}

/// What changes.
struct State {
    token: Arc<UserToken>,
    /// The account's token, to bring along.
    account: Option<HeaderValue>,
    nonce: Option<Arc<str>>,
}

struct UserToken {
    text: String,
    authorization: HeaderValue,
    expires_at: Option<UnixTime>,
    /// The account that has admitted the user.
    account: PublicKey,
}

impl ProofSigner {
    /// Returns a signer for the user of these credentials and the service with this origin, such as `https://api.example.com`: exactly as the service
    /// itself was told.
    ///
    /// # Errors
    ///
    /// If it is not an origin, or the token is too long for an HTTP header.
    pub fn new(creds: &Creds, origin: impl Into<String>) -> Result<Self, ConfigError> {
        let destination = Destination::new(origin.into())?;
        let token = UserToken::read(creds.token(), creds.key().public_key());
        let token = token.map_err(|error| ConfigError::new(format!("the token of the user: {error}")))?;
        let state = Mutex::new(State { token: Arc::new(token), account: None, nonce: None });
        Ok(Self(Arc::new(Inner { destination, key: creds.key().clone(), state })))
    }

    /// Returns the origin of the service.
    pub fn origin(&self) -> &str {
        self.0.destination.origin()
    }

    /// Returns the user's key.
    pub fn user(&self) -> &PublicKey {
        self.0.key.public_key()
    }

    /// Returns when the user's token expires; `None` if it does not.
    pub fn expires_at(&self) -> Option<UnixTime> {
        self.state().token.expires_at
    }

    /// Replaces the user's token by another one of the same user, such as one that expires later.
    ///
    /// # Errors
    ///
    /// If it is not a token of this user.
    pub fn replace_token(&self, token: &str) -> Result<(), SignError> {
        let token = UserToken::read(token, self.user())?;
        self.state().token = Arc::new(token);
        Ok(())
    }

    /// Brings this token of the user's account along with each request from now on (`Nats-Account`), for services that accept it and need no resolver
    /// then. Replace it by a newer one before the service thinks it too old.
    ///
    /// # Errors
    ///
    /// If it is not the token of the account that has admitted the user.
    pub fn staple(&self, account: &str) -> Result<(), SignError> {
        let token = Token::<Account>::read(account).map_err(SignError::token)?;
        let mut state = self.state();
        if token.registered.subject != state.token.account {
            return Err(SignError::new(SignErrorKind::Token));
        }
        state.account = Some(HeaderValue::try_from(account).map_err(|_| SignError::new(SignErrorKind::Token))?);
        Ok(())
    }

    /// Brings no account's token along from now on. Returns whether there was one.
    pub fn unstaple(&self) -> bool {
        self.state().account.take().is_some()
    }

    /// Signs a request, and puts the HTTP headers into it. Those of an earlier proof are replaced, so that a request can be sent again.
    ///
    /// # Errors
    ///
    /// See [`SignErrorKind`].
    pub fn sign_request<B>(&self, request: &mut Request<B>, now: UnixTime) -> Result<(), SignError> {
        let headers = self.sign_head(request.method(), request.uri(), request.headers(), now)?;
        headers.insert_into(request.headers_mut());
        Ok(())
    }

    /// Signs the head of a request. Returns the HTTP headers to put into it. If it has a `Content-Digest`, the proof covers that, too.
    ///
    /// # Errors
    ///
    /// See [`SignErrorKind`].
    pub fn sign(&self, parts: &Parts, now: UnixTime) -> Result<ProofHeaders, SignError> {
        self.sign_head(&parts.method, &parts.uri, &parts.headers, now)
    }

    fn sign_head(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        now: UnixTime,
    ) -> Result<ProofHeaders, SignError> {
        if !self.0.destination.receives(uri) {
            return Err(SignError::new(SignErrorKind::OtherOrigin));
        }
        let id = RequestId::random().ok_or(SignError::new(SignErrorKind::NoRandomNumbers))?;
        let target = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let (token, account, nonce) = {
            let state = self.state();
            (Arc::clone(&state.token), state.account.clone(), state.nonce.clone())
        };
        let signed = Signed::new(self.origin(), method.as_str(), target, now, id.as_str())
            .with_nonce(nonce.as_deref().unwrap_or_default())
            .with_content_digest(digest_in(headers)?);
        let proof = Proof::new(&signed, self.0.key.sign(&signed.octets(&token.text)));
        // It consists of characters that HTTP headers can have, the nonce included.
        let mut proof = HeaderValue::try_from(proof.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""));
        proof.set_sensitive(true);
        Ok(ProofHeaders { authorization: token.authorization.clone(), proof, account })
    }

    /// Remembers the nonce that an answer has brought, for the next proofs. Returns whether the service asks for the same request again, with that nonce:
    /// sign it again, and repeat it once.
    pub fn remember(&self, status: StatusCode, headers: &HeaderMap) -> bool {
        let Some(nonce) = headers.get(NONCE).and_then(nonce_in) else { return false };
        self.state().nonce = Some(nonce);
        let mut challenges = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        status == StatusCode::UNAUTHORIZED && challenges.any(|challenge| challenge.contains(ASKS_FOR_NONCE))
    }

    /// What is locked is replaced as a whole, so a panic does not damage it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a challenge says that the proof lacks a current nonce.
const ASKS_FOR_NONCE: &str = "error=\"use_nonce\"";

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

impl UserToken {
    fn read(text: &str, user: &PublicKey) -> Result<Self, SignError> {
        let token = Token::<User>::read(text).map_err(SignError::token)?;
        let mut authorization =
            HeaderValue::try_from(format!("{SCHEME} {text}")).map_err(|_| SignError::new(SignErrorKind::Token))?;
        authorization.set_sensitive(true);
        if token.registered.subject != *user {
            return Err(SignError::new(SignErrorKind::Token));
        }
        let account = token.nats.issuer_account.map_or(token.registered.issuer, PublicKey::from);
        Ok(Self { text: text.to_owned(), authorization, expires_at: token.registered.expires_at, account })
    }
}

/// Returns the digest of the body that the request has; empty if it has none.
fn digest_in(headers: &HeaderMap) -> Result<&str, SignError> {
    let mut values = headers.get_all(CONTENT_DIGEST).iter();
    let wrong = || SignError::new(SignErrorKind::ContentDigest);
    match (values.next(), values.next()) {
        (None, _) => Ok(""),
        (Some(value), None) => value.to_str().map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

fn nonce_in(value: &HeaderValue) -> Option<Arc<str>> {
    value.to_str().ok().filter(|nonce| is_nonce(nonce)).map(Arc::from)
}

impl fmt::Debug for ProofSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("ProofSigner")
            .field("origin", &self.0.destination.origin())
            .field("user", self.user())
            .field("expires_at", &state.token.expires_at)
            .field("stapled", &state.account.is_some())
            .finish_non_exhaustive()
    }
}
