//! Users and applications: what a route for either answers to two tokens of a provider that differ in nothing but what the provider
//! says of applications.

use std::sync::Arc;

use portcullis::requirement::{self, Circumstances, PathParams, Requirement};
use portcullis_core::{
    Admission, Algorithm, Code, Issuers, JwtAuthenticator, Principal, TrustedIssuer, UnixTime, Verified,
};
use portcullis_jwks::provider::{self, EntraTenants, Provider};
use serde_json::{Value, json};

use crate::{
    entra_tenants,
    scene::{Scene, judge},
};

/// Who a token says is calling.
#[derive(Debug, PartialEq)]
enum Caller {
    User(String),
    Application(String),
    Neither,
}

use Caller::{Application, Neither, User};

impl Caller {
    /// By the facts, which the two requirements have to agree with.
    async fn of(verified: Verified) -> Self {
        let caller = match verified.principal() {
            Principal::User(user) => User(user.subject.to_owned()),
            Principal::Application(name) => Application(name.to_owned()),
            _ => Neither,
        };
        let verified = verified.into();
        let admits = async |requirement: Requirement| {
            let params = PathParams::new();
            let circumstances = Circumstances::new(&verified, &params, UnixTime::from_secs(1_800_000_000));
            requirement.evaluate(circumstances).outcome().await.is_ok()
        };
        let admitted = (admits(requirement::user()).await, admits(requirement::application()).await);
        assert_eq!(admitted, (matches!(caller, User(_)), matches!(caller, Application(_))), "{caller:?}");
        caller
    }
}

async fn caller(trusted: TrustedIssuer, token: &str) -> Caller {
    Caller::of(judge(trusted, token).await.unwrap()).await
}

fn user(name: &str) -> Caller {
    User(name.to_owned())
}

fn application(name: &str) -> Caller {
    Application(name.to_owned())
}

/// The accepted token of the file, some of whose claims are others.
fn accepted_with(scene: &Scene, changes: &Value) -> String {
    scene.accepted(|claims| claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone()))
}

// ---- platforms: every token is an application's

#[tokio::test(start_paused = true)]
async fn every_token_of_a_platform_is_that_of_an_application_and_its_name_is_the_subject() {
    let (github, gitlab) = (include_str!("github.json"), include_str!("gitlab.json"));
    let (kubernetes, server) = (include_str!("kubernetes.json"), "https://kubernetes.default.svc.cluster.local");
    let of_its_own = "https://token.actions.githubusercontent.com";
    let instance = "https://gitlab.example.com";
    let rows = [
        (provider::github_actions("octo-org/octo-repo"), github),
        (provider::github_actions_of_owner("octo-org"), github),
        (provider::github_actions_at(of_its_own, "octo-org/octo-repo"), github),
        (Ok(provider::danger_github_actions_of_anyone()), github),
        (provider::gitlab_ci(instance, "my-group/my-project"), gitlab),
        (provider::gitlab_ci_of_namespace(instance, "my-group"), gitlab),
        (provider::danger_gitlab_ci_of_anyone(instance), gitlab),
        (provider::kubernetes(server, "shop"), kubernetes),
        (provider::kubernetes_service_account(server, "shop", "frontend"), kubernetes),
        (provider::danger_kubernetes_any_namespace(server), kubernetes),
    ];
    for (provider, file) in rows {
        let (provider, scene) = (provider.unwrap(), Scene::rs256(file));
        let claims = &scene.file["tokens"]["accepted"]["claims"];
        let audience = claims["aud"].as_str().or(claims["aud"][0].as_str()).unwrap();
        let (subject, token) = (claims["sub"].as_str().unwrap(), scene.accepted(|_| {}));
        assert_eq!(caller(scene.trusted(&provider, audience), &token).await, application(subject), "{provider:?}");

        let keys = provider.keys().fetch(Arc::clone(&scene.published)).start().unwrap();
        let by_hand = TrustedIssuer::new(provider.issuer(), keys).audience(audience);
        assert_eq!(caller(by_hand, &token).await, user(subject), "nothing else in the token says so: {provider:?}");
    }
}

