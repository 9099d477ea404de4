//! API tokens that clients exchange for access tokens (RFC 8693).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use portcullis_issuer::{
    StoreError,
    api_tokens::{
        ApiTokenFormat, ApiTokenKind, ApiTokens, Grant, Grants, MembershipError, Memberships, MemoryApiTokenStore,
        NewApiToken, Owner, Peppers, RevokedReason,
    },
    documents::GrantType,
    records::MemoryRecordStore,
    refresh::{LogIn, RefreshPolicy},
    server::{
        Client, ClientList, ClientSecret, ExchangePolicy, OAuthError, OAuthErrorCode, ServerEvent, StoredClients,
        TokenResponse,
    },
};
use portcullis_test::FixedClock;
use serde_json::{Value, json};
use support::{
    TestLog,
    desk::{BILLS, CALLBACK, Desk, ISSUER, ORDERS, SECRET, claims, clients, parameter},
    secs,
};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

type Tokens = ApiTokens<MemoryApiTokenStore, Rights, TestLog>;

/// What owners may do now; those that are not named here are gone.
#[derive(Clone, Debug, Default)]
struct Rights(Arc<Mutex<BTreeMap<Owner, Option<Grants>>>>);

impl Rights {
    fn set(&self, owner: Owner, scopes: &[&str]) {
        self.0.lock().unwrap().insert(owner, Some(scopes.iter().map(|scope| Grant::scope(*scope)).collect()));
    }

    fn remove(&self, owner: &Owner) {
        self.0.lock().unwrap().remove(owner);
    }

    /// What it may do cannot be found out.
    fn lose(&self, owner: Owner) {
        self.0.lock().unwrap().insert(owner, None);
    }
}

impl Memberships for Rights {
    async fn of(&self, owner: &Owner) -> Result<Grants, MembershipError> {
        match self.0.lock().unwrap().get(owner) {
            Some(Some(grants)) => Ok(grants.clone()),
            Some(None) => Err(MembershipError::Unavailable(StoreError::new("out of order"))),
            None => Err(MembershipError::OwnerGone),
        }
    }
}

/// A desk that exchanges API tokens, too.
struct House {
    desk: Desk,
    tokens: Tokens,
    rights: Rights,
    clock: FixedClock,
}

fn exchanging(id: &str, policy: ExchangePolicy) -> Client {
    Client::confidential(id, ClientSecret::from_secret(SECRET).unwrap()).grants([]).exchange(policy)
}

/// An application that users know, and that acts for them.
fn acting(id: &str) -> Client {
    let policy =
        ExchangePolicy::new().acts_for_users().resource(ORDERS).resource(BILLS).scope("orders:read orders:write");
    Client::confidential(id, ClientSecret::from_secret(SECRET).unwrap())
        .grants([GrantType::AuthorizationCode])
        .redirect_uri(CALLBACK)
        .scope("orders:read orders:write")
        .resource(ORDERS)
        .resource(BILLS)
        .exchange(policy)
}

fn all_clients() -> Vec<Client> {
    let mut all = clients();
    let gateway = ExchangePolicy::new().resource(BILLS).scope("orders:read bills:read").role("clerk");
    all.extend([
        exchanging("gateway", gateway.clone().api_tokens()),
        exchanging("shop", gateway.tokens_for(ORDERS)),
        acting("reports"),
        acting("audits"),
    ]);
    all
}

impl House {
    fn new() -> Self {
        let (clock, rights) = (FixedClock::at(support::T), Rights::default());
        for owner in [Owner::user("alice"), Owner::application("reports"), Owner::organisation("acme")] {
            rights.set(owner, &["orders:read", "orders:write", "bills:read"]);
        }
        let tokens = tokens(ISSUER, &clock, &rights);
        let exchanged = tokens.clone();
        let desk = Desk::with_settings(all_clients(), |builder| builder.api_tokens(exchanged));
        Self { desk, tokens, rights, clock }
    }

    async fn create(
        &self,
        kind: ApiTokenKind,
        owner: Owner,
        scopes: &[&str],
    ) -> (portcullis_issuer::api_tokens::ApiTokenId, String) {
        let new = NewApiToken::new(kind, owner, "a token").created_by("alice");
        let new = scopes.iter().fold(new, |new, scope| new.grant(Grant::scope(*scope)));
        let created = self.tokens.create(new).await.unwrap();
        (created.token().id(), created.secret().expose().to_owned())
    }

