//! [`ApiTokenAuthenticator`]: decides whose token it is.

use std::{fmt, marker::PhantomData, net::IpAddr, sync::Arc};

use portcullis_core::{
    AuthError, Authenticator, UnixTime,
    authenticator::{Attempt, Credential, Edition, Proven},
    explain::{Check, Explain, Explaining, Recorder},
    verified::{Conventions, NoCustom},
};
use serde::de::DeserializeOwned;

use super::{
    CACHED, Checked, Checker, Names, Presented, RecordingUses,
    sought::{MOST_FOREIGN_BYTES, Sought},
};
use crate::{
    StoreError,
    api_tokens::{ApiTokenStore, Grants, MembershipError, Memberships, Owner},
};

/// Decides whose API token a request presents, by looking it up in the store. An [`Admission`](portcullis_core::Admission) caches the result for at most
/// 60 s, and ends it at once when the log of revocations names the token, one of its ancestors, its application or its pepper. Cheap to clone.
///
/// A text whose checksum or tag is wrong is refused without asking the store; so is a token that was refused within the last 10 s.
///
/// | token | answer |
/// |---|---|
/// | not of this form, or a typing error | 401 `token_malformed` |
/// | of a pepper that is not in use | 401 `key_unknown` |
/// | invented by another | 401 `signature_invalid` |
/// | unknown to the store, or of another environment | 401 `credential_unknown` |
/// | expired, or replaced and past its overlap | 401 `token_expired` |
/// | revoked, or its owner is gone | 401 `token_revoked` |
/// | derived from one that has ended | 401 `credential_revoked_by_parent` |
/// | the store or the memberships do not answer | 503 `credential_undecided` |
///
/// The claims are those of an access token of the same issuer: `iss`, `jti` (the token's id), `iat`, `exp`, `scope`; `grants`, an object with the roles on
/// each instance; and `roles`, for roles that both the token and the [`Memberships`] give everywhere. **Guards read `/grants/{instance}`**: with a `Memberships` that names
/// roles instance by instance, there is nothing in `roles`, not even for a token with [`Grant::RoleEverywhere`](crate::api_tokens::Grant::RoleEverywhere). Who acts:
///
/// - A user's token has `sub`, and no `client_id`: the user is the same [`Identity`](portcullis_core::verified::Identity) whichever credential came.
/// - An application's token has its `client_id`, and no `sub`.
/// - An organisation's token has `organisation`, and `client_id` with `organisation:` before the id. No application has such a `client_id`.
///
/// [`ApiTokens::authenticator`](crate::api_tokens::ApiTokens::authenticator) returns it; a service that only checks tokens gets it from
/// [`ApiTokensBuilder::build_authenticator`](crate::api_tokens::ApiTokensBuilder::build_authenticator).
pub struct ApiTokenAuthenticator<S, M, C = NoCustom> {
    checker: Arc<Checker<S, M>>,
    custom: PhantomData<fn() -> C>,
}

impl<S, M> ApiTokenAuthenticator<S, M> {
    pub(in crate::api_tokens) fn new(checker: Arc<Checker<S, M>>) -> Self {
        Self { checker, custom: PhantomData }
    }
}

impl<S: ApiTokenStore, M: Memberships, C> ApiTokenAuthenticator<S, M, C> {
    /// Reads the claims as your own type, as [`JwtAuthenticator::claims`](portcullis_core::JwtAuthenticator::claims) does: all branches of a dispatch need the
    /// same.
    #[must_use]
    pub fn claims<D: DeserializeOwned + Send + Sync + 'static>(self) -> ApiTokenAuthenticator<S, M, D> {
        ApiTokenAuthenticator { checker: self.checker, custom: PhantomData }
    }

    /// Returns how tokens look.
    pub fn format(&self) -> &crate::api_tokens::ApiTokenFormat {
        &self.checker.format
    }

    /// Returns what an owner may do now.
    pub(crate) async fn rights_of(&self, owner: &Owner) -> Result<Grants, MembershipError> {
        self.checker.memberships.of(owner).await
    }

    fn recognise(&self, token: &str) -> Result<Sought, AuthError> {
        self.checker.recognise(token).map_err(|why| AuthError::new(why.code()))
    }

    /// Says of whose token an error is, for counting. Not of texts whose tag is wrong: anyone can make those.
    fn of_issuer(&self, error: AuthError) -> AuthError {
        error.with_issuer(&self.checker.conventions)
    }

    /// Records in the store when tokens were used: see [`ApiTokens::record_uses`](crate::api_tokens::ApiTokens::record_uses).
    ///
    /// # Errors
    ///
    /// If the store cannot be reached. Nothing is lost then: the next call records them.
    pub async fn record_uses(&self) -> Result<usize, StoreError> {
        self.checker.record_uses().await
    }

    /// Starts a task that records uses every 15 minutes. Close it when the program ends. Needs a runtime of tokio.
    pub fn keep_recording_uses(&self) -> RecordingUses<S, M> {
        RecordingUses::start(&self.checker)
    }
}

