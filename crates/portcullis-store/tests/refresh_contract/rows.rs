//! Rows that an earlier version has written: each later one finds, refreshes, lists and ends their sessions. See `rows/README.md`.

use portcullis_issuer::refresh::{
    EndReason, NotAccepted, Opened, RefreshCause, RefreshError, RefreshPolicy, RefreshStore, SessionEvent, Step,
    Unavailable,
};

use super::{
    sessions::{CLIENT, Issuer},
    *,
};

/// A place into which rows can be written without the store, and read.
pub(crate) trait Rows: RefreshPlace {
    /// Removes everything, and writes the rows of version 1, as its files have them.
    async fn load_v1(&mut self);

    /// Makes the row of the session one of a later version, whose content this one cannot know.
    async fn make_later(&mut self, session: FamilyId);

    /// Returns everything that is stored.
    async fn stored(&mut self) -> String;
}

/// The session as JSON.
pub(crate) const FAMILY: &str = include_str!("../rows/v1/family.json");
const TOKENS: &str = include_str!("../rows/v1/tokens.txt");

pub(crate) fn family() -> Family {
    Family::from_json(FAMILY.trim()).unwrap()
}

pub(crate) async fn are_read(mut place: impl Rows) {
    // What this version writes is the same.
    let store = place.open().await;
    assert_eq!(store.open(family()).await.unwrap(), Opened::New);
    drop(store);
    let written = place.stored().await;
    place.load_v1().await;
    assert_eq!(
        written,
        place.stored().await,
        "this version writes another form: give it a number, and files of its own"
    );
    serve(&place).await;
    place.load_v1().await;
    place.make_later(family().id).await;
    let later = place.stored().await;
    is_refused(&place).await;
    assert_eq!(place.stored().await, later, "a row of a later version was touched");
}

async fn serve(place: &impl Rows) {
    let [_, current, successor] = tokens();
    let store = place.open().await;
    assert_eq!(store.find(family().id).await.unwrap().0, Some(family()));
    assert_eq!(store.families_of("alice").await.unwrap(), [family()]);
    let issuer = Issuer::ready().await;
    let sessions = issuer.on(store);
    let refreshed = sessions.refresh(current, CLIENT, &RefreshPolicy::new()).await.unwrap();
    assert_eq!(refreshed.refresh_token(), successor, "its token has another successor now");
    assert_eq!(refreshed.session().generation, 2);
    let rotated = |event: &SessionEvent| matches!(event, SessionEvent::Refreshed { cause: RefreshCause::Rotated, .. });
    assert_eq!(issuer.count(rotated), 1);
    assert_eq!(issuer.count(|_| true), 1, "something was lost");
    let listed = sessions.sessions_of("alice").await.unwrap();
    assert!(listed.iter().eq([refreshed.session()]));
    assert!(sessions.end_of("alice", family().id, EndReason::LoggedOut).await.unwrap());
    assert_eq!(sessions.sessions_of("alice").await.unwrap(), []);
    let refused = sessions.refresh(successor, CLIENT, &RefreshPolicy::new()).await;
    let has_ended = matches!(
        refused,
        Err(RefreshError::InvalidGrant(NotAccepted::Ended(EndReason::LoggedOut) | NotAccepted::Revoked))
    );
    assert!(has_ended, "{refused:?}");
}

/// An old instance logs no user out: it says that it cannot read the row.
async fn is_refused(place: &impl Rows) {
    let [old, current, _] = tokens();
    let store = place.open().await;
    let policy = RefreshPolicy::new();
    let step = Step::new(family().id, 1, family().share, CLIENT, 1, &policy);
    for error in [store.find(family().id).await.unwrap_err(), store.rotate(step).await.unwrap_err()] {
        assert!(error.to_string().contains("later version"), "{error}");
    }
    let issuer = Issuer::ready().await;
    let sessions = issuer.on(store);
    for token in [old, current] {
        let refused = sessions.refresh(token, CLIENT, &policy).await;
        assert!(matches!(refused, Err(RefreshError::Unavailable(Unavailable::Store(_)))), "{refused:?}");
    }
    assert_eq!(issuer.count(|_| true), 0);
}

fn tokens() -> [&'static str; 3] {
    let tokens: Vec<_> = TOKENS.lines().collect();
    tokens.try_into().unwrap()
}
