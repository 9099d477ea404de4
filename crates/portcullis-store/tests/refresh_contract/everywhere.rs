//! A user logs out everywhere while refreshes are under way, on three instances that share a store and a log of revocations, both real.
//!
//! `PORTCULLIS_ROUNDS` sets how often, `PORTCULLIS_SEED` repeats a run.

use std::{env, sync::Arc, time::Instant};

use portcullis_core::{
    Admission, Algorithm, Code, JwtAuthenticator, KeySet,
    policy::TokenSpec,
    revocation::{Revocation, RevocationLog},
};
use portcullis_issuer::{
    SigningKey, TokenIssuer,
    refresh::{
        DangerUncheckedSubjects, EndReason, LogIn, NotAccepted, RefreshError, RefreshKeys, RefreshPolicy, RefreshStore,
        Sessions, Tokens,
    },
};
use portcullis_store::Revocations;
use tokio::task::JoinSet;

use super::{
    crowd::refresh,
    sessions::{CLIENT, ISSUER, OnStore},
    support::holds,
    *,
};

const INSTANCES: usize = 3;
const SERVICE: &str = "https://orders.test";

/// The sessions of the user, and how many refreshes of each are under way.
const SESSIONS: usize = 8;
const TABS: usize = 8;

/// How long a call is repeated that fails, and what is revoked may take to every instance.
const LIMIT: Duration = Duration::from_secs(60);

/// An instance of the issuer, with a service beside it that asks the same view.
struct Instance<S> {
    sessions: OnStore<S>,
    revocations: Revocations,
    service: Admission,
}

/// Where the sessions and the log of revocations are.
pub(crate) trait Shared {
    type Store: RefreshStore;
    type Log: RevocationLog;

    /// Opens a handle to the store, like another instance.
    fn store(&self) -> Self::Store;