    async fn of_alice(&self) -> String {
        self.create(ApiTokenKind::UserToPlatform, Owner::user("alice"), &["orders:read", "orders:write"]).await.1
    }

    async fn of_reports(&self) -> String {
        self.create(ApiTokenKind::Application, Owner::application("reports"), &["orders:read", "bills:read"]).await.1
    }

    async fn exchange(&self, client: &str, token: &str, more: &[(&str, &str)]) -> Result<TokenResponse, OAuthError> {
        let mut parameters =
            vec![("grant_type", GRANT), ("subject_token", token), ("subject_token_type", ACCESS_TOKEN)];
        parameters.extend(more);
        self.desk.token_as(client, SECRET, &parameters).await
    }

    async fn code(&self, client: &str, token: &str, more: &[(&str, &str)]) -> Option<OAuthErrorCode> {
        self.exchange(client, token, more).await.err().map(|error| error.code())
    }

    /// Alice allows a client these scopes at the service of orders.
    async fn allow(&self, client: &str, scopes: &[&str]) {
        let request = self.desk.ask(client, &[("resource", ORDERS)]).await;
        let answer = self.desk.grant(&request, &self.desk.alice(), scopes).await;
        assert!(parameter(answer.location(), "code").is_some());
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(secs(seconds));
        self.desk.clock.advance(secs(seconds));
    }
}

fn tokens(issuer: &str, clock: &FixedClock, rights: &Rights) -> Tokens {
    let format = ApiTokenFormat::new("acme").unwrap();
    let peppers = Peppers::new('1', [7; 32]).unwrap();
    ApiTokens::builder(issuer, format, peppers, MemoryApiTokenStore::new())
        .memberships(rights.clone())
        .revoker(TestLog::new(clock, &Arc::default()))
        .clock(clock.clone())
        .build()
        .unwrap()
}

const FOR_ALICE: [(&str, &str); 3] = [("requested_subject", "alice"), ("scope", "orders:read"), ("resource", ORDERS)];

#[tokio::test]
async fn an_api_token_is_exchanged_for_an_access_token_that_services_verify_by_themselves() {
    let house = House::new();
    let response = house.exchange("gateway", &house.of_alice().await, &[]).await.unwrap();
    let new = claims(&response);
    // The scope that both the token and the rules have, and none that only one of them has.
    assert_eq!(
        (&new["iss"], &new["sub"], &new["client_id"], &new["aud"], &new["act"], &new["scope"]),
        (
            &json!(ISSUER),
            &json!("alice"),
            &json!("gateway"),
            &json!(BILLS),
            &json!({ "sub": "gateway" }),
            &json!("orders:read")
        )
    );
    assert_eq!(new["exp"].as_u64().unwrap() - new["iat"].as_u64().unwrap(), 600);
    assert!(house.desk.accepts_at(BILLS, response.access().token()) && response.refresh_token().is_none());
    // The token of an application or an organisation is about that.
    let (_, of_acme) = house.create(ApiTokenKind::ServiceAccount, Owner::organisation("acme"), &["bills:read"]).await;
    for (token, subject) in [(house.of_reports().await, "reports"), (of_acme, "organisation:acme")] {
        let new = claims(&house.exchange("gateway", &token, &[]).await.unwrap());
        assert_eq!((&new["sub"], &new["act"]), (&json!(subject), &json!({ "sub": "gateway" })));
    }
}

#[tokio::test]
async fn an_api_token_is_exchanged_only_if_the_rules_and_the_server_say_so() {
    let house = House::new();
    let token = house.of_alice().await;
    assert_eq!(house.code("gateway", &token, &[]).await, None);
    assert_eq!(house.code("shop", &token, &[]).await, Some(OAuthErrorCode::InvalidRequest));
    assert_eq!(house.code("worker", &token, &[]).await, Some(OAuthErrorCode::UnauthorizedClient));
    let without = House { desk: Desk::with(all_clients()), ..House::new() };
    assert_eq!(without.code("gateway", &without.of_alice().await, &[]).await, Some(OAuthErrorCode::InvalidRequest));
    // And access tokens are another option.
    let own = house.desk.token_as("worker", SECRET, &[("grant_type", "client_credentials")]).await.unwrap();
    assert_eq!(house.code("gateway", own.access().token(), &[]).await, Some(OAuthErrorCode::InvalidRequest));
    assert_eq!(house.code("shop", own.access().token(), &[]).await, None);
}

