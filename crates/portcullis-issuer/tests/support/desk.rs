//! An authorization server with its clients, in memory and on one clock.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::sync::{Arc, Mutex};

use aws_lc_rs::{digest, signature::Ed25519KeyPair};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use portcullis_core::{
    Admission, Algorithm, Clock, JwtAuthenticator, KeySet, policy::TokenSpec, revocation::Revocation,
};
use portcullis_issuer::{
    Signer, Signing, SigningKey, TokenIssuer,
    documents::GrantType,
    records::MemoryRecordStore,
    refresh::{DangerUncheckedSubjects, MemoryRefreshStore, RefreshKeys, Sessions},
    server::{
        AuthorizationAnswer, AuthorizationRequest, AuthorizationServer, AuthorizationServerBuilder, Client, ClientList,
        ClientSecret, Clients, Decision, EndpointRequest, OAuthError, ServerEvent, TokenResponse, Visitor,
    },
};
use portcullis_test::FixedClock;
use serde_json::{Value, json};

use super::TestLog;

pub(crate) const ISSUER: &str = "https://id.test";
pub(crate) const ORDERS: &str = "https://orders.test";
pub(crate) const BILLS: &str = "https://bills.test";
pub(crate) const CALLBACK: &str = "https://app.test/callback";
pub(crate) const BROWSER: &str = "session-of-the-application";
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

pub(crate) struct Desk {
    pub(crate) clock: FixedClock,
    pub(crate) server: AuthorizationServer,
    pub(crate) sessions: Sessions<MemoryRefreshStore, TestLog, DangerUncheckedSubjects>,
    pub(crate) store: MemoryRefreshStore,
    pub(crate) records: MemoryRecordStore,
    pub(crate) log: TestLog,
    pub(crate) key: SigningKey,
    /// What is revoked while the next token is signed.
    pub(crate) revoked_while_signing: Arc<Mutex<Option<Revocation>>>,
    admission: Admission,
    events: Arc<Mutex<Vec<ServerEvent>>>,
}

/// The clients that most tests have: a page, an application of the house, a server with a secret, and a program that acts for itself.
pub(crate) fn clients() -> Vec<Client> {
    let secret = || ClientSecret::from_secret(SECRET).unwrap();
    let page = |id: &str| {
        let client = Client::public(id).redirect_uri(CALLBACK).scope("orders:read orders:write");
        client.resource(ORDERS).resource(BILLS)
    };
    vec![
        page("page"),
        page("other"),
        page("house").first_party(),
        Client::confidential("server", secret()).redirect_uri(CALLBACK).scope("orders:read").resource(ORDERS),
        Client::confidential("worker", secret())
            .grants([GrantType::ClientCredentials])
            .scope("orders:read orders:write")
            .resource(ORDERS),
        command_line("cli"),
        command_line("cli2"),
    ]
}

