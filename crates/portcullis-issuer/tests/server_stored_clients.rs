//! Clients in a store, and what becomes of everything when one is deleted.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use portcullis_core::{Admission, Algorithm, Clock, JwtAuthenticator, KeySet, UnixTime, policy::TokenSpec};
use portcullis_issuer::{
    SigningKey, StoreError, TokenIssuer,
    documents::GrantType,
    records::{
        MemoryRecordStore, NewRecord, Record, RecordGroup, RecordKey, RecordKind, RecordStore, RecordVersion, Swapped,
    },
    refresh::{
        DangerUncheckedSubjects, EndReason, Family, FamilyId, LateRetry, MemoryRefreshStore, Millis, Opened, Outcome,
        RefreshKeys, RefreshPolicy, RefreshStore, Sessions, Step,
    },
    server::{
        AuthorizationError, AuthorizationServer, Client, ClientList, ClientSecret, Clients, Decision, Deletion,
        EndpointRequest, OAuthError, OAuthErrorCode, StoredClientError, StoredClients, TokenResponse, Visitor,
    },
};
use portcullis_test::{FixedClock, MockIssuer};
use support::{
    T, TestLog,
    desk::{BROWSER, CALLBACK, ISSUER, ORDERS, SECRET, VERIFIER, basic, form, parameter, query},
    secs,
};

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Does something once, before the call of a store that was chosen.
#[derive(Clone, Default)]
struct Hook(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    left: usize,
    work: Option<Work>,
}

impl Hook {
    fn set(&self, before_call: usize, work: impl Future<Output = ()> + Send + 'static) {
        *self.0.lock().unwrap() = State { left: before_call, work: Some(Box::pin(work)) };
    }

    /// Whether the work was done.
    fn is_done(&self) -> bool {
        self.0.lock().unwrap().work.take().is_none()
    }

    async fn call(&self) {
        let work = {
            let mut state = self.0.lock().unwrap();
            if state.left > 0 {
                state.left -= 1;
                return;
            }
            state.work.take()
        };
        if let Some(work) = work {
            work.await;
        }
    }
}

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hook")
    }
}

#[derive(Clone, Debug)]
struct HookedRecords(MemoryRecordStore, Hook);

impl RecordStore for HookedRecords {
    async fn now(&self) -> Result<Millis, StoreError> {
        RecordStore::now(&self.0).await
    }

    async fn find(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        self.1.call().await;
        self.0.find(key).await
    }

    async fn list(&self, group: &RecordGroup) -> Result<Vec<(String, Record)>, StoreError> {
        self.1.call().await;
        self.0.list(group).await
    }

    async fn swap(
        &self,
        key: &RecordKey,
        expected: Option<RecordVersion>,
        next: Option<NewRecord>,
    ) -> Result<Swapped, StoreError> {
        self.1.call().await;
        self.0.swap(key, expected, next).await
    }

    async fn forget_before(&self, before: Millis) -> Result<usize, StoreError> {
        self.0.forget_before(before).await
    }
}

/// Sessions, of which some cannot be read.
#[derive(Clone, Debug)]
struct HookedSessions(MemoryRefreshStore, Hook, Arc<Mutex<Vec<FamilyId>>>);

impl RefreshStore for HookedSessions {
    async fn now(&self) -> Result<Millis, StoreError> {
        RefreshStore::now(&self.0).await
    }

    async fn open(&self, family: Family) -> Result<Opened, StoreError> {
        self.1.call().await;
        self.0.open(family).await
    }

    async fn find(&self, family: FamilyId) -> Result<(Option<Family>, Millis), StoreError> {
        self.1.call().await;
        self.0.find(family).await
    }

    async fn rotate(&self, step: Step<'_>) -> Result<Outcome, StoreError> {
        self.1.call().await;
        self.0.rotate(step).await
    }

    async fn end(&self, family: FamilyId, reason: EndReason) -> Result<(), StoreError> {
        self.1.call().await;
        self.0.end(family, reason).await
    }

