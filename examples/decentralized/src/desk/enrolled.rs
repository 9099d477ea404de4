//! [`EnrolledUsers`]: who has a user of NATS from the desk, so that it ends with the session at the log-in.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use portcullis::{
    AuthError,
    clock::{Clock, SystemClock, UnixTime},
    error::Code,
    revocation::{Cursor, Level, LogError, Page, Revocation, RevocationView, Revoker, Verdict},
    verified::Facts,
};
use portcullis_nats::{
    enrol::{Enrolled, Enrolment, EnrolmentRequest},
    nkey::UserKey,
    proof::ProofVerifier,
};
use portcullis_store::{RedbLog, Revocations};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::ORGANISATION;
use crate::{
    Failure,
    market::{Market, folder},
};

/// How many keys one session may have at a time. Each becomes a line of the account if the session is ended.
const KEYS_OF_A_SESSION: usize = 8;

/// For how long after its end a user may still be let in somewhere, because clocks differ.
const MARGIN: Duration = Duration::from_secs(600);

/// The desk's users of NATS, and what has ended at the log-in. Cheap to clone.
///
/// A log-out is kept in the log of revocations first, so that the desk gives the session no more users; then the users that it has are revoked in the
/// account, which services and nats-servers learn from its token. Who is told that the log-out was done can rely on both.
#[derive(Clone, Debug)]
pub(super) struct EnrolledUsers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    market: Market,
    revocations: Revocations,
    file: PathBuf,
    /// Held from the question whether the session has ended until its user is noted, and while sessions are ended: a log-out misses no user.
    users: Mutex<Vec<EnrolledUser>>,
}

/// A user of NATS, and the session for which it was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct EnrolledUser {
    key: UserKey,
    issuer: String,
    subject: Option<String>,
    session: Option<String>,
    /// When the caller's access token was issued, and when the user expires: seconds since 1970.
    access_token_at: Option<u64>,
    expires_at: u64,
    is_revoked: bool,
}

impl EnrolledUsers {
    /// Opens what the desk knew when it was ended.
    pub(super) async fn open(market: Market, data: &Path) -> Result<Self, Failure> {
        let folder = data.join(ORGANISATION);
        let revocations = Revocations::builder(RedbLog::open(folder.join("log-outs.redb"))?).start()?;
        revocations.require(Duration::from_secs(10)).await?;
        let file = folder.join("enrolled.json");
        let users = if file.exists() { serde_json::from_str(&folder::read(&file)?)? } else { Vec::new() };
        Ok(Self(Arc::new(Inner { market, revocations, file, users: Mutex::new(users) })))
    }

    /// What has ended at the log-in.
    pub(super) fn revocations(&self) -> &RevocationView {
        self.0.revocations.view()
    }

    /// The token of the account, as it is now.
    pub(super) fn account(&self) -> Result<String, Failure> {
        self.0.market.account_text(ORGANISATION)
    }

    /// Makes a user of NATS, and notes it before anybody has it.
    pub(super) async fn enrol(
        &self,
        request: EnrolmentRequest<'_>,
        proofs: &ProofVerifier,
    ) -> Result<Enrolled, AuthError> {
        let inner = &*self.0;
        // Read each time, because the account's signing key may have been replaced.
        let policy = inner.market.enrolment(ORGANISATION).map_err(|error| undecided(&error))?;
        let mut users = inner.users.lock().await;
        let now = SystemClock.now();
        // A log-out may have come since the layer has asked.
        match inner.revocations.view().check(request.caller, now) {
            Verdict::Live => {}
            Verdict::Revoked(_) => return Err(AuthError::new(Code::TokenRevoked)),
            _ => return Err(AuthError::new(Code::RevocationsStale)),
        }
        if is_full(&users, &request, now) {
            return Err(AuthError::new(Code::RequirementNotMet).with_explanation("the session has too many keys"));
        }
        let enrolled = Enrolment::new(policy, proofs.clone()).enrol(request, now).await?;
        let mut noted = users.clone();
        // What was revoked stays until the account forgets it. Of a session's key, the last user is enough: a revocation hits all tokens of the key.
        noted.retain(|user| {
            user.is_revoked || !user.is_over(now) && (user.key != enrolled.key || !user.is_of(request.caller))
        });
        noted.push(EnrolledUser::new(request.caller, &enrolled));
        inner.keep(&mut users, noted).map_err(|error| undecided(&error))?;
        Ok(enrolled)
    }

    /// Revokes the users of these sessions in the account.
    async fn end(&self, ended: &[Revocation]) -> Result<(), Failure> {
        let inner = &*self.0;
        let mut users = inner.users.lock().await;
        let mut noted = users.clone();
        for user in noted.iter_mut().filter(|user| ended.iter().any(|revocation| user.is_hit_by(revocation))) {
            user.is_revoked = true;
        }
        let now = SystemClock.now();
        let (over, left): (Vec<_>, Vec<_>) = noted.into_iter().partition(|user| user.is_over(now));
        let revoked: Vec<_> = left.iter().filter(|user| user.is_revoked).map(|user| user.key).collect();
        if !revoked.is_empty() {
            // What was revoked and has expired need not be listed any longer.
            let forgotten = over.iter().map(|user| user.key).filter(|key| left.iter().all(|user| user.key != *key));
            inner.market.end_users(ORGANISATION, &revoked, &forgotten.collect::<Vec<_>>()).await?;
        }
        inner.keep(&mut users, left)
    }
}