#[tokio::test]
async fn a_server_does_not_exchange_the_api_tokens_of_another_issuer() {
    let make = |issuer: &str| {
        let (clock, desk) = (FixedClock::at(support::T), Desk::new());
        let tokens = tokens(issuer, &clock, &Rights::default());
        let (sessions, key, records) = (desk.sessions.clone(), desk.key.clone(), desk.records.clone());
        let clients = ClientList::new(clients()).unwrap();
        let builder = portcullis_issuer::server::AuthorizationServer::builder(sessions, key, records, clients);
        builder.api_tokens(tokens).build().map(|_| ())
    };
    assert!(make(ISSUER).is_ok());
    assert!(make("https://other.test").unwrap_err().to_string().contains("another issuer"));
}

#[tokio::test]
async fn what_is_exchanged_for_an_api_token_does_no_more_than_its_owner_may_and_does_not_outlive_it() {
    let house = House::new();
    let new = NewApiToken::new(ApiTokenKind::UserToPlatform, Owner::user("alice"), "short").created_by("alice");
    let new = new.grant(Grant::scope("orders:read")).grant(Grant::scope("bills:read")).lifetime(secs(700));
    let created = house.tokens.create(new).await.unwrap();
    let (id, token) = (created.token().id(), created.secret().expose());
    house.pass(200);
    assert_eq!(house.exchange("gateway", token, &[]).await.unwrap().access().expires_in(), 500);
    house.rights.set(Owner::user("alice"), &["bills:read"]);
    assert_eq!(claims(&house.exchange("gateway", token, &[]).await.unwrap())["scope"], json!("bills:read"));
    let lost = [("scope", "orders:read")];
    assert_eq!(house.code("gateway", token, &lost).await, Some(OAuthErrorCode::InvalidScope));
    assert_eq!(house.code("gateway", token, &[("scope", "bills:read")]).await, None);

    // Not knowing is not "no".
    house.rights.lose(Owner::user("alice"));
    assert_eq!(house.code("gateway", token, &[]).await, Some(OAuthErrorCode::TemporarilyUnavailable));
    house.rights.set(Owner::user("alice"), &["bills:read"]);
    assert_eq!(house.code("gateway", token, &[]).await, None);
    house.tokens.revoke(id, RevokedReason::Asked).await.unwrap();
    assert_eq!(house.code("gateway", token, &[]).await, Some(OAuthErrorCode::InvalidRequest));
    let other = house.of_alice().await;
    assert_eq!(house.code("gateway", &other, &[("resource", BILLS)]).await, None);
    house.rights.remove(&Owner::user("alice"));
    assert_eq!(house.code("gateway", &other, &[]).await, Some(OAuthErrorCode::InvalidRequest));
}

#[tokio::test]
async fn an_application_acts_for_a_user_who_has_allowed_it() {
    let house = House::new();
    let token = house.of_reports().await;
    let refused = Some(OAuthErrorCode::InvalidRequest);
    assert_eq!(house.code("reports", &token, &FOR_ALICE).await, refused, "no one has allowed it");
    house.allow("audits", &["orders:read"]).await;
    assert_eq!(house.code("reports", &token, &FOR_ALICE).await, refused, "another client was allowed it");
    house.allow("reports", &["orders:read"]).await;
    let response = house.exchange("reports", &token, &FOR_ALICE).await.unwrap();
    let new = claims(&response);
    assert_eq!(
        (&new["sub"], &new["client_id"], &new["aud"], &new["act"], &new["scope"], &new["sid"]),
        (
            &json!("alice"),
            &json!("reports"),
            &json!(ORDERS),
            &json!({ "sub": "reports" }),
            &json!("orders:read"),
            &Value::Null
        )
    );
    assert_eq!(response.access().expires_in(), 600);
    assert!(house.desk.accepts(&response) && response.refresh_token().is_none());
    let told = house.desk.events(|event| matches!(event, ServerEvent::Exchanged { .. }).then_some(()));
    assert_eq!(told.len(), 1);

    // Another user, another service, and more than was allowed.
    for (name, value) in [("requested_subject", "bob"), ("resource", BILLS)] {
        let asked = FOR_ALICE.map(|(known, old)| (known, if known == name { value } else { old }));
        assert_eq!(house.code("reports", &token, &asked).await, refused, "{name}");
    }
    let asked = |scope| [FOR_ALICE[0], FOR_ALICE[2], ("scope", scope)];
    for scope in ["orders:write", "bills:read", "orders:read orders:write"] {
        // The token does not have the first, the rules not the second.
        assert_eq!(house.code("reports", &token, &asked(scope)).await, Some(OAuthErrorCode::InvalidScope), "{scope}");
    }
    let both = house
        .create(ApiTokenKind::Application, Owner::application("reports"), &["orders:read", "orders:write"])
        .await
        .1;
    assert_eq!(house.code("reports", &both, &asked("orders:write")).await, refused, "Alice has not allowed it");
    assert_eq!(house.code("reports", &both, &asked("orders:read")).await, None);
    // What is not asked for is not given.
    assert_eq!(house.code("reports", &token, &[FOR_ALICE[0], FOR_ALICE[2]]).await, refused);
    assert_eq!(house.code("reports", &token, &asked(" ")).await, refused);
}

