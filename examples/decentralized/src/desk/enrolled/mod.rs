//! [`EnrolledUsers`]: who has a user of NATS from the desk, so that it ends with the session at the log-in.

mod user;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use portcullis::{
    AuthError,
    clock::{Clock, SystemClock, UnixTime},
    error::Code,
    revocation::{Cursor, LogError, Page, Revocation, RevocationView, Revoker, Verdict},
};
use portcullis_nats::{
    enrol::{Enrolled, Enrolment, EnrolmentRequest},
    nkey::UserKey,
    proof::ProofVerifier,
};
use portcullis_store::{RedbLog, Revocations};
use tokio::sync::Mutex;

use self::user::{EnrolledUser, Status};
use super::ORGANISATION;
use crate::{
    Failure,
    market::{Market, folder},
};

/// How many keys one user of the log-in may have at a time, in all sessions. Each becomes an entry of the account when its session ends.
const KEYS_OF_A_USER: usize = 16;

/// The desk's users of NATS, and what has ended at the log-in. Cheap to clone.
///
/// A log-out is kept in the log of revocations first, so that the desk gives the session no more users; then the users that it has are revoked in the
/// account, which services and nats-servers learn from its token. A log-out succeeds when both are done. One that was interrupted is completed by the next
/// one, or when the desk starts.
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

impl EnrolledUsers {
    /// Opens what the desk knew when it was ended.
    pub(super) async fn open(market: Market, data: &Path) -> Result<Self, Failure> {
        let folder = data.join(ORGANISATION);
        let revocations = Revocations::builder(RedbLog::open(folder.join("log-outs.redb"))?).start()?;
        revocations.require(Duration::from_secs(10)).await?;
        let file = folder.join("enrolled.json");
        let users = if file.exists() { serde_json::from_str(&folder::read(&file)?)? } else { Vec::new() };
        let inner = Inner { market, revocations, file, users: Mutex::new(users) };
        inner.end(&inner.log_outs().await?).await?;
        Ok(Self(Arc::new(inner)))
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
        let mut noted = users.clone();
        noted.retain(|user| user.status != Status::Live || !user.is_over(now));
        inner.require_acceptable(&noted, &request, now)?;
        let enrolled = Enrolment::new(policy, proofs.clone()).enrol(request, now).await?;
        EnrolledUser::note(&mut noted, request.caller, &enrolled, now);
        inner.keep(&mut users, noted).map_err(|error| undecided(&error))?;
        Ok(enrolled)
    }
}

impl Inner {
    /// Refuses a user whom a log-out could not end, or whose revocation is somebody else's.
    fn require_acceptable(
        &self,
        noted: &[EnrolledUser],
        request: &EnrolmentRequest<'_>,
        now: UnixTime,
    ) -> Result<(), AuthError> {
        let refused = |why: &'static str| Err(AuthError::new(Code::RequirementNotMet).with_explanation(why));
        let caller = request.caller;
        if caller.session_id().is_none() {
            return refused("the access token names no session (`sid`), so that a log-out could not end the user");
        }
        let of_key = || noted.iter().filter(|user| user.key.as_str() == request.key);
        if of_key().next().is_none() && self.is_revoked(request.key).map_err(|error| undecided(&error))? {
            return refused("the account has revoked this key: make another one");
        }
        if of_key().any(|user| user.status != Status::Live && user.issued_at >= now.as_secs()) {
            // It would be ended with the earlier one.
            return Err(AuthError::new(Code::RequirementUndecided).with_explanation("try again in a second"));
        }
        let others = noted.iter().filter(|user| user.key.as_str() != request.key && user.is_of_user(caller));
        if others.count() >= KEYS_OF_A_USER {
            return refused("the user has too many keys: use one of them, or wait until they have expired");
        }
        Ok(())
    }

    fn is_revoked(&self, key: &str) -> Result<bool, Failure> {
        let account = self.market.account(ORGANISATION)?;
        Ok(account.nats.revocations.by_key().any(|(revoked, _)| revoked.as_str() == key))
    }

    /// Everything that the log-in has ended.
    async fn log_outs(&self) -> Result<Vec<Revocation>, LogError> {
        let (mut ended, mut after) = (Vec::new(), None);
        loop {
            let page = self.revocations.list(after.as_ref()).await?;
            ended.extend(page.entries.iter().map(|entry| entry.revocation().clone()));
            if page.is_last {
                return Ok(ended);
            }
            after = Some(page.cursor);
        }
    }

    /// Revokes the users of these sessions in the account, and those that an interrupted log-out has left.
    async fn end(&self, ended: &[Revocation]) -> Result<(), Failure> {
        let mut users = self.users.lock().await;
        let now = SystemClock.now();
        let mut noted = users.clone();
        noted.retain(|user| user.status != Status::Live || !user.is_over(now));
        for user in noted.iter_mut().filter(|user| ended.iter().any(|revocation| user.is_hit_by(revocation))) {
            user.end();
        }
        if noted != *users {
            self.keep(&mut users, noted.clone())?;
        }
        let entries = |is_chosen: &dyn Fn(&EnrolledUser) -> bool| -> Vec<(UserKey, UnixTime)> {
            noted.iter().filter(|user| is_chosen(user)).map(EnrolledUser::entry).collect()
        };
        let revoked = entries(&|user| user.status == Status::Ended);
        // The account needs no entry for what has expired.
        let forgotten = entries(&|user| user.status == Status::Revoked && user.is_over(now));
        if revoked.is_empty() && forgotten.is_empty() {
            return Ok(());
        }
        self.market.revoke_users(ORGANISATION, &revoked, &forgotten).await?;
        noted.retain(|user| user.status != Status::Revoked || !user.is_over(now));
        noted.iter_mut().for_each(EnrolledUser::account_has_revoked);
        self.keep(&mut users, noted)
    }

    /// Notes these users in the file, and then in memory.
    fn keep(&self, users: &mut Vec<EnrolledUser>, noted: Vec<EnrolledUser>) -> Result<(), Failure> {
        folder::write_secret(&self.file, &serde_json::to_string(&noted)?)?;
        *users = noted;
        Ok(())
    }
}

/// Fails unless both the log and the account have changed. The identity provider then tries again.
impl Revoker for EnrolledUsers {
    #[expect(clippy::disallowed_methods, reason = "the task ends by itself, and has to if the caller hangs up")]
    async fn revoke_all(&self, revocations: Vec<Revocation>) -> Result<(), LogError> {
        let desk = Arc::clone(&self.0);
        let ended = tokio::spawn(async move {
            desk.revocations.revoke_all(revocations.clone()).await?;
            desk.end(&revocations).await.map_err(|error| LogError::unavailable(error.to_string()))
        });
        ended.await.unwrap_or_else(|error| Err(LogError::unavailable(error.to_string())))
    }

    async fn list(&self, after: Option<&Cursor>) -> Result<Page, LogError> {
        self.0.revocations.list(after).await
    }

    fn view(&self) -> Option<RevocationView> {
        Some(self.revocations().clone())
    }
}

/// Logs the error, and returns a failure (503) instead of a refusal.
fn undecided(error: &Failure) -> AuthError {
    tracing::error!(error, "a user could not be made");
    AuthError::new(Code::RequirementUndecided)
}