fn command_line(id: &str) -> Client {
    let grants = [GrantType::DeviceCode, GrantType::RefreshToken];
    Client::public(id).grants(grants).scope("orders:read orders:write").resource(ORDERS)
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self::with(clients())
    }

    pub(crate) fn with(clients: Vec<Client>) -> Self {
        Self::with_settings(clients, |builder| builder)
    }

    /// One whose server has more settings.
    pub(crate) fn with_settings(
        clients: Vec<Client>,
        settings: impl FnOnce(AuthorizationServerBuilder) -> AuthorizationServerBuilder,
    ) -> Self {
        Self::of(ClientList::new(clients).unwrap(), settings)
    }

    /// One whose issuer has another name.
    pub(crate) fn named(issuer: &str, clients: Vec<Client>) -> Self {
        Self::made_of(issuer, ClientList::new(clients).unwrap(), |builder| builder)
    }

    /// One whose clients are somewhere else.
    pub(crate) fn of(
        clients: impl Clients,
        settings: impl FnOnce(AuthorizationServerBuilder) -> AuthorizationServerBuilder,
    ) -> Self {
        Self::made_of(ISSUER, clients, |builder| {
            settings(
                builder.authorization_endpoint("https://id.test/authorize").verification_page("https://id.test/device"),
            )
        })
    }

    fn made_of(
        issuer: &str,
        clients: impl Clients,
        settings: impl FnOnce(AuthorizationServerBuilder) -> AuthorizationServerBuilder,
    ) -> Self {
        let clock = FixedClock::at(super::T);
        let spec = TokenSpec::new(issuer).audience(ORDERS).audience(BILLS);
        let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
        let log = TestLog::new(&clock, &Arc::default());
        let revoked_while_signing = Arc::<Mutex<Option<Revocation>>>::default();
        let signer = Busy { key: key.clone(), log: log.clone(), revoked: Arc::clone(&revoked_while_signing) };
        let issuer = TokenIssuer::new(spec.clone(), signer).unwrap().clock(clock.clone());
        let store = MemoryRefreshStore::with_clock(clock.clone());
        let keys = RefreshKeys::new(1, [1; 32]).unwrap();
        let sessions = Sessions::new(issuer, store.clone(), keys, log.clone(), DangerUncheckedSubjects);
        let sessions = sessions.revocations(log.writer.view()).unwrap();
        let records = MemoryRecordStore::with_clock(clock.clone());
        let events = Arc::<Mutex<Vec<ServerEvent>>>::default();
        let told = Arc::clone(&events);
        let builder = AuthorizationServer::builder(sessions.clone(), key.clone(), records.clone(), clients)
            .on_event(move |event| told.lock().unwrap().push(event.clone()));
        let server = settings(builder).build().unwrap();
        let trusted = spec.trusted_at(ORDERS, KeySet::from(key.verifying_key())).unwrap();
        let admission =
            Admission::new(JwtAuthenticator::new(trusted).unwrap()).clock(clock.clone()).revocations(log.writer.view());
        Self { clock, server, sessions, store, records, log, key, revoked_while_signing, admission, events }
    }

    /// Another server over the same stores, with other clients.
    pub(crate) fn server_with(&self, clients: Vec<Client>) -> AuthorizationServer {
        self.server_of(ClientList::new(clients).unwrap())
    }

    pub(crate) fn server_of(&self, clients: impl Clients) -> AuthorizationServer {
        let (sessions, key, records) = (self.sessions.clone(), self.key.clone(), self.records.clone());
        AuthorizationServer::builder(sessions, key, records, clients).build().unwrap()
    }

    pub(crate) async fn token_of(
        &self,
        server: &AuthorizationServer,
        parameters: &[(&str, &str)],
    ) -> Result<TokenResponse, OAuthError> {
        self.confirm();
        server.token(&EndpointRequest::new(form(parameters).as_bytes())).await
    }

    /// Asks for a code as the client does, with more or other parameters.
    pub(crate) async fn ask(&self, client_id: &str, more: &[(&str, &str)]) -> AuthorizationRequest {
        self.server.authorization_request(&query(client_id, more)).await.unwrap()
    }

    /// Alice, who has just logged in.
    pub(crate) fn alice(&self) -> Visitor {
        Visitor::new("alice", BROWSER, self.clock.now())
    }

    /// Lets this user allow these scopes, with or without a question.
    pub(crate) async fn grant(
        &self,
        request: &AuthorizationRequest,
        visitor: &Visitor,
        scopes: &[&str],
    ) -> AuthorizationAnswer {
        match request.decide(Some(visitor)).await.unwrap() {
            Decision::Grant(permitted) => permitted.grant().await.unwrap(),
            Decision::Ask(question) => {
                let question = self.server.resume_question(question.ticket(), visitor).await.unwrap();
                question.allow(scopes).await.unwrap()
            }
            other => panic!("{other:?}"),
        }
    }

    /// Whether the user is asked.
    pub(crate) async fn asks(&self, client_id: &str, more: &[(&str, &str)], subject: &str) -> bool {
        let visitor = Visitor::new(subject, BROWSER, self.clock.now());
        matches!(self.ask(client_id, more).await.decide(Some(&visitor)).await.unwrap(), Decision::Ask(_))
    }

    /// Lets the user allow all that the client asks for. Returns the code.
    pub(crate) async fn code(&self, client_id: &str, more: &[(&str, &str)]) -> String {
        let request = self.ask(client_id, more).await;
        let scopes: Vec<_> = request.scopes().collect();
        let answer = self.grant(&request, &self.alice(), &scopes).await;
        parameter(answer.location(), "code").unwrap()
    }

    /// Redeems a code as a public client does.
    pub(crate) async fn redeem(&self, client_id: &str, code: &str) -> Result<TokenResponse, OAuthError> {
        self.redeem_with(client_id, code, VERIFIER, &[("resource", ORDERS)]).await
    }

    pub(crate) async fn redeem_with(
        &self,
        client_id: &str,
        code: &str,
        verifier: &str,
        more: &[(&str, &str)],
    ) -> Result<TokenResponse, OAuthError> {
        let mut parameters = vec![
            ("grant_type", "authorization_code"),
            ("client_id", client_id),
            ("code", code),
            ("code_verifier", verifier),
            ("redirect_uri", CALLBACK),
        ];
        merge(&mut parameters, more);
        self.token(&parameters).await
    }

    pub(crate) async fn token(&self, parameters: &[(&str, &str)]) -> Result<TokenResponse, OAuthError> {
        self.token_of(&self.server, parameters).await
    }

    /// The same by a client that authenticates.
    pub(crate) async fn token_as(
        &self,
        client_id: &str,
        secret: &str,
        parameters: &[(&str, &str)],
    ) -> Result<TokenResponse, OAuthError> {
        self.confirm();
        let (body, header) = (form(parameters), basic(client_id, secret));
        self.server.token(&EndpointRequest::new(body.as_bytes()).authorization(&header)).await
    }

    /// Signs these claims with the server's key, whatever they are.
    pub(crate) fn sign(&self, typ: &str, claims: &Value) -> String {
        let header = json!({ "alg": "EdDSA", "kid": self.key.id(), "typ": typ });
        let [header, claims] = [&header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let input = format!("{header}.{claims}");
        let pem = self.key.to_pem().unwrap();
        let der: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let key = Ed25519KeyPair::from_pkcs8(&STANDARD.decode(der).unwrap()).unwrap();
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes())))
    }

    /// Whether the service with this audience accepts an access token.
    pub(crate) fn accepts_at(&self, audience: &str, token: &str) -> bool {
        self.confirm();
        let spec = TokenSpec::new(ISSUER).audience(ORDERS).audience(BILLS);
        let trusted = spec.trusted_at(audience, KeySet::from(self.key.verifying_key())).unwrap();
        let admission = Admission::new(JwtAuthenticator::new(trusted).unwrap()).clock(self.clock.clone());
        admission.revocations(self.log.writer.view()).verify(token).ready().unwrap().is_ok()
    }

    /// Whether a service accepts an access token.
    pub(crate) fn accepts(&self, response: &TokenResponse) -> bool {
        self.confirm();
        self.admission.verify(response.access().token()).ready().unwrap().is_ok()
    }

    /// Brings the view of revocations up to date, as the follower of a log does all the time.
    pub(crate) fn confirm(&self) {
        self.log.writer.confirm(self.log.writer.ask());
    }

    pub(crate) fn events<T>(&self, wanted: impl Fn(&ServerEvent) -> Option<T>) -> Vec<T> {
        self.events.lock().unwrap().iter().filter_map(wanted).collect()
    }
}