#[tokio::test]
async fn only_the_token_of_the_application_itself_acts_for_users() {
    let house = House::new();
    for client in ["reports", "audits"] {
        house.allow(client, &["orders:read"]).await;
    }
    let token = house.of_reports().await;
    assert_eq!(house.code("reports", &token, &FOR_ALICE).await, None);
    let refused = Some(OAuthErrorCode::InvalidRequest);
    // That of another application, of a user, of an organisation, and an access token.
    assert_eq!(house.code("audits", &token, &FOR_ALICE).await, refused);
    assert_eq!(house.code("reports", &house.of_alice().await, &FOR_ALICE).await, refused);
    let (_, of_acme) = house.create(ApiTokenKind::ServiceAccount, Owner::organisation("acme"), &["orders:read"]).await;
    assert_eq!(house.code("reports", &of_acme, &FOR_ALICE).await, refused);
    let own = house.desk.token_as("worker", SECRET, &[("grant_type", "client_credentials")]).await.unwrap();
    assert_eq!(house.code("reports", own.access().token(), &FOR_ALICE).await, refused);
    // A client that may not act for users, with a parameter that would change what it asks for.
    assert_eq!(house.code("gateway", &house.of_alice().await, &[FOR_ALICE[0]]).await, refused);
    assert_eq!(house.code("gateway", &house.of_alice().await, &[]).await, None);
}

#[tokio::test]
async fn an_application_no_longer_acts_for_a_user_who_has_withdrawn_or_lost_it() {
    let house = House::new();
    let token = house.of_reports().await;
    let refused = Some(OAuthErrorCode::InvalidRequest);
    house.allow("reports", &["orders:read"]).await;
    house.rights.set(Owner::user("alice"), &["bills:read"]);
    assert_eq!(house.code("reports", &token, &FOR_ALICE).await, refused, "Alice has lost the right");
    house.rights.lose(Owner::user("alice"));
    assert_eq!(house.code("reports", &token, &FOR_ALICE).await, Some(OAuthErrorCode::TemporarilyUnavailable));
    house.rights.remove(&Owner::user("alice"));
    assert_eq!(house.code("reports", &token, &FOR_ALICE).await, refused, "Alice is gone");
    house.rights.set(Owner::user("alice"), &["orders:read"]);
    assert_eq!(house.code("reports", &token, &FOR_ALICE).await, None);
    house.desk.confirm();
    assert!(house.desk.server.withdraw_consent("alice", "reports").await.unwrap());
    assert_eq!(house.code("reports", &token, &FOR_ALICE).await, refused, "Alice has withdrawn it");
}