impl<S, M, C> Authenticator for ApiTokenAuthenticator<S, M, C>
where
    S: ApiTokenStore,
    M: Memberships,
    C: DeserializeOwned + Send + Sync + 'static,
{
    type Custom = C;

    fn verify(&self, credential: Credential<'_>) -> Attempt<Proven<C>> {
        let sought = match self.recognise(credential.token()) {
            Ok(sought) => sought,
            Err(error) => return Attempt::Done(Err(error)),
        };
        if let Some(refusal) = self.checker.refused(&sought) {
            return Attempt::Done(Err(self.of_issuer(refusal.into_error(Names::Hidden))));
        }
        let presented = Presented { now: credential.now(), source: network(credential) };
        let this = self.clone();
        Attempt::waiting(async move {
            let now = presented.now;
            let checked = this.checker.check(&sought, presented).await;
            let Checked { facts, edition } = checked.map_err(|error| this.of_issuer(error))?;
            let proven = Proven::read(facts).map_err(|error| this.of_issuer(error))?;
            Ok(match edition {
                Some(edition) => proven.cache_until(now.plus(CACHED)).edition(edition),
                None => proven,
            })
        })
    }

    fn is_current(&self, edition: Edition, _: UnixTime) -> bool {
        self.checker.state.editions.is_current(edition)
    }

    fn max_len(&self) -> usize {
        if self.checker.foreign.is_empty() { self.checker.format.token_len() } else { MOST_FOREIGN_BYTES }
    }

    fn conventions(&self, issuer: &str) -> Option<Arc<Conventions>> {
        let conventions = &self.checker.conventions;
        (conventions.issuer() == issuer).then(|| Arc::clone(conventions))
    }

    fn issuers(&self) -> Vec<Arc<Conventions>> {
        vec![Arc::clone(&self.checker.conventions)]
    }
}

impl<S, M, C> Explain for ApiTokenAuthenticator<S, M, C>
where
    S: ApiTokenStore,
    M: Memberships,
    C: DeserializeOwned + Send + Sync + 'static,
{
    fn explain<'a>(&'a self, credential: Credential<'a>, recorder: &'a mut Recorder) -> Explaining<'a, C> {
        recorder.plan([Check::Shape, Check::Key, Check::Signature, Check::Known, Check::Ancestors, Check::Owner]);
        let recognised = self.recognise(credential.token());
        let failed = recognised.as_ref().err().map(AuthError::code);
        for check in [Check::Shape, Check::Key, Check::Signature] {
            if failed.is_some_and(|code| check.codes().contains(&code)) {
                recorder.note(check, &recognised);
                break;
            }
            recorder.note(check, &Ok(()));
        }
        recorder.wants(Check::Shape, format!("{}_<kind>_… with a right checksum", self.checker.format.prefix()));
        Box::pin(async move {
            let proven = Proven::read(self.checker.explain(&recognised?, recorder).await?);
            if proven.is_err() {
                recorder.note(Check::Custom, &proven);
            }
            proven
        })
    }
}

/// Returns the network from which a request came, for its owner's list: 24 bits of an IPv4 address, 48 of an IPv6 address.
fn network(credential: Credential<'_>) -> Option<String> {
    let peer = credential.request()?.channel().peer?;
    Some(match peer.to_canonical() {
        IpAddr::V4(address) => {
            let [first, second, third, _] = address.octets();
            format!("{first}.{second}.{third}.0/24")
        }
        IpAddr::V6(address) => {
            let [first, second, third, ..] = address.segments();
            format!("{first:x}:{second:x}:{third:x}::/48")
        }
    })
}

impl<S, M, C> Clone for ApiTokenAuthenticator<S, M, C> {
    fn clone(&self) -> Self {
        Self { checker: Arc::clone(&self.checker), custom: PhantomData }
    }
}

impl<S: fmt::Debug, M: fmt::Debug, C> fmt::Debug for ApiTokenAuthenticator<S, M, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ApiTokenAuthenticator").field(&self.checker).finish()
    }
}