    /// Opens a handle to the log, like another instance.
    fn log(&self) -> Self::Log;
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

pub(crate) async fn logs_out<P: Shared>(place: P) {
    let seed = number("PORTCULLIS_SEED").unwrap_or_else(|| fastrand::u64(..));
    let rounds = number("PORTCULLIS_ROUNDS").unwrap_or(20);
    eprintln!("PORTCULLIS_SEED={seed} PORTCULLIS_ROUNDS={rounds}");
    let mut chance = fastrand::Rng::with_seed(seed);
    let instances = instances(&place).await;
    let (mut late, mut refused) = (0, 0);
    for round in 1..=rounds {
        let (some, others) = one_round(&instances, round, &mut chance).await;
        (late, refused) = (late + some, refused + others);
    }
    eprintln!("{late} refreshes were granted beside a log-out, {refused} refused");
    assert!(late > 0 && refused > 0, "no refresh met a log-out, so that nothing was tested");
}

async fn instances<P: Shared>(place: &P) -> Vec<Instance<P::Store>> {
    let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
    let spec = TokenSpec::new(ISSUER).audience(SERVICE);
    let trusted = spec.trusted_at(SERVICE, KeySet::from(key.verifying_key())).unwrap();
    let authenticator = JwtAuthenticator::new(trusted).unwrap();
    let issuer = TokenIssuer::new(spec, key).unwrap();
    let mut instances = Vec::new();
    for _ in 0..INSTANCES {
        let revocations = Revocations::builder(place.log()).start().unwrap();
        revocations.require(LIMIT).await.unwrap();
        let keys = RefreshKeys::new(1, [1; 32]).unwrap();
        let store = place.store();
        let sessions = Sessions::new(issuer.clone(), store, keys, revocations.clone(), DangerUncheckedSubjects);
        let service = Admission::new(authenticator.clone()).revocations(revocations.view());
        instances.push(Instance { sessions, revocations, service });
    }
    instances
}

/// Returns how many refreshes were granted while the user logged out, and how many refused.
async fn one_round<S: RefreshStore>(
    instances: &[Instance<S>],
    round: u64,
    chance: &mut fastrand::Rng,
) -> (usize, usize) {
    let bystander = log_in(&instances[0], "bob", round).await;
    let mut before = Vec::new();
    for at in 0..SESSIONS {
        before.push(log_in(&instances[at % INSTANCES], "alice", round).await);
    }
    let mut callers = JoinSet::new();
    for at in 0..SESSIONS * TABS {
        let sessions = instances[at % INSTANCES].sessions.clone();
        let token = before[at % SESSIONS].refresh_token().to_owned();
        callers.spawn(async move { refresh(&sessions, &token, &policy()).await });
    }
    // It begins when some of them have ended, and the others are under way.
    let mut answers = Vec::new();
    for _ in 0..chance.usize(0..SESSIONS * TABS / 2) {
        answers.push(callers.join_next().await.unwrap().unwrap());
    }
    let (at, version) = (&instances[chance.usize(..INSTANCES)], round + 1);
    log_out(at, version).await;
    let beside = callers.join_all().await;
    let late = beside.iter().filter(|answer| answer.is_ok()).count();
    let refused = beside.len() - late;
    let granted: Vec<Tokens> = answers.into_iter().chain(beside).flatten().collect();
    all_have_heard(instances, round).await;
    for instance in instances {
        for tokens in before.iter().chain(&granted) {
            nothing_is_accepted(instance, tokens).await;
        }
        assert!(instance.sessions.sessions_of("alice").await.unwrap().is_empty(), "a session is left");
        assert!(verdict(instance, &bystander).is_ok(), "another user was logged out");
    }
    // The user can log in again.
    let again = log_in(&instances[1], "alice", version).await;
    assert!(verdict(&instances[2], &again).is_ok(), "the new log-in is refused");
    assert!(instances[2].sessions.refresh(again.refresh_token(), CLIENT, &policy()).await.is_ok());
    (late, refused)
}

async fn nothing_is_accepted<S: RefreshStore>(instance: &Instance<S>, tokens: &Tokens) {
    assert_eq!(verdict(instance, tokens), Err(Code::TokenRevoked), "an access token is accepted after the lag");
    let refreshed = refresh(&instance.sessions, tokens.refresh_token(), &policy()).await;
    assert!(matches!(refreshed, Err(RefreshError::InvalidGrant(_))), "a refresh token is accepted: {refreshed:?}");
}

fn verdict<S>(instance: &Instance<S>, tokens: &Tokens) -> Result<(), Code> {
    let verified = instance.service.verify(tokens.access().token()).ready().unwrap();
    verified.map(drop).map_err(|error| error.code())
}

/// Waits for the lag: until every instance knows what was revoked after the log-out.
async fn all_have_heard<S: RefreshStore>(instances: &[Instance<S>], round: u64) {
    let marker = Revocation::session(ISSUER, &format!("marker-{round}"));
    patiently(async || instances[0].revocations.revoke(marker.clone()).await.map_err(unavailable)).await.unwrap();
    let asked = Instant::now();
    for instance in instances {
        while !holds(instance.revocations.view(), &marker) {
            assert!(asked.elapsed() < LIMIT, "an instance does not hear of what was revoked");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

fn unavailable(error: portcullis_core::revocation::LogError) -> RefreshError {
    RefreshError::Unavailable(portcullis_issuer::refresh::Unavailable::Log(error))
}

async fn log_in<S: RefreshStore>(at: &Instance<S>, subject: &str, version: u64) -> Tokens {
    let log_in = || LogIn::new(subject, CLIENT).version(version);
    patiently(async || at.sessions.log_in(log_in(), &policy()).await).await.unwrap()
}

/// Some of them are by time, as for users without versions. Then the user can log in again after that second.
async fn log_out<S: RefreshStore>(at: &Instance<S>, version: u64) {
    if !version.is_multiple_of(4) {
        return patiently(async || at.sessions.raise_version("alice", version).await).await.unwrap();
    }
    patiently(async || at.sessions.log_out_everywhere("alice").await).await.unwrap();
    let ended = Instant::now();
    while is_refused(at, version).await {
        assert!(ended.elapsed() < LIMIT, "no log-in any more");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn is_refused<S: RefreshStore>(at: &Instance<S>, version: u64) -> bool {
    let log_in = || LogIn::new("alice", CLIENT).version(version);
    match patiently(async || at.sessions.log_in(log_in(), &policy()).await).await {
        Ok(tokens) => {
            let session = tokens.session().id;
            patiently(async || at.sessions.end(session, EndReason::LoggedOut).await).await.unwrap();
            false
        }
        Err(error) => matches!(error, RefreshError::InvalidGrant(NotAccepted::Revoked)),
    }
}

fn policy() -> RefreshPolicy {
    RefreshPolicy::new()
}

/// Repeats what could not be decided, as a client does.
async fn patiently<T>(ask: impl AsyncFn() -> Result<T, RefreshError>) -> Result<T, RefreshError> {
    let asked = Instant::now();
    loop {
        match ask().await {
            Err(RefreshError::Unavailable(why)) => assert!(asked.elapsed() < LIMIT, "{why}"),
            answer => return answer,
        }
        tokio::task::yield_now().await;
    }
}
