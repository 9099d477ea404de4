//! The path of a request.

use std::{sync::Arc, time::Duration};

use portcullis_core::{
    AuthError, Authenticator, Clock, Code, UnixTime, Verified,
    authenticator::{Attempt, Credential, Edition, Header, Proven, RequestView, Scheme},
    possession::Once,
    verified::Conventions,
};
use serde::de::DeserializeOwned;

use super::{Decided, Inner, TrustChain, builder::Isolation, facts, seen::SeenUser};
use crate::{
    accounts::{AccountResolver, KnownAccount, Lookup},
    chain::{AdmittedUser, Circumstances},
    nkey::AccountKey,
    proof::{ACCOUNT_HEADER, Checked, ProofVerifier, Replay, SCHEME, replayed},
};

/// The scheme under which a token comes with a proof.
pub(super) const NATS_USER: Scheme = Scheme::Other(SCHEME);

/// What is kept of a request while something is awaited.
#[derive(Clone, Debug)]
pub(super) struct Presented {
    seen: Arc<SeenUser>,
    is_proven: bool,
    staple: Option<String>,
    source: Option<std::net::IpAddr>,
}

impl Presented {
    pub(super) fn new(credential: Credential<'_>, seen: Arc<SeenUser>, is_proven: bool) -> Decided<Self> {
        let request = credential.request();
        let staple = request.map(staple).transpose()?.flatten();
        let source = request.and_then(|request| request.channel().peer);
        Ok(Self { seen, is_proven, staple, source })
    }
}

/// A decision with what it depends on.
pub(super) struct Admitted {
    pub(super) user: AdmittedUser,
    edition: Edition,
    usable_until: UnixTime,
    now: UnixTime,
}

/// How long a decision is used again at most, so that a newer account that a caller brings along is looked at. Whatever else ends it is noticed at
/// once.
const MOST_CACHED: Duration = Duration::from_secs(60);

impl<R: AccountResolver, C> Authenticator for TrustChain<R, C>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    type Custom = C;

    fn verify(&self, credential: Credential<'_>) -> Attempt<Proven<C>> {
        let (presented, replay) = match self.inner.present(credential) {
            Ok(presented) => presented,
            Err(error) => return Attempt::Done(Err(error)),
        };
        let (inner, clock) = (Arc::clone(&self.inner), credential.clock());
        let admitted = match inner.decide_at_once(&presented, credential.now(), &clock) {
            Some(Ok(admitted)) => admitted,
            Some(Err(error)) => return Attempt::Done(Err(error)),
            None => {
                return Attempt::waiting(async move {
                    let admitted = inner.decide(&presented, &clock).await?;
                    inner.use_up(replay).outcome().await?;
                    inner.conclude(&presented, &admitted)
                });
            }
        };
        match inner.use_up(replay) {
            Attempt::Done(Ok(())) => Attempt::Done(inner.conclude(&presented, &admitted)),
            Attempt::Done(Err(error)) => Attempt::Done(Err(error)),
            waiting => Attempt::waiting(async move {
                waiting.outcome().await?;
                inner.conclude(&presented, &admitted)
            }),
        }
    }

    fn is_current(&self, edition: Edition, now: UnixTime) -> bool {
        self.inner.is_current(edition, now)
    }

    fn check_proof(&self, credential: Credential<'_>, _: &Verified<C>) -> Result<(), AuthError> {
        let now = credential.now();
        let seen = self.inner.see(credential.token(), now)?;
        let (proofs, request) = self.inner.parts_of_proof(credential)?;
        match proofs.accept_once(proofs.check(checked(request, &seen, now))?) {
            Attempt::Done(once) => once.and_then(require_first),
            _ => Err(AuthError::new(Code::ServiceMisconfigured)
                .with_explanation("a store of used proofs said that it never waits, and waits")),
        }
    }

    fn max_len(&self) -> usize {
        self.inner.chain.policy().token_bytes()
    }

    fn conventions(&self, issuer: &str) -> Option<Arc<Conventions>> {
        let account = issuer.strip_prefix("nats:")?.parse::<AccountKey>().ok()?;
        Some(Arc::new(facts::conventions(&account)))
    }

    fn schemes(&self) -> Vec<Scheme> {
        let proven = self.inner.proofs.is_some().then_some(NATS_USER);
        let bearer = self.inner.chain.policy().accepts_bearer_tokens().then_some(Scheme::Bearer);
        proven.into_iter().chain(bearer).collect()
    }
}