impl Inner {
    /// Notes these users in the file, and then in memory.
    fn keep(&self, users: &mut Vec<EnrolledUser>, noted: Vec<EnrolledUser>) -> Result<(), Failure> {
        folder::replace(&self.file, &serde_json::to_string(&noted)?)?;
        *users = noted;
        Ok(())
    }
}

/// The identity provider is told that the log-out was done when both are, and otherwise tries again.
impl Revoker for EnrolledUsers {
    async fn revoke_all(&self, revocations: Vec<Revocation>) -> Result<(), LogError> {
        self.0.revocations.revoke_all(revocations.clone()).await?;
        self.end(&revocations).await.map_err(|error| LogError::unavailable(error.to_string()))
    }

    async fn list(&self, after: Option<&Cursor>) -> Result<Page, LogError> {
        self.0.revocations.list(after).await
    }

    fn view(&self) -> Option<RevocationView> {
        Some(self.revocations().clone())
    }
}

impl EnrolledUser {
    fn new(caller: &Facts, enrolled: &Enrolled) -> Self {
        Self {
            key: enrolled.key,
            issuer: caller.issuer().to_owned(),
            subject: caller.subject().map(str::to_owned),
            session: caller.session_id().map(str::to_owned),
            access_token_at: caller.issued_at().map(UnixTime::as_secs),
            expires_at: enrolled.expires_at.as_secs(),
            is_revoked: false,
        }
    }

    /// Whether it was made for the session of this caller.
    fn is_of(&self, caller: &Facts) -> bool {
        self.issuer == caller.issuer()
            && self.subject.as_deref() == caller.subject()
            && self.session.as_deref() == caller.session_id()
    }

    fn is_hit_by(&self, revocation: &Revocation) -> bool {
        if self.issuer != revocation.of_issuer() {
            return false;
        }
        match revocation.level() {
            Level::Session => self.session.as_deref() == Some(revocation.id()),
            Level::Subject => {
                let is_before = |cut_off: UnixTime| self.access_token_at.is_none_or(|at| at <= cut_off.as_secs());
                self.subject.as_deref() == Some(revocation.id()) && revocation.cut_off().is_none_or(is_before)
            }
            // A log-out has no other: better end too much.
            _ => true,
        }
    }

    /// Whether nobody lets it in any more.
    fn is_over(&self, now: UnixTime) -> bool {
        UnixTime::from_secs(self.expires_at).plus(MARGIN) <= now
    }
}

/// Whether another key is one too many for the session.
fn is_full(users: &[EnrolledUser], request: &EnrolmentRequest<'_>, now: UnixTime) -> bool {
    let of_session = users.iter().filter(|user| user.is_of(request.caller) && !user.is_over(now));
    of_session.filter(|user| user.key.as_str() != request.key).count() >= KEYS_OF_A_SESSION
}

/// It is nobody's fault that the desk cannot tell, and no reason to refuse for good.
fn undecided(error: &Failure) -> AuthError {
    tracing::error!(error, "a user could not be made");
    AuthError::new(Code::RequirementUndecided)
}

#[cfg(test)]
mod tests {
    use portcullis_nats::nkey::{KeyPair, Role};

    use super::*;

    const ISSUER: &str = "https://login.example.com";

    fn user() -> Result<EnrolledUser, Failure> {
        Ok(EnrolledUser {
            key: UserKey::try_from(*KeyPair::generate(Role::User)?.public_key())?,
            issuer: ISSUER.to_owned(),
            subject: Some("ada".to_owned()),
            session: Some("s-1".to_owned()),
            access_token_at: Some(1000),
            expires_at: 1600,
            is_revoked: false,
        })
    }

    #[test]
    fn a_user_ends_with_its_session_and_with_the_subject_whose_session_is_older() -> Result<(), Failure> {
        let user = user()?;
        let at = UnixTime::from_secs;
        for (revocation, expected) in [
            (Revocation::session(ISSUER, "s-1"), true),
            (Revocation::session(ISSUER, "s-2"), false),
            (Revocation::session("https://other.example.com", "s-1"), false),
            (Revocation::subject(ISSUER, "ada", at(1000)), true),
            (Revocation::subject(ISSUER, "ada", at(999)), false),
            (Revocation::subject(ISSUER, "tom", at(1000)), false),
        ] {
            assert_eq!(user.is_hit_by(&revocation), expected, "{revocation:?}");
        }
        Ok(())
    }

    /// The account forgets its revocation then.
    #[test]
    fn a_user_is_over_when_no_clock_lets_it_in() -> Result<(), Failure> {
        let user = user()?;
        assert!(!user.is_over(UnixTime::from_secs(2199)));
        assert!(user.is_over(UnixTime::from_secs(2200)));
        Ok(())
    }
}