    async fn end_all_of(
        &self,
        subject: &str,
        except: Option<FamilyId>,
        reason: EndReason,
    ) -> Result<Vec<FamilyId>, StoreError> {
        self.0.end_all_of(subject, except, reason).await
    }

    async fn families_of(&self, subject: &str) -> Result<Vec<Family>, StoreError> {
        Ok(self.readable_of(subject).await?.0)
    }

    async fn readable_of(&self, subject: &str) -> Result<(Vec<Family>, usize), StoreError> {
        self.1.call().await;
        let all = self.0.families_of(subject).await?;
        let unreadable = self.2.lock().unwrap().clone();
        let (left_out, readable): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|family| unreadable.contains(&family.id));
        Ok((readable, left_out.len()))
    }

    async fn forget_before(&self, before: Millis) -> Result<usize, StoreError> {
        self.0.forget_before(before).await
    }
}

#[derive(Clone)]
struct Place {
    clock: FixedClock,
    hook: Hook,
    records: MemoryRecordStore,
    families: MemoryRefreshStore,
    unreadable: Arc<Mutex<Vec<FamilyId>>>,
    clients: StoredClients,
    server: AuthorizationServer,
    log: TestLog,
    admission: Admission,
}

fn page(id: &str) -> Client {
    Client::public(id).redirect_uri(CALLBACK).scope("orders:read orders:write").resource(ORDERS)
}

fn worker() -> Client {
    let secret = ClientSecret::from_secret(SECRET).unwrap();
    Client::confidential("worker", secret).grants([GrantType::ClientCredentials]).scope("orders:read").resource(ORDERS)
}

impl Place {
    async fn new() -> Self {
        let (clock, hook) = (FixedClock::at(T), Hook::default());
        let spec = TokenSpec::new(ISSUER).audience(ORDERS);
        let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
        let issuer = TokenIssuer::new(spec.clone(), key.clone()).unwrap().clock(clock.clone());
        let log = TestLog::new(&clock, &Arc::default());
        let families = MemoryRefreshStore::with_clock(clock.clone());
        let records = MemoryRecordStore::with_clock(clock.clone());
        let hooked = HookedRecords(records.clone(), hook.clone());
        let clients = StoredClients::new(hooked.clone());
        let keys = RefreshKeys::new(1, [1; 32]).unwrap();
        let unreadable = Arc::<Mutex<Vec<FamilyId>>>::default();
        let sessions = HookedSessions(families.clone(), hook.clone(), Arc::clone(&unreadable));
        let sessions = Sessions::new(issuer, sessions, keys, log.clone(), DangerUncheckedSubjects);
        let sessions = sessions.revocations(log.view()).unwrap().tell_clients(records.clone()).unwrap();
        let configured = ClientList::new([page("configured")]).unwrap();
        let all = configured.or(clients.clone());
        let server = AuthorizationServer::builder(sessions, key.clone(), hooked, all)
            .authorization_endpoint("https://id.test/authorize")
            .build()
            .unwrap();
        let trusted = spec.trusted_at(ORDERS, KeySet::from(key.verifying_key())).unwrap();
        let admission = Admission::new(JwtAuthenticator::new(trusted).unwrap()).clock(clock.clone());
        let admission = admission.revocations(log.view());
        for client in [page("page"), page("other"), worker()] {
            clients.create(&client).await.unwrap();
        }
        Self { clock, hook, records, families, unreadable, clients, server, log, admission }
    }

    async fn grant(&self, client_id: &str) -> Result<String, OAuthError> {
        let request = self.server.authorization_request(&query(client_id, &[])).await.map_err(of_page)?;
        let alice = Visitor::new("alice", BROWSER, self.clock.now());
        let answer = match request.decide(Some(&alice)).await? {
            Decision::Grant(permitted) => permitted.grant().await?,
            Decision::Ask(question) => {
                let question = self.server.resume_question(question.ticket(), &alice).await.map_err(of_page)?;
                question.allow(["orders:read"]).await?
            }
            other => panic!("{other:?}"),
        };
        Ok(parameter(answer.location(), "code").unwrap())
    }

