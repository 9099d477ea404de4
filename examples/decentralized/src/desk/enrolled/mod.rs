//! [`EnrolledUsers`]: the users of NATS that the desk has made, each of which ends with its session at the log-in.

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
use tokio::{sync::Mutex, time::sleep};

use self::user::{EnrolledUser, Status};
use super::ORGANISATION;
use crate::{
    Failure,
    market::{Market, folder},
};

/// How many keys one user of the log-in may have enrolled at a time, counted once for each session. Each becomes an entry of the account when its session ends.
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
    /// Refuses a key that a log-out could not revoke, that the organisation has revoked, or that is one too many for the user.
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
        if let Some(until) = self.revoked_until(request.key).map_err(|error| undecided(&error))?
            && !of_key().any(|user| user.status != Status::Live && user.entry().1 == until)
        {
            // The desk would overwrite the organisation's entry, and later drop it as its own.
            return refused("the account has revoked this key: make another one");
        }
        if of_key().any(|user| user.status != Status::Live && user.issued_at >= now.as_secs()) {
            // It would be ended with the earlier one.
            return Err(AuthError::new(Code::RequirementUndecided).with_explanation("try again in a second"));
        }
        let is_renewed = |user: &&EnrolledUser| user.is_live_for(caller) && user.key.as_str() == request.key;
        let others = noted.iter().filter(|user| user.is_of_user(caller) && !user.is_over(now) && !is_renewed(user));
        if others.count() >= KEYS_OF_A_USER {
            return refused("the user has too many keys: use one of them, or wait until they have expired");
        }
        Ok(())
    }

    /// Up to when the account ends the tokens of this key.
    fn revoked_until(&self, key: &str) -> Result<Option<UnixTime>, Failure> {
        let account = self.market.account(ORGANISATION)?;
        let until = account.nats.revocations.by_key().find(|(revoked, _)| revoked.as_str() == key);
        Ok(until.map(|(_, until)| until))
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
        self.note_ended(ended).await?;
        // Many log-outs of one second become one change: each makes the account a second younger, which must not run ahead of the clock.
        while !self.account_is_changed().await? {
            sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    }

    async fn note_ended(&self, ended: &[Revocation]) -> Result<(), Failure> {
        let mut users = self.users.lock().await;
        let now = SystemClock.now();
        let mut noted = users.clone();
        noted.retain(|user| user.status != Status::Live || !user.is_over(now));
        for user in noted.iter_mut().filter(|user| ended.iter().any(|revocation| user.is_hit_by(revocation))) {
            user.end();
        }
        if noted == *users { Ok(()) } else { self.keep(&mut users, noted) }
    }

    /// Brings the account up to date. Returns `false` if it was changed in this second already.
    async fn account_is_changed(&self) -> Result<bool, Failure> {
        let mut users = self.users.lock().await;
        let now = SystemClock.now();
        let revoked: Vec<_> =
            users.iter().filter(|user| user.status == Status::Ended).map(EnrolledUser::entry).collect();
        // The account needs no entry for what has expired, in all sessions with the key.
        let is_over = |user: &EnrolledUser| user.status == Status::Revoked && user.is_over(now);
        let is_needed = |key: UserKey| users.iter().any(|user| user.key == key && !is_over(user));
        let forgotten: Vec<_> = users.iter().filter(|user| is_over(user)).map(EnrolledUser::entry).collect();
        let forgotten: Vec<_> = forgotten.into_iter().filter(|(key, _)| !is_needed(*key)).collect();
        if revoked.is_empty() && forgotten.is_empty() {
            return Ok(true);
        }
        if self.market.account(ORGANISATION)?.registered.issued_at >= now {
            return Ok(false);
        }
        self.market.revoke_users(ORGANISATION, &revoked, &forgotten).await?;
        let mut noted = users.clone();
        noted.retain(|user| !is_over(user) || !forgotten.contains(&user.entry()));
        noted.iter_mut().for_each(EnrolledUser::account_has_revoked);
        self.keep(&mut users, noted)?;
        Ok(true)
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
            // Both, whatever becomes of the first: the log goes on trying by itself.
            let logged = desk.revocations.revoke_all(revocations.clone()).await;
            let ended = desk.end(&revocations).await.map_err(|error| LogError::unavailable(error.to_string()));
            logged.and(ended)
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
