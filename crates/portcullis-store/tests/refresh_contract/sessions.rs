//! Sessions on a store: what users see.

use std::sync::{Arc, Mutex};

use portcullis_core::{Algorithm, policy::TokenSpec};
use portcullis_issuer::{
    SigningKey, TokenIssuer,
    refresh::{
        DangerUncheckedSubjects, LogIn, RefreshCause, RefreshKeys, RefreshPolicy, RefreshStore, SessionEvent, Sessions,
        Tokens,
    },
};
use portcullis_store::{MemoryLog, Revocations};
use tokio::task::JoinSet;

use super::*;

pub(crate) const CLIENT: &str = "web";
pub(crate) const ISSUER: &str = "https://id.test";
const TABS: usize = 8;
const ROUNDS: usize = 200;

/// What an issuer has besides its store.
pub(crate) struct Issuer {
    minting: TokenIssuer,
    keys: RefreshKeys,
    pub(crate) revocations: Revocations,
    pub(crate) events: Arc<Mutex<Vec<SessionEvent>>>,
}

pub(crate) type OnStore<S> = Sessions<S, Revocations, DangerUncheckedSubjects>;

impl Issuer {
    /// Returns an issuer with a log of its own, which it has read.
    pub(crate) async fn ready() -> Self {
        let spec = TokenSpec::new(ISSUER).audience("https://orders.test");
        let issuer = Self {
            minting: TokenIssuer::new(spec, SigningKey::generate(Algorithm::EdDsa).unwrap()).unwrap(),
            keys: RefreshKeys::new(1, [1; 32]).unwrap(),
            revocations: Revocations::builder(MemoryLog::new()).start().unwrap(),
            events: Arc::default(),
        };
        issuer.revocations.require(Duration::from_secs(60)).await.unwrap();
        issuer
    }

    /// Returns an instance that uses this store.
    pub(crate) fn on<S: RefreshStore>(&self, store: S) -> OnStore<S> {
        self.with_keys(store, self.keys.clone())
    }

    /// Returns an instance with these keys of refresh tokens, as while one is replaced.
    pub(crate) fn with_keys<S: RefreshStore>(&self, store: S, keys: RefreshKeys) -> OnStore<S> {
        let events = Arc::clone(&self.events);
        let (issuer, revocations) = (self.minting.clone(), self.revocations.clone());
        let sessions = Sessions::new(issuer, store, keys, revocations, DangerUncheckedSubjects);
        sessions.on_event(move |event| events.lock().unwrap().push(event.clone())).unwrap()
    }

    pub(crate) fn count(&self, wanted: impl Fn(&SessionEvent) -> bool) -> usize {
        self.events.lock().unwrap().iter().filter(|event| wanted(event)).count()
    }
}

/// Checks what does not depend on the store, with this one.
pub(crate) async fn work<P: RefreshPlace + Dump>(mut place: P) {
    let issuer = Issuer::ready().await;
    let tokens =
        issuer.on(place.open().await).log_in(LogIn::new("alice", CLIENT), &RefreshPolicy::new()).await.unwrap();
    let last = eight_tabs_log_no_user_out(&mut place, &issuer, tokens).await;
    a_copy_of_the_store_has_no_token(&mut place, &last).await;
    ending_a_session_ends_it_for_all_tabs(&place, &issuer, &last).await;
}

/// All tabs refresh at once, and again a minute later.
async fn eight_tabs_log_no_user_out<P: RefreshPlace>(place: &mut P, issuer: &Issuer, mut tokens: Tokens) -> Tokens {
    for round in 0..ROUNDS {
        let answers = all_tabs(&issuer.on(place.open().await), &tokens).await;
        let first = answers.first().unwrap().refresh_token().to_owned();
        for answer in &answers {
            assert_eq!(answer.refresh_token(), first, "two tabs got two refresh tokens in round {round}");
        }
        tokens = answers.into_iter().next().unwrap();
        place.age(tokens.session().id, Duration::from_secs(61)).await;
    }
    let is_rotation =
        |event: &SessionEvent| matches!(event, SessionEvent::Refreshed { cause: RefreshCause::Rotated, .. });
    assert_eq!(issuer.count(is_rotation), ROUNDS, "each round replaces the token once");
    assert_eq!(issuer.count(|event| matches!(event, SessionEvent::Ended { .. } | SessionEvent::Reused { .. })), 0);
    tokens
}

async fn all_tabs<S: RefreshStore>(sessions: &OnStore<S>, tokens: &Tokens) -> Vec<Tokens> {
    let mut tabs = JoinSet::new();
    for _ in 0..TABS {
        let (sessions, token) = (sessions.clone(), tokens.refresh_token().to_owned());
        tabs.spawn(async move { sessions.refresh(&token, CLIENT, &RefreshPolicy::new()).await.unwrap() });
    }
    tabs.join_all().await
}

async fn a_copy_of_the_store_has_no_token<P: Dump>(place: &mut P, tokens: &Tokens) {
    let dump = place.dump().await;
    let has = |bytes: &[u8]| dump.windows(bytes.len()).any(|window| window == bytes);
    let id = tokens.session().id;
    let shown = [id.as_bytes().to_vec(), id.session_id().into_bytes(), hex(id.as_bytes())];
    assert!(shown.iter().any(|id| has(id)), "the copy has the session, or this test proves nothing");
    let token = tokens.refresh_token().strip_prefix("prt_").unwrap();
    let octets = base64(token);
    let share = &octets[octets.len() - 32..octets.len() - 16];
    for (secret, what) in [(token.as_bytes(), "the token"), (share, "its share"), (&hex(share), "its share in digits")]
    {
        assert!(!has(secret), "the store has {what}");
    }
}

async fn ending_a_session_ends_it_for_all_tabs<P: RefreshPlace>(place: &P, issuer: &Issuer, tokens: &Tokens) {
    let policy = RefreshPolicy::new();
    let (here, there) = (issuer.on(place.open().await), issuer.on(place.open().await));
    let other = here.log_in(LogIn::new("alice", CLIENT), &policy).await.unwrap();
    let of_other = here.log_in(LogIn::new("bob", CLIENT), &policy).await.unwrap();
    assert_eq!(here.sessions_of("alice").await.unwrap().len(), 2);
    here.log_out_everywhere("alice").await.unwrap();
    for ended in [tokens, &other] {
        assert!(there.refresh(ended.refresh_token(), CLIENT, &policy).await.is_err(), "it goes on elsewhere");
    }
    assert!(there.refresh(of_other.refresh_token(), CLIENT, &policy).await.is_ok(), "another user was logged out");
    assert_eq!(there.sessions_of("alice").await.unwrap().len(), 0);
}

fn base64(text: &str) -> Vec<u8> {
    let value = |letter: u8| {
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".iter().position(|l| *l == letter)
    };
    let bits = text.bytes().fold((Vec::new(), 0_u32, 0_u32), |(mut bytes, bits, count), letter| {
        let (bits, count) = (bits << 6 | u32::try_from(value(letter).unwrap()).unwrap(), count + 6);
        if count < 8 {
            return (bytes, bits, count);
        }
        bytes.push(u8::try_from(bits >> (count - 8) & 0xff).unwrap());
        (bytes, bits & ((1 << (count - 8)) - 1), count - 8)
    });
    bits.0
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
}