/// The query of a request for a code.
pub(crate) fn query(client_id: &str, more: &[(&str, &str)]) -> String {
    let challenge = challenge(VERIFIER);
    let mut parameters = vec![
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", CALLBACK),
        ("state", "s-1"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    merge(&mut parameters, more);
    form(&parameters)
}

/// Replaces parameters, or adds them; an empty value takes one away.
fn merge<'a>(parameters: &mut Vec<(&'a str, &'a str)>, more: &[(&'a str, &'a str)]) {
    parameters.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    parameters.extend(more.iter().filter(|(_, value)| !value.is_empty()));
}

pub(crate) fn form(parameters: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

pub(crate) fn basic(client_id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{client_id}:{secret}")))
}

pub(crate) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

/// A parameter of a URL's query.
pub(crate) fn parameter(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

pub(crate) fn claims(response: &TokenResponse) -> Value {
    let text = response.access().token().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

/// A signer during whose work something is revoked.
#[derive(Debug)]
struct Busy {
    key: SigningKey,
    log: TestLog,
    revoked: Arc<Mutex<Option<Revocation>>>,
}

impl Signer for Busy {
    fn algorithm(&self) -> Algorithm {
        self.key.algorithm()
    }

    fn key_id(&self) -> &str {
        self.key.key_id()
    }

    fn sign(&self, input: &[u8]) -> Signing {
        if let Some(revocation) = self.revoked.lock().unwrap().take() {
            self.log.merge(&[revocation]);
        }
        self.key.sign(input)
    }
}