impl<R: AccountResolver> Inner<R> {
    /// Makes all checks that need no account, and those of the proof but for whether it is new.
    fn present(&self, credential: Credential<'_>) -> Decided<(Presented, Option<Replay>)> {
        let now = credential.now();
        let seen = self.see(credential.token(), now)?;
        let is_proven = credential.scheme() == NATS_USER;
        let replay = if is_proven {
            let (proofs, request) = self.parts_of_proof(credential)?;
            Some(proofs.check(checked(request, &seen, now))?)
        } else {
            None
        };
        Ok((Presented::new(credential, seen, is_proven)?, replay))
    }

    /// Decides whether a proof is new, and remembers it. Only for users that are let in: anyone can make up others, and fill the store.
    fn use_up(&self, replay: Option<Replay>) -> Attempt<()> {
        let (Some(replay), Some(proofs)) = (replay, &self.proofs) else { return Attempt::Done(Ok(())) };
        match proofs.accept_once(replay) {
            Attempt::Done(once) => Attempt::Done(once.and_then(require_first)),
            waiting => Attempt::waiting(async move { waiting.outcome().await.and_then(require_first) }),
        }
    }

    /// Returns the token of a user that was let in lately, or checks it.
    pub(super) fn see(&self, token: &str, now: UnixTime) -> Decided<Arc<SeenUser>> {
        if let Some(seen) = self.seen.find(token) {
            self.chain.screen_again(&seen.user, now)?;
            return Ok(seen);
        }
        let user = self.chain.screen(token, &Circumstances::at(now))?;
        SeenUser::new(token, user).map(Arc::new)
    }

