//! Many refreshes of one token at once, through the sessions of several instances: what all of their clients get, byte for byte.

use std::time::Instant;

use portcullis_core::revocation::Revocation;
use portcullis_issuer::refresh::{
    EndReason, LogIn, NotAccepted, RefreshCause, RefreshError, RefreshKeys, RefreshPolicy, RefreshStore, SessionEvent,
    Tokens,
};
use tokio::task::JoinSet;

use super::{
    sessions::{CLIENT, ISSUER, Issuer, OnStore},
    support::holds,
    *,
};

const INSTANCES: usize = 3;

/// How long a call is repeated that could not be decided: a server may be busy with so many callers.
const LIMIT: Duration = Duration::from_secs(60);

type Answer = Result<Tokens, RefreshError>;

/// Presents one token a thousand times at once, with and without a grace: the first token of a session, and one that replaced another before
/// the grace.
pub(crate) async fn rotates_once<P: RefreshPlace>(mut place: P, longest_grace: Duration) {
    for grace in [Duration::ZERO, longest_grace] {
        for rotations in [0, 1] {
            // Of its own, so that its events are those of this crowd.
            let issuer = Issuer::ready().await;
            let policy = RefreshPolicy::new().grace(grace);
            let first = issuer.with_keys(place.open().await, keys(0));
            let mut tokens = first.log_in(LogIn::new("alice", CLIENT), &policy).await.unwrap();
            for _ in 0..rotations {
                tokens = first.refresh(tokens.refresh_token(), CLIENT, &policy).await.unwrap();
            }
            drop(first);
            place.age(tokens.session().id, Duration::from_secs(61)).await;
            let mut instances = Vec::new();
            for at in 0..INSTANCES {
                instances.push(issuer.with_keys(place.open().await, keys(at)));
            }
            issuer.events.lock().unwrap().clear();
            let answers = crowd(&instances, &tokens, &policy).await;
            if grace.is_zero() {
                one_at_most_got_through(&issuer, &instances, &tokens, &answers).await;
            } else {
                all_got_the_same(&issuer, &tokens, &answers);
            }
            let (found, _) = place.open().await.find(tokens.session().id).await.unwrap();
            assert_eq!(found.unwrap().generation, rotations + 1, "one rotation, whatever the grace");
        }
    }
}

/// Returns the keys of an instance. One already writes with the next key, and the text of a successor must not depend on who is asked.
fn keys(instance: usize) -> RefreshKeys {
    let [current, other] = if instance == 1 { [2, 1] } else { [1, 2] };
    RefreshKeys::new(current, [current; 32]).unwrap().also_reads(other, [other; 32]).unwrap()
}

async fn crowd<S: RefreshStore>(instances: &[OnStore<S>], tokens: &Tokens, policy: &RefreshPolicy) -> Vec<Answer> {
    let mut callers = JoinSet::new();
    for at in 0..CALLERS {
        let (sessions, token) = (instances[at % INSTANCES].clone(), tokens.refresh_token().to_owned());
        let policy = *policy;
        callers.spawn(async move { refresh(&sessions, &token, &policy).await });
    }
    callers.join_all().await
}

/// Refreshes; what could not be decided is asked again, as clients do.
pub(crate) async fn refresh<S: RefreshStore>(sessions: &OnStore<S>, token: &str, policy: &RefreshPolicy) -> Answer {
    let asked = Instant::now();
    loop {
        match sessions.refresh(token, CLIENT, policy).await {
            Err(RefreshError::Unavailable(why)) => assert!(asked.elapsed() < LIMIT, "{why}"),
            answer => return answer,
        }
        tokio::task::yield_now().await;
    }
}

fn all_got_the_same(issuer: &Issuer, presented: &Tokens, answers: &[Answer]) {
    let answers: Vec<_> = answers.iter().map(|answer| answer.as_ref().unwrap()).collect();
    let successor = answers.first().unwrap().refresh_token();
    assert_ne!(successor.as_bytes(), presented.refresh_token().as_bytes(), "the token was not replaced");
    for answer in &answers {
        assert_eq!(answer.refresh_token().as_bytes(), successor.as_bytes(), "two refresh tokens for one");
    }
    let is = |wanted: RefreshCause| {
        issuer.count(|event| matches!(event, SessionEvent::Refreshed { cause, .. } if *cause == wanted))
    };
    assert!(is(RefreshCause::Rotated) <= 1, "more than one caller replaced the token");
    // The answer of the one that replaced it may have been lost on the way from a busy server.
    assert_eq!(is(RefreshCause::Rotated) + is(RefreshCause::Retry), answers.len());
    let is_alarm = |event: &SessionEvent| {
        matches!(event, SessionEvent::Reused { .. } | SessionEvent::Ended { .. } | SessionEvent::LostWrites { .. })
    };
    assert_eq!(issuer.count(is_alarm), 0, "a user was logged out");
}

/// Without a grace, all but one are reuse, and the session ends: also for the one, whose answer may be refused if the end was faster.
async fn one_at_most_got_through<S: RefreshStore>(
    issuer: &Issuer,
    instances: &[OnStore<S>],
    presented: &Tokens,
    answers: &[Answer],
) {
    let granted: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
    assert!(granted.len() <= 1, "{} callers got tokens for one", granted.len());
    for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        let is_of_reuse = matches!(
            error,
            RefreshError::InvalidGrant(
                NotAccepted::Reuse | NotAccepted::Revoked | NotAccepted::Ended(EndReason::Reuse | EndReason::Revoked)
            )
        );
        assert!(is_of_reuse, "{error:?}");
    }
    assert!(issuer.count(|event| matches!(event, SessionEvent::Reused { behind: 1, .. })) > 0, "no reuse was noticed");
    // No live successor is left, nor an access token.
    let policy = RefreshPolicy::new();
    for tokens in granted.iter().copied().chain([presented]) {
        for sessions in instances {
            let answer = refresh(sessions, tokens.refresh_token(), &policy).await;
            assert!(matches!(answer, Err(RefreshError::InvalidGrant(_))), "a token of a session that ended serves");
        }
    }
    let session = Revocation::session(ISSUER, &presented.session().id.session_id());
    assert!(holds(issuer.revocations.view(), &session), "its access tokens live on");
}