// ---- providers with a mark of their own

#[tokio::test(start_paused = true)]
async fn auth0_tells_applications_by_the_grant_type() {
    let scene = Scene::rs256(include_str!("auth0.json"));
    let auth0 = provider::auth0("tenant.eu.auth0.com").unwrap();
    let trusted = || scene.trusted(&auth0, "https://orders.example.com");
    let token = |gty: Value| accepted_with(&scene, &json!({"sub": "my_client_id@clients", "gty": gty}));
    for gty in ["client-credentials", "client_credentials"] {
        assert_eq!(caller(trusted(), &token(gty.into())).await, application("my_client_id"), "{gty}");
    }
    assert_eq!(caller(trusted(), &scene.accepted(|_| {})).await, user("auth0|123456"));
    for gty in ["password", "refresh_token", "Client-Credentials"] {
        assert_eq!(caller(trusted(), &token(gty.into())).await, user("my_client_id@clients"), "{gty}");
    }
    // Auth0 writes a list if a grant follows from another one.
    for gty in [json!(["client-credentials"]), json!(["client-credentials", "urn:example:grant"])] {
        assert_eq!(caller(trusted(), &token(gty.clone())).await, application("my_client_id"), "{gty}");
    }
    for gty in [json!(["refresh_token", "password"]), json!(["Client-Credentials", "urn:example:grant"])] {
        assert_eq!(caller(trusted(), &token(gty.clone())).await, user("my_client_id@clients"), "{gty}");
    }
    for gty in [json!(["client-credentials", 7]), json!({"client-credentials": true}), json!(7)] {
        assert_eq!(caller(trusted(), &token(gty.clone())).await, Neither, "{gty}");
    }
}

#[tokio::test(start_paused = true)]
async fn auth0_with_the_profile_of_the_rfc_tells_applications_that_were_named() {
    let scene = Scene::rs256(include_str!("auth0.json"));
    let auth0 = provider::auth0_rfc9068("tenant.eu.auth0.com").unwrap();
    let trusted = || scene.trusted(&auth0, "https://orders.example.com");
    let token = scene.token("rfc9068", |claims| claims["sub"] = "my_client_id@clients".into());
    assert_eq!(caller(trusted(), &token).await, user("my_client_id@clients"), "there is no `gty`");
    let named = || trusted().application_if("/sub", "my_client_id@clients");
    assert_eq!(caller(named(), &token).await, application("my_client_id"));
    assert_eq!(caller(named(), &scene.token("rfc9068", |_| {})).await, user("auth0|123456"));
}