    async fn redeem(&self, client_id: &str, code: &str) -> Result<TokenResponse, OAuthError> {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("client_id", client_id),
            ("code", code),
            ("code_verifier", VERIFIER),
        ])
        .await
    }

    async fn refresh(&self, client_id: &str, response: &TokenResponse) -> Result<TokenResponse, OAuthError> {
        let token = response.refresh_token().unwrap();
        self.token(&[("grant_type", "refresh_token"), ("client_id", client_id), ("refresh_token", token)]).await
    }

    async fn token(&self, parameters: &[(&str, &str)]) -> Result<TokenResponse, OAuthError> {
        self.log.confirm();
        self.server.token(&EndpointRequest::new(form(parameters).as_bytes())).await
    }

    async fn work(&self) -> Result<TokenResponse, OAuthError> {
        self.log.confirm();
        let (body, header) = (form(&[("grant_type", "client_credentials")]), basic("worker", SECRET));
        self.server.token(&EndpointRequest::new(body.as_bytes()).authorization(&header)).await
    }

    fn accepts(&self, response: &TokenResponse) -> bool {
        self.log.confirm();
        self.admission.verify(response.access().token()).ready().unwrap().is_ok()
    }

    /// Makes sure that neither a session nor a consent of the client is left.
    async fn assert_ended(&self, client_id: &str, when: &str) {
        let is_live = |family: &Family| family.log_in.client_id() == client_id && family.ended.is_none();
        assert!(!self.families.dump().iter().any(is_live), "a session goes on, {when}");
        assert!(
            self.server.consents_of("alice").await.unwrap().iter().all(|consent| consent.client_id() != client_id),
            "{when}"
        );
    }

    /// Makes sure that nothing of the client is left.
    async fn assert_gone(&self, client_id: &str, when: &str) {
        assert!(self.clients.read(client_id).await.unwrap().is_none(), "{when}");
        self.assert_ended(client_id, when).await;
        let users = RecordGroup::new(RecordKind::UserOfClient, client_id).unwrap();
        assert!(self.records.list(&users).await.unwrap().is_empty(), "{when}");
    }
}