    pub(super) fn parts_of_proof<'a>(
        &'a self,
        credential: Credential<'a>,
    ) -> Decided<(&'a ProofVerifier, &'a dyn RequestView)> {
        let no_request =
            || AuthError::new(Code::ProofMissing).with_explanation("there is no request that could prove anything");
        let misconfigured =
            || AuthError::new(Code::ServiceMisconfigured).with_explanation("nothing checks proofs here");
        let proofs = self.proofs.as_ref().ok_or_else(misconfigured)?;
        Ok((proofs, credential.request().ok_or_else(no_request)?))
    }

    /// Decides, if the accounts are at hand.
    fn decide_at_once(
        &self,
        presented: &Presented,
        now: UnixTime,
        clock: &Arc<dyn Clock>,
    ) -> Option<Decided<Admitted>> {
        let user = presented.seen.user.account();
        let account = match self.desk.look_up(user, presented.staple.as_deref(), now, clock) {
            Lookup::Known(account) => account,
            Lookup::Refused(error) => return Some(Err(error)),
            Lookup::Waiting(_) => return None,
        };
        let exporter = match &self.isolation {
            Isolation::ServiceOf(exporter) => match self.desk.look_up(&exporter.id, None, now, clock) {
                Lookup::Known(account) => Some(account),
                Lookup::Refused(error) => return Some(Err(of_service(&error))),
                Lookup::Waiting(_) => return None,
            },
            Isolation::Accounts | Isolation::TenantPerAccount => None,
        };
        Some(self.admit(presented, &account, exporter.as_deref(), now))
    }

    /// Decides, and waits for the accounts if necessary.
    pub(super) async fn decide(&self, presented: &Presented, clock: &Arc<dyn Clock>) -> Decided<Admitted> {
        let account = self.find(presented.seen.user.account(), presented.staple.as_deref(), clock).await?;
        let exporter = match &self.isolation {
            Isolation::ServiceOf(exporter) => {
                Some(self.find(&exporter.id, None, clock).await.map_err(|error| of_service(&error))?)
            }
            Isolation::Accounts | Isolation::TenantPerAccount => None,
        };
        // Waiting may have taken longer than the user's token is good for.
        let now = clock.now();
        self.chain.screen_again(&presented.seen.user, now)?;
        self.admit(presented, &account, exporter.as_deref(), now)
    }

    async fn find(&self, id: &AccountKey, staple: Option<&str>, clock: &Arc<dyn Clock>) -> Decided<Arc<KnownAccount>> {
        match self.desk.look_up(id, staple, clock.now(), clock) {
            Lookup::Known(account) => Ok(account),
            Lookup::Refused(error) => Err(error),
            Lookup::Waiting(account) => account.await,
        }
    }

    fn admit(
        &self,
        presented: &Presented,
        account: &KnownAccount,
        exporter: Option<&KnownAccount>,
        now: UnixTime,
    ) -> Decided<Admitted> {
        let mut at = Circumstances::at(now);
        at.source = presented.source;
        let user = &presented.seen.user;
        let admitted = match exporter {
            None => self.chain.admit(user, &account.account, &at),
            Some(exporter) => self.chain.admit_to_service_of(&exporter.account, user, &account.account, &at),
        };
        let of_account = |error: AuthError| error.with_issuer(&Arc::new(facts::conventions(user.account())));
        let admitted = admitted.map_err(|refusal| of_account(refusal.into()))?;
        if !presented.is_proven && !admitted.is_bearer {
            let why = "the user's token needs a proof: present it in `Authorization: NatsUser`, with a `Nats-Proof`";
            return Err(of_account(AuthError::new(Code::ProofMissing).with_explanation(why)));
        }
        let (edition, usable_until) = match (&self.isolation, exporter) {
            (Isolation::ServiceOf(known), Some(exporter)) => {
                (known.edition(account.edition, exporter.edition), account.usable_until.min(exporter.usable_until))
            }
            _ => (account.edition, account.usable_until),
        };
        Ok(Admitted { user: admitted, edition, usable_until, now })
    }

    /// Returns the result for the admission, which may use it again for later requests.
    fn conclude<C: DeserializeOwned>(&self, presented: &Presented, admitted: &Admitted) -> Decided<Proven<C>> {
        self.seen.keep(&presented.seen);
        let user = &admitted.user;
        let proven = Proven::read(facts::facts(user)?)?;
        // What depends on the request beyond its proof is decided for each request.
        let is_kept = !user.has_sources()
            && (!presented.is_proven || self.proofs.as_ref().is_some_and(ProofVerifier::answers_at_once));
        let proven = if presented.is_proven { proven.proof_shown() } else { proven };
        if !is_kept {
            return Ok(proven);
        }
        let end = admitted.usable_until.min(admitted.now.plus(MOST_CACHED));
        Ok(proven.cache_until(end).edition(admitted.edition))
    }
}

/// Returns the account's token that a caller has brought along.
fn staple(request: &dyn RequestView) -> Decided<Option<String>> {
    let wrong = || {
        AuthError::new(Code::CredentialMalformed)
            .with_explanation("the account's token that came along is not one text")
    };
    match request.header(ACCOUNT_HEADER) {
        Header::Absent => Ok(None),
        Header::One(value) => std::str::from_utf8(value).map(|text| Some(text.to_owned())).map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

pub(super) fn checked<'a>(request: &'a dyn RequestView, seen: &'a SeenUser, now: UnixTime) -> Checked<'a> {
    Checked { request, user: seen.user.key(), key: &seen.key, token_digest: &seen.digest, now }
}

fn require_first(once: Once) -> Decided<()> {
    match once {
        Once::First => Ok(()),
        Once::Repeated => Err(replayed()),
    }
}

/// If the account whose service it is cannot be found, that is no fault of the caller.
fn of_service(error: &AuthError) -> AuthError {
    let why = format!("the account whose service this is cannot be used: {error}");
    AuthError::new(Code::IssuerUnavailable).with_explanation(why)
}