/// Every choice of scopes that the token has, the user has allowed, the user has, and the application asks for.
#[tokio::test]
async fn pitfall_9_no_set_of_scopes_gives_more_than_the_token_the_consent_and_the_user_have() {
    const SETS: [&[&str]; 4] = [&[], &["orders:read"], &["orders:write"], &["orders:read", "orders:write"]];
    let (mut given, mut refused) = (0, 0);
    for consented in SETS {
        let house = House::new();
        if !consented.is_empty() {
            house.allow("reports", consented).await;
        }
        for of_token in &SETS[1..] {
            let (_, token) = house.create(ApiTokenKind::Application, Owner::application("reports"), of_token).await;
            for of_user in SETS {
                house.rights.set(Owner::user("alice"), of_user);
                for asked in &SETS[1..] {
                    let request = [FOR_ALICE[0], FOR_ALICE[2], ("scope", &asked.join(" "))];
                    let outcome = house.exchange("reports", &token, &request).await;
                    let has_all = |allowed: &[&str]| asked.iter().all(|scope| allowed.contains(scope));
                    let expected = has_all(of_token) && has_all(consented) && has_all(of_user);
                    assert_eq!(outcome.is_ok(), expected, "{of_token:?} {consented:?} {of_user:?} {asked:?}");
                    *(if expected { &mut given } else { &mut refused }) += 1;
                }
            }
        }
    }
    assert_eq!((given, refused), (2 * 8 + 1, 4 * 3 * 4 * 3 - 17));
}

#[tokio::test]
async fn an_application_named_like_a_user_is_not_that_user_after_an_exchange() {
    let house = House::new();
    house.rights.set(Owner::application("alice"), &["orders:read"]);
    let (_, token) = house.create(ApiTokenKind::Application, Owner::application("alice"), &["orders:read"]).await;
    assert_eq!(house.code("gateway", &token, &[]).await, Some(OAuthErrorCode::InvalidRequest));
    assert_eq!(house.code("gateway", &house.of_reports().await, &[]).await, None, "that is a client");
}

#[tokio::test]
async fn no_session_is_opened_for_a_user_named_like_an_organisation() {
    let desk = Desk::new();
    let policy = RefreshPolicy::new();
    let log_in = |name: &str| LogIn::new(name, "page").audience(ORDERS);
    assert!(desk.sessions.log_in(log_in("organisation:acme"), &policy).await.is_err());
    assert!(desk.sessions.log_in(log_in("organisation-acme"), &policy).await.is_ok());
}

#[tokio::test]
async fn deleting_a_client_revokes_its_api_tokens() {
    let (clock, rights) = (FixedClock::at(support::T), Rights::default());
    for owner in [Owner::application("reports"), Owner::application("audits")] {
        rights.set(owner, &["orders:read"]);
    }
    let tokens = tokens(ISSUER, &clock, &rights);
    let clients = StoredClients::new(MemoryRecordStore::new());
    let exchanged = tokens.clone();
    let desk = Desk::of(clients.clone(), |builder| builder.api_tokens(exchanged));
    for id in ["reports", "audits", "gateway"] {
        let client = all_clients().into_iter().find(|client| client.id() == id).unwrap();
        clients.create(&client).await.unwrap();
    }
    let house = House { desk, tokens, rights, clock };
    let gone = house.of_reports().await;
    let (_, kept) = house.create(ApiTokenKind::Application, Owner::application("audits"), &["orders:read"]).await;
    assert_eq!(house.code("gateway", &gone, &[]).await, None);
    house.desk.confirm();
    house.desk.server.delete_client("reports").await.unwrap();
    assert_eq!(house.code("gateway", &gone, &[]).await, Some(OAuthErrorCode::InvalidRequest));
    assert_eq!(house.code("gateway", &kept, &[]).await, None);
    // Also where no client is asked for, and when the log has forgotten the client.
    let list = house.tokens.list(&Owner::application("reports")).await.unwrap();
    assert!(list.tokens.iter().all(|token| !token.is_live()));
    assert!(house.tokens.list(&Owner::application("audits")).await.unwrap().tokens[0].is_live());
}

#[tokio::test]
async fn a_client_that_may_not_act_for_a_user_does_not_use_up_the_users_limit() {
    let asked = Arc::<Mutex<Vec<Option<String>>>>::default();
    let told = Arc::clone(&asked);
    let desk = Desk::with_settings(all_clients(), |builder| {
        builder.rate_limit(move |attempt| {
            told.lock().unwrap().push(attempt.subject.map(str::to_owned));
            Ok(())
        })
    });
    let house = House { desk, ..House::new() };
    assert!(house.code("gateway", "junk", &FOR_ALICE).await.is_some());
    assert!(asked.lock().unwrap().iter().all(Option::is_none));
}