fn of_page(error: AuthorizationError) -> OAuthError {
    match error {
        AuthorizationError::Page(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_client_comes_back_as_it_was_stored() {
    let place = Place::new().await;
    let policy = RefreshPolicy::new()
        .grace(secs(30))
        .idle(secs(3600))
        .absolute(secs(7200))
        .late_retry(LateRetry::RefuseOnly)
        .danger_public_client_keeps_its_token();
    let (one, two) = (ClientSecret::from_secret(SECRET).unwrap(), ClientSecret::generate().unwrap().0);
    for client in [
        page("a")
            .name("Orders")
            .refresh_policy(policy)
            .access_token_lifetime(secs(60))
            .combines_resources()
            .first_party()
            .danger_without_question(),
        Client::confidential("b", one.until(UnixTime::from_secs(2_000_000_000)))
            .secret(two)
            .grants([GrantType::ClientCredentials, GrantType::DeviceCode])
            .resource(ORDERS),
    ] {
        place.clients.create(&client).await.unwrap();
        let read = place.clients.read(client.id()).await.unwrap().unwrap();
        let copies = MemoryRecordStore::with_clock(place.clock.clone());
        StoredClients::new(copies.clone()).create(read.client()).await.unwrap();
        let key = RecordKey::new(RecordKind::Client, "", client.id()).unwrap();
        let (first, copy) = (place.records.find(&key).await.unwrap(), copies.find(&key).await.unwrap());
        assert_eq!(first.unwrap().text(), copy.unwrap().text());
    }
    let ids: Vec<_> = place.clients.list().await.unwrap().iter().map(|read| read.client().id().to_owned()).collect();
    assert_eq!(ids, ["a", "b", "other", "page", "worker"]);
    let key = RecordKey::new(RecordKind::Client, "", "b").unwrap();
    assert!(!place.records.find(&key).await.unwrap().unwrap().text().contains(SECRET));
}

#[tokio::test]
async fn a_stored_client_that_has_a_problem_is_not_stored() {
    let place = Place::new().await;
    let broken = page("new").redirect_uri("http://app.test/callback");
    assert!(matches!(place.clients.create(&broken).await, Err(StoredClientError::Invalid(_))));
    assert!(place.clients.create(&page("new")).await.is_ok());
    let read = place.clients.read("new").await.unwrap().unwrap();
    assert!(matches!(place.clients.update(&broken, read.version()).await, Err(StoredClientError::Invalid(_))));
    assert!(place.clients.update(&page("new"), read.version()).await.is_ok());
}

#[tokio::test]
async fn an_id_is_taken_once_and_an_update_replaces_what_was_read() {
    let place = Place::new().await;
    assert!(matches!(place.clients.create(&page("page")).await, Err(StoredClientError::Taken)));
    let read = place.clients.read("page").await.unwrap().unwrap();
    let named = read.client().clone().name("Orders");
    place.clients.update(&named, read.version()).await.unwrap();
    assert!(matches!(place.clients.update(&named, read.version()).await, Err(StoredClientError::Changed)));
    let later = place.clients.read("page").await.unwrap().unwrap();
    assert_eq!(later.client().display_name(), "Orders");
    assert!(matches!(place.clients.update(&page("absent"), later.version()).await, Err(StoredClientError::Changed)));
}

#[tokio::test]
async fn a_client_that_was_deleted_is_not_brought_back() {
    let place = Place::new().await;
    let long = RefreshPolicy::new().absolute(Duration::from_secs(60 * 86_400));
    let read = place.clients.read("page").await.unwrap().unwrap();
    place.clients.update(&page("page").refresh_policy(long), read.version()).await.unwrap();
    // The longest session counts, also after the client was changed to have shorter ones.
    let read = place.clients.read("page").await.unwrap().unwrap();
    place.clients.update(&page("page"), read.version()).await.unwrap();
    let read = place.clients.read("page").await.unwrap().unwrap();
    place.server.delete_client("page").await.unwrap();
    let later = place.records.find(&RecordKey::new(RecordKind::Client, "", "page").unwrap()).await.unwrap().unwrap();
    for version in [read.version(), later.version()] {
        assert!(matches!(place.clients.update(read.client(), version).await, Err(StoredClientError::Changed)));
    }
    assert!(matches!(place.clients.create(&page("page")).await, Err(StoredClientError::Taken)));
    assert!(place.clients.create(&page("another")).await.is_ok());
    place.clock.advance(Duration::from_secs(60 * 86_400 - 1));
    assert!(matches!(place.clients.create(&page("page")).await, Err(StoredClientError::Taken)));
    place.clock.advance(secs(1));
    place.clients.create(&page("page")).await.unwrap();
    assert!(place.server.consent_of("alice", "page").await.unwrap().is_none());
}

#[tokio::test]
async fn an_update_during_which_the_client_is_deleted_does_not_bring_it_back() {
    for call in 0..2 {
        let place = Place::new().await;
        let keys = MockIssuer::new();
        let with_keys = |scope: &str| {
            let client = Client::with_jwks("signer", &keys.jwks()).unwrap().grants([GrantType::ClientCredentials]);
            client.scope(scope).resource(ORDERS)
        };
        place.clients.create(&with_keys("orders:read")).await.unwrap();
        let read = place.clients.read("signer").await.unwrap().unwrap();
        let server = place.server.clone();
        place.hook.set(call, async move { server.delete_client("signer").await.unwrap() });
        let updated = place.clients.update(&with_keys("orders:write"), read.version()).await;
        assert!(matches!(updated, Err(StoredClientError::Changed)) && place.hook.is_done(), "before call {call}");
        assert!(place.clients.read("signer").await.unwrap().is_none(), "before call {call}");
        let created = place.clients.create(&with_keys("orders:read")).await;
        assert!(matches!(created, Err(StoredClientError::Taken)), "before call {call}");
    }
}

#[tokio::test]
async fn a_client_that_is_changed_while_it_is_deleted_is_deleted() {
    for call in 0..2 {
        let place = Place::new().await;
        let clients = place.clients.clone();
        place.hook.set(call, async move {
            let read = clients.read("page").await.unwrap().unwrap();
            clients.update(&page("page").name("Orders"), read.version()).await.unwrap();
        });
        assert_eq!(Clients::delete(&place.clients, "page").await.unwrap(), Deletion::Gone);
        assert!(place.hook.is_done(), "before call {call}");
        assert!(place.clients.read("page").await.unwrap().is_none(), "before call {call}");
        assert!(place.clients.read("other").await.unwrap().is_some());
    }
}

#[tokio::test]
async fn deleting_a_client_takes_its_consents_and_sessions_along_and_no_others() {
    let place = Place::new().await;
    let mut tokens = Vec::new();
    for client_id in ["page", "other"] {
        let code = place.grant(client_id).await.unwrap();
        tokens.push(place.redeem(client_id, &code).await.unwrap());
    }
    let (waiting, work) = (place.grant("page").await.unwrap(), place.work().await.unwrap());
    assert!(place.accepts(&tokens[0]) && place.accepts(&tokens[1]) && place.accepts(&work));
    place.server.delete_client("page").await.unwrap();
    assert!(!place.accepts(&tokens[0]) && place.accepts(&tokens[1]) && place.accepts(&work));
    place.assert_gone("page", "after the deletion").await;
    assert_eq!(place.redeem("page", &waiting).await.unwrap_err().code(), OAuthErrorCode::InvalidClient);
    assert_eq!(place.refresh("page", &tokens[0]).await.unwrap_err().code(), OAuthErrorCode::InvalidClient);
    assert!(place.refresh("other", &tokens[1]).await.is_ok());
    assert!(place.server.consent_of("alice", "other").await.unwrap().is_some());
    place.server.delete_client("page").await.unwrap();
    place.server.delete_client("worker").await.unwrap();
    assert!(!place.accepts(&work) && place.work().await.is_err());
}

#[tokio::test]
async fn a_client_of_the_configuration_is_not_deleted() {
    let place = Place::new().await;
    let code = place.grant("configured").await.unwrap();
    let tokens = place.redeem("configured", &code).await.unwrap();
    assert_eq!(place.server.delete_client("configured").await.unwrap_err().code(), OAuthErrorCode::ServerError);
    assert!(place.accepts(&tokens), "half of the deletion was done");
    assert!(place.server.delete_client("page").await.is_ok());
}

/// Runs `work`, and at each call of a store that it makes, deletes the client first.
async fn deleted_at_each_call<F: Future<Output = Option<TokenResponse>>>(
    client_id: &'static str,
    prepare: impl AsyncFn(&Place) -> String,
    work: impl Fn(Place, String) -> F,
) {
    for call in 0.. {
        let place = Place::new().await;
        let prepared = prepare(&place).await;
        let (server, clock) = (place.server.clone(), place.clock.clone());
        place.hook.set(call, async move {
            server.delete_client(client_id).await.unwrap();
            // What is minted from now on is later than the cut-off of the deletion.
            clock.advance(secs(40));
        });
        let tokens = work(place.clone(), prepared).await;
        if !place.hook.is_done() {
            assert!(call > 2, "no call was seen");
            return;
        }
        let when = format!("deleted before call {call}");
        place.assert_gone(client_id, &when).await;
        assert!(tokens.is_none_or(|tokens| !place.accepts(&tokens)), "an access token is good, {when}");
    }
}

#[tokio::test]
async fn a_code_that_is_redeemed_while_its_client_is_deleted_gives_nothing_that_lasts() {
    let prepare = async |place: &Place| place.grant("page").await.unwrap();
    let redeem = |place: Place, code: String| async move { place.redeem("page", &code).await.ok() };
    deleted_at_each_call("page", prepare, redeem).await;
}

#[tokio::test]
async fn a_consent_that_is_given_while_its_client_is_deleted_is_not_kept() {
    let grant = |place: Place, _| async move {
        place.grant("page").await.ok();
        None
    };
    deleted_at_each_call("page", async |_| String::new(), grant).await;
}

#[tokio::test]
async fn a_refresh_while_its_client_is_deleted_gives_nothing_that_lasts() {
    let prepare = async |place: &Place| {
        let code = place.grant("page").await.unwrap();
        place.redeem("page", &code).await.unwrap().refresh_token().unwrap().to_owned()
    };
    let refresh = |place: Place, token: String| async move {
        let parameters = [("grant_type", "refresh_token"), ("client_id", "page"), ("refresh_token", token.as_str())];
        place.token(&parameters).await.ok()
    };
    deleted_at_each_call("page", prepare, refresh).await;
}

#[tokio::test]
async fn a_program_whose_client_is_deleted_meanwhile_gets_nothing() {
    for call in 0..2 {
        let place = Place::new().await;
        let (server, clock) = (place.server.clone(), place.clock.clone());
        place.hook.set(call, async move {
            server.delete_client("worker").await.unwrap();
            clock.advance(secs(40));
        });
        assert!(place.work().await.is_err() && place.hook.is_done(), "before call {call}");
    }
    let place = Place::new().await;
    assert!(place.accepts(&place.work().await.unwrap()));
}

#[tokio::test]
async fn a_code_that_is_redeemed_at_each_step_of_the_deletion_gives_nothing_that_lasts() {
    for call in 0.. {
        let place = Place::new().await;
        let code = place.grant("page").await.unwrap();
        let redeeming = place.clone();
        place.hook.set(call, async move {
            redeeming.redeem("page", &code).await.ok();
        });
        place.server.delete_client("page").await.unwrap();
        if !place.hook.is_done() {
            assert!(call > 5, "the deletion makes {call} calls");
            return;
        }
        place.assert_gone("page", &format!("redeemed before call {call}")).await;
    }
}

#[tokio::test]
async fn a_deletion_that_failed_is_completed_by_another_one() {
    let place = Place::new().await;
    let code = place.grant("page").await.unwrap();
    let tokens = place.redeem("page", &code).await.unwrap();
    place.log.fail(true);
    assert_eq!(place.server.delete_client("page").await.unwrap_err().code(), OAuthErrorCode::TemporarilyUnavailable);
    assert!(place.refresh("page", &tokens).await.is_err());
    place.log.fail(false);
    place.server.delete_client("page").await.unwrap();
    assert!(!place.accepts(&tokens));
    place.assert_gone("page", "after the second deletion").await;
}

#[tokio::test]
async fn a_session_that_cannot_be_read_keeps_a_withdrawal_or_a_deletion_from_being_complete() {
    for deletes in [false, true] {
        let place = Place::new().await;
        let log_in = async || place.redeem("page", &place.grant("page").await.unwrap()).await.unwrap();
        let end = async || {
            if deletes {
                return place.server.delete_client("page").await;
            }
            place.server.withdraw_consent("alice", "page").await.map(drop)
        };
        log_in().await;
        let lost = place.families.dump()[0].id;
        place.unreadable.lock().unwrap().push(lost);
        log_in().await;
        let error = end().await.unwrap_err();
        assert_eq!(error.code(), OAuthErrorCode::TemporarilyUnavailable);
        let why = std::error::Error::source(&error).unwrap().to_string();
        assert!(why.contains("1 of the user's sessions cannot be read"), "{why}");
        let live: Vec<_> = place.families.dump().into_iter().filter(|family| family.ended.is_none()).collect();
        assert_eq!(live.iter().map(|family| family.id).collect::<Vec<_>>(), [lost], "the other one was ended");
        let listed = place.server.consents_of("alice").await.unwrap();
        assert!(listed.iter().any(|consent| consent.client_id() == "page"), "the user is told that it is over");
        // Once it can be read, it ends, too.
        place.unreadable.lock().unwrap().clear();
        end().await.unwrap();
        place.assert_ended("page", "after it could be read").await;
    }
}

#[tokio::test]
async fn a_client_is_to_be_told_of_sessions_that_end_with_its_consent_or_with_itself() {
    let place = Place::new().await;
    let uri = "https://app.test/log-out";
    place.clients.create(&page("told").back_channel_logout_uri(uri)).await.unwrap();
    assert!(place.clients.create(&page("broken").back_channel_logout_uri("http://app.test/log-out")).await.is_err());
    let waiting = async || {
        let group = RecordGroup::new(RecordKind::LogOut, "waiting").unwrap();
        place.records.list(&group).await.unwrap().iter().filter(|(_, record)| record.text().contains(uri)).count()
    };
    for (expected, is_deleted) in [(1, false), (2, true)] {
        for client_id in ["page", "told"] {
            let code = place.grant(client_id).await.unwrap();
            place.redeem(client_id, &code).await.unwrap();
        }
        if is_deleted {
            place.server.delete_client("told").await.unwrap();
            place.server.delete_client("page").await.unwrap();
        } else {
            place.server.withdraw_consent("alice", "told").await.unwrap();
            place.server.withdraw_consent("alice", "page").await.unwrap();
        }
        assert_eq!(waiting().await, expected);
    }
}

/// The first step of a deletion has been taken, and its last ones have not: the consent is still there.
#[tokio::test]
async fn a_code_that_is_redeemed_between_two_steps_of_a_deletion_opens_no_session_that_goes_on() {
    for call in 0.. {
        let place = Place::new().await;
        let code = place.grant("page").await.unwrap();
        let clients = place.clients.clone();
        place.hook.set(call, async move {
            assert_eq!(clients.delete("page").await.unwrap(), Deletion::Gone);
        });
        let tokens = place.redeem("page", &code).await;
        if !place.hook.is_done() {
            assert!(call > 2 && tokens.is_ok(), "{call}");
            return;
        }
        assert!(tokens.is_err(), "deleted before call {call}");
        assert!(place.families.dump().iter().all(|family| family.ended.is_some()), "deleted before call {call}");
    }
}

/// A place that has a client of every id, and deletes none.
#[derive(Clone, Debug)]
struct All;

impl Clients for All {
    async fn find(&self, client_id: &str) -> Result<Option<Arc<Client>>, StoreError> {
        Ok(Some(Arc::new(page(client_id))))
    }

    async fn why_fixed(&self, client_id: &str) -> Result<Option<&'static str>, StoreError> {
        Ok((client_id == "fixed").then_some("it is here for good"))
    }
}

#[tokio::test]
async fn a_client_that_was_deleted_is_not_found_in_the_next_place() {
    let place = Place::new().await;
    let clients = place.clients.clone().or(All);
    assert!(clients.find("page").await.unwrap().is_some() && clients.find("elsewhere").await.unwrap().is_some());
    assert_eq!(clients.delete("page").await.unwrap(), Deletion::Gone);
    assert!(clients.find("page").await.unwrap().is_none(), "an outsider takes the place of the client");
    assert!(clients.was_deleted("page").await.unwrap() && clients.may_have("page").await.unwrap());
    assert!(clients.find("elsewhere").await.unwrap().is_some());
    // The other way round, the first place has it.
    assert!(All.or(place.clients.clone()).find("page").await.unwrap().is_some());
    assert!(place.clients.may_have("page").await.unwrap(), "a user takes the name of a program that was deleted");
    assert!(!place.clients.may_have("alice").await.unwrap());
}

#[tokio::test]
async fn a_deletion_that_fails_has_deleted_nothing() {
    let place = Place::new().await;
    place.clients.create(&page("fixed")).await.unwrap();
    for (client_id, is_deleted) in [("fixed", false), ("page", true)] {
        for at in 0..2 {
            let list = ClientList::new([page("fixed")]).unwrap();
            let clients = place.clients.clone();
            let outcome = match at {
                0 => clients.or(list).delete(client_id).await.unwrap(),
                _ => list.or(clients).delete(client_id).await.unwrap(),
            };
            assert_eq!(outcome == Deletion::Gone, is_deleted, "{client_id}");
        }
        assert_eq!(place.clients.read(client_id).await.unwrap().is_none(), is_deleted, "{client_id}");
    }
    let why = match place.clients.clone().or(All).delete("fixed").await.unwrap() {
        Deletion::Fixed { why } => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(why, "it is here for good");
}