#[tokio::test(start_paused = true)]
async fn entra_tells_applications_by_the_type_of_the_token() {
    let tenant = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490";
    let rows = [
        (provider::entra(tenant), include_str!("entra.json"), "6e74172b-be56-4843-9ff4-e66a39bb12e3"),
        (provider::entra_v1(tenant), include_str!("entra_v1.json"), "api://6e74172b-be56-4843-9ff4-e66a39bb12e3"),
    ];
    for (provider, file, audience) in rows {
        let (provider, scene) = (provider.unwrap(), Scene::rs256(file));
        let trusted = || scene.trusted(&provider, audience);
        let subject = scene.file["tokens"]["accepted"]["claims"]["sub"].as_str().unwrap();
        let client = "a1b2c3d4-0000-4111-8222-333344445555";
        let token = |idtyp: &str| accepted_with(&scene, &json!({"idtyp": idtyp}));
        assert_eq!(caller(trusted(), &token("app")).await, application(client), "{provider:?}");
        assert_eq!(caller(trusted(), &scene.accepted(|_| {})).await, user(subject), "{provider:?}");
        for other in ["user", "device", "App"] {
            assert_eq!(caller(trusted(), &token(other)).await, user(subject), "{other}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn entra_without_the_optional_claim_takes_an_application_for_a_user() {
    let scene = Scene::rs256(include_str!("entra.json"));
    let entra = provider::entra("8eaef023-2b34-4da1-9baa-8bc8c9d6a490").unwrap();
    let trusted = || scene.trusted(&entra, "6e74172b-be56-4843-9ff4-e66a39bb12e3");
    let unmarked = scene.token("application", |_| {});
    assert_eq!(caller(trusted(), &unmarked).await, user("c0ffee00-1111-4222-8333-444455556666"));
    let marked = scene.token("application", |claims| claims["idtyp"] = "app".into());
    assert_eq!(caller(trusted(), &marked).await, application("a1b2c3d4-0000-4111-8222-333344445555"));
}

#[tokio::test(start_paused = true)]
async fn entra_of_many_tenants_tells_applications_as_well() {
    let scene = entra_tenants::scene(Some("https://login.microsoftonline.com/{tenantid}/v2.0"));
    let published = Arc::clone(&scene.published);
    let tenants = EntraTenants::new("6e74172b-be56-4843-9ff4-e66a39bb12e3");
    let tenants = tenants.keys(move |keys| keys.fetch(Arc::clone(&published)));
    let issuers = Issuers::default();
    issuers.on_unknown(EntraTenants::allow(|_| true), tenants).unwrap();
    let admission = Admission::new(JwtAuthenticator::issuers(issuers));
    let caller = async |token: String| Caller::of(admission.verify(&token).outcome().await.unwrap()).await;
    let marked = accepted_with(&scene, &json!({"idtyp": "app"}));
    assert_eq!(caller(marked).await, application("a1b2c3d4-0000-4111-8222-333344445555"));
    assert_eq!(caller(scene.accepted(|_| {})).await, user("HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ"));
}

/// A logout token has a `jti`, but no `client_id`, and says in no other place which kind it is if its `typ` and its event are left out.
#[tokio::test(start_paused = true)]
async fn a_token_of_zitadel_without_a_client_is_no_access_token() {
    let zitadel = provider::zitadel("https://acme-a1b2c3.zitadel.cloud", "344374183645413380").unwrap();
    let scene = Scene::rs256(include_str!("zitadel.json"));
    let trusted = || scene.trusted(&zitadel, "344374183645413380");
    assert!(judge(trusted(), &scene.accepted(|_| {})).await.is_ok());
    let without = scene.accepted(|claims| drop(claims.as_object_mut().unwrap().remove("client_id")));
    assert_eq!(judge(trusted(), &without).await.unwrap_err(), Code::ClaimMissing);
}

// ---- providers that follow RFC 9068 section 2.2: the subject of an application is its client id

#[tokio::test(start_paused = true)]
async fn a_subject_that_is_the_client_is_an_application() {
    let google = "1008719970978-hb24n2dstb40o45d4feuo2ukqmcc6381.apps.googleusercontent.com";
    let zitadel = provider::zitadel("https://acme-a1b2c3.zitadel.cloud", "344374183645413380");
    let rows: [(Result<Provider, _>, _, _, _); 6] = [
        (provider::okta("acme.okta.com", "default"), include_str!("okta.json"), "api://default", "cid"),
        (
            provider::logto("https://acme.logto.app"),
            include_str!("logto.json"),
            "https://orders.example.com",
            "client_id",
        ),
        (
            provider::workos_connect("acme.authkit.app"),
            include_str!("workos_connect.json"),
            "https://orders.example.com",
            "client_id",
        ),
        (Ok(provider::google()), include_str!("google.json"), google, "azp"),
        (zitadel, include_str!("zitadel.json"), "344374183645413380", "client_id"),
        (
            provider::cognito("eu-west-1_AbCdEfGhI"),
            include_str!("cognito.json"),
            "https://orders.example.com",
            "client_id",
        ),
    ];
    for (provider, file, audience, client) in rows {
        let provider = provider.unwrap();
        let algorithm = if provider.name() == "Logto" { Algorithm::Es384 } else { Algorithm::Rs256 };
        let scene = Scene::new(file, algorithm);
        let bound = || if provider.name() == "Cognito" { json!({"aud": audience}) } else { json!({}) };
        let subject = scene.file["tokens"]["accepted"]["claims"]["sub"].as_str().unwrap();
        let trusted = || scene.trusted(&provider, audience);
        assert_eq!(caller(trusted(), &accepted_with(&scene, &bound())).await, user(subject), "{provider:?}");
        let mut own = bound();
        own[client] = subject.into();
        assert_eq!(caller(trusted(), &accepted_with(&scene, &own)).await, application(subject), "{provider:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_entity_of_fusionauth_is_an_application_and_the_others_are_users() {
    let scene = Scene::rs256(include_str!("fusionauth.json"));
    let (base, issuer) = ("https://auth.example.com", "acme.com");
    let (users, entities) =
        (provider::fusionauth(base, issuer).unwrap(), provider::fusionauth_entity(base, issuer).unwrap());
    let target = "a647e989-1c7e-4386-9ec6-fa4fe6908906";
    let entity = caller(scene.trusted(&entities, target), &scene.token("entity", |_| {})).await;
    assert_eq!(entity, application("092dbded-30af-4149-9c61-b578f2c72f59"));
    let person = scene.trusted(&users, "e9fdb985-9173-4e01-9d73-ac2d60d1dc8e");
    assert_eq!(caller(person, &scene.accepted(|_| {})).await, user("00000000-0000-0000-0000-111111111111"));
}

#[tokio::test(start_paused = true)]
async fn a_service_token_of_cloudflare_has_no_subject_and_is_an_application() {
    let scene = Scene::rs256(include_str!("cloudflare.json"));
    let cloudflare = provider::cloudflare_access("acme").unwrap();
    let audience = "32eafc7626e974616deaf0dc3ce63d7bcbed58a2731e84d06bc3cdf1b53c4228";
    let trusted = || scene.trusted(&cloudflare, audience);
    let (client, person) = ("e367826f93b8d71185e03fe518aff3b4.access", "7335d417-61da-459d-899c-0a01c76a2f94");
    assert_eq!(caller(trusted(), &scene.token("service", |_| {})).await, application(client));
    assert_eq!(caller(trusted(), &scene.token("service", |claims| claims["sub"] = person.into())).await, user(person));
    let nameless = scene.token("service", |claims| drop(claims.as_object_mut().unwrap().remove("common_name")));
    assert_eq!(caller(trusted(), &nameless).await, Neither);
}

// ---- providers that mark no application: it has to be named

/// A preset, the claims of an application's token beside those that a user's has, and the mark that tells it.
type Named = (&'static str, Scene, Provider, Value, (&'static str, &'static str));

fn named() -> [Named; 5] {
    let account = "deployer@acme.iam.gserviceaccount.com";
    let machine = "8f3b2c1a-0000-4000-8000-a3b4c5d6e7f9";
    let client = "wXyZ0123456789abcdefghijklmnopqrstuvwxyz";
    [
        (
            "orders",
            Scene::rs256(include_str!("keycloak.json")),
            provider::keycloak("https://sso.example.com", "shop").unwrap(),
            json!({"sub": machine, "azp": "nightly", "preferred_username": "service-account-nightly"}),
            ("/azp", "nightly"),
        ),
        (
            "1008719970978-hb24n2dstb40o45d4feuo2ukqmcc6381.apps.googleusercontent.com",
            Scene::rs256(include_str!("google.json")),
            provider::google(),
            json!({"sub": "118363561738753879481", "azp": account, "email": account}),
            ("/azp", account),
        ),
        (
            "344374183645413380",
            Scene::rs256(include_str!("zitadel.json")),
            provider::zitadel("https://acme-a1b2c3.zitadel.cloud", "344374183645413380").unwrap(),
            json!({"sub": "345377791925026999", "client_id": "nightly"}),
            ("/client_id", "nightly"),
        ),
        (
            "/projects/123456789012/global/backendServices/1234567890123456789",
            Scene::new(include_str!("cloud_iap.json"), Algorithm::Es256),
            provider::cloud_iap(),
            json!({"sub": "accounts.google.com:118363561738753879481", "email": account}),
            ("/email", account),
        ),
        (
            client,
            Scene::rs256(include_str!("authentik.json")),
            provider::authentik("https://auth.example.com", "orders").unwrap(),
            json!({"sub": machine, "preferred_username": "ak-orders-client_credentials"}),
            ("/azp", client),
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn an_application_without_a_mark_is_told_once_it_was_named() {
    for (audience, scene, provider, claims, (pointer, value)) in named() {
        let token = accepted_with(&scene, &claims);
        let subject = claims["sub"].as_str().unwrap();
        let trusted = || scene.trusted(&provider, audience);
        assert_eq!(caller(trusted(), &token).await, user(subject), "{provider:?}");
        let marked = caller(trusted().application_if(pointer, value), &token).await;
        assert!(matches!(marked, Application(_)), "{provider:?}: {marked:?}");
        let person = caller(trusted().application_if(pointer, value), &scene.accepted(|_| {})).await;
        // an issuer of its own for machines: all its tokens
        assert_eq!(matches!(person, User(_)), provider.name() != "Authentik", "{provider:?}: {person:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_of_keycloak_who_chose_the_name_of_a_service_account_stays_a_user() {
    let scene = Scene::rs256(include_str!("keycloak.json"));
    let keycloak = provider::keycloak("https://sso.example.com", "shop").unwrap();
    let trusted = || scene.trusted(&keycloak, "orders").application_if("/azp", "nightly");
    let chosen = accepted_with(&scene, &json!({"preferred_username": "service-account-nightly"}));
    assert_eq!(caller(trusted(), &chosen).await, user("8f3b2c1a-4d5e-6f70-8192-a3b4c5d6e7f8"));
    let account = accepted_with(&scene, &json!({"preferred_username": "service-account-nightly", "azp": "nightly"}));
    assert_eq!(caller(trusted(), &account).await, application("nightly"));
}

// ---- providers all of whose tokens are those of users

#[tokio::test(start_paused = true)]
async fn an_anonymous_user_of_supabase_is_a_user() {
    let scene = Scene::new(include_str!("supabase.json"), Algorithm::Es256);
    let supabase = provider::supabase("abcdefghijklmnopqrst").unwrap();
    for is_anonymous in [true, false] {
        let token = accepted_with(&scene, &json!({"is_anonymous": is_anonymous}));
        let caller = caller(scene.trusted(&supabase, "authenticated"), &token).await;
        assert_eq!(caller, user("123e4567-e89b-12d3-a456-426614174000"), "{is_anonymous}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_of_clerk_has_no_session_and_is_refused() {
    let scene = Scene::rs256(include_str!("clerk.json"));
    let clerk = provider::clerk("clerk.example.com").unwrap();
    let trusted = || scene.trusted(&clerk, "https://orders.example.com");
    let session = accepted_with(&scene, &json!({"aud": "https://orders.example.com"}));
    assert_eq!(caller(trusted(), &session).await, user("user_123"));
    let machine = scene.accepted(|claims| {
        let lifetime = (claims["iat"].clone(), claims["exp"].clone());
        *claims = json!({"iss": "https://clerk.example.com", "sub": "mch_123", "jti": "mt_123"});
        (claims["iat"], claims["exp"], claims["aud"]) = (lifetime.0, lifetime.1, json!(["https://orders.example.com"]));
    });
    assert!(judge(trusted(), &machine).await.is_err());
}
