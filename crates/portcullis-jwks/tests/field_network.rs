//! Which hosts are asked for keys, and what they are shown: rows F54, F55 and T19 of the field table.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use http::{Request, Response};
use portcullis_jwks::{Fetch, FetchError, FetchErrorKind, RemoteKeys, RemoteKeysBuilder, provider};
use portcullis_test::MockIssuer;
use support::MINUTE;

/// An issuer whose metadata name this key set; it answers to any URL.
#[derive(Debug)]
struct LeadingTo {
    issuer: String,
    jwks_uri: String,
}

impl Fetch for LeadingTo {
    async fn fetch(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
        let is_metadata = request.uri().path().ends_with("/.well-known/openid-configuration");
        let metadata = format!(r#"{{"issuer":"{}","jwks_uri":"{}"}}"#, self.issuer, self.jwks_uri);
        Ok(Response::new(if is_metadata { metadata } else { MockIssuer::new().jwks() }.into_bytes()))
    }
}

/// Whether the keys of that issuer are taken from where its metadata lead.
async fn leads(
    issuer: &str,
    jwks_uri: &str,
    set: impl FnOnce(RemoteKeysBuilder) -> RemoteKeysBuilder,
) -> Result<(), FetchErrorKind> {
    let fetch = LeadingTo { issuer: issuer.to_owned(), jwks_uri: jwks_uri.to_owned() };
    let keys = set(RemoteKeys::discover(issuer).fetch(fetch)).start().unwrap();
    match keys.require(MINUTE / 60).await {
        Ok(()) => Ok(()),
        Err(_) => Err(keys.last_error().unwrap().kind()),
    }
}

fn problem(builder: RemoteKeysBuilder) -> String {
    let fetch = LeadingTo { issuer: String::new(), jwks_uri: String::new() };
    builder.fetch(fetch).start().unwrap_err().to_string()
}

const KEYCLOAK: &str = "http://keycloak:8080/realms/shop";

#[tokio::test(start_paused = true)]
async fn row_f54_http_is_allowed_for_the_host_that_is_named() {
    let keys = "http://keycloak:8080/realms/shop/protocol/openid-connect/certs";
    assert_eq!(leads(KEYCLOAK, keys, |builder| builder.danger_allow_http("keycloak:8080")).await, Ok(()));
    let elsewhere = "https://keys.example.com/shop";
    assert_eq!(leads(KEYCLOAK, elsewhere, |builder| builder.danger_allow_http("keycloak:8080")).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn row_f54_metadata_from_the_named_host_lead_to_no_other_unencrypted_one() {
    for jwks_uri in [
        "http://keycloak:8081/certs",
        "http://keycloak/certs",
        "http://other:8080/certs",
        "http://keycloak.example.com:8080/certs",
        "http://127.0.0.1:8080/certs",
        "http://localhost:8080/certs",
        "https://127.0.0.1/certs",
        "https://10.0.0.1/certs",
    ] {
        let outcome = leads(KEYCLOAK, jwks_uri, |builder| builder.danger_allow_http("keycloak:8080")).await;
        assert_eq!(outcome, Err(FetchErrorKind::NotAllowed), "{jwks_uri}");
    }
}

#[tokio::test]
async fn row_f54_http_is_refused_without_it_and_for_any_other_host() {
    for builder in [
        RemoteKeys::discover(KEYCLOAK),
        RemoteKeys::discover(KEYCLOAK).danger_allow_http("keycloak"),
        RemoteKeys::discover(KEYCLOAK).danger_allow_http("keycloak:8081"),
        RemoteKeys::discover(KEYCLOAK).danger_allow_http("realms:8080"),
        RemoteKeys::discover(KEYCLOAK).danger_allow_private("keycloak:8080"),
        RemoteKeys::from_url("http://keycloak:8080/jwks.json"),
        RemoteKeys::from_url("http://keycloak:8080/jwks.json").danger_allow_http("keycloak.example.com:8080"),
    ] {
        let problem = problem(builder);
        assert!(problem.contains("not encrypted") && problem.contains("danger_allow_http"), "{problem}");
    }
    let fetch = || LeadingTo { issuer: String::new(), jwks_uri: String::new() };
    let keys = RemoteKeys::from_url("http://keycloak:8080/jwks.json").danger_allow_http("keycloak:8080").fetch(fetch());
    assert!(keys.start().is_ok());
    let several =
        RemoteKeys::from_url("http://b/jwks.json").danger_allow_http("a").danger_allow_http("b").fetch(fetch());
    assert!(several.start().is_ok(), "each call allows one host more");
}

#[tokio::test]
async fn row_f54_what_is_named_is_a_host_and_its_port() {
    for host in ["http://keycloak:8080", "keycloak:8080/", "*", "*:8080", "", "keycloak:99999", "user@keycloak:8080"] {
        let problem = problem(RemoteKeys::discover("https://a.test").danger_allow_http(host));
        assert!(problem.contains("danger_allow_http: `"), "{host}: {problem}");
        let problem = self::problem(RemoteKeys::discover("https://a.test").danger_allow_private(host));
        assert!(problem.contains("danger_allow_private: `"), "{host}: {problem}");
    }
}

/// A preset by itself does not know what its keys may be asked over; that is said where they are.
#[tokio::test]
async fn row_f54_a_preset_can_be_told() {
    let keycloak = provider::keycloak("http://keycloak:8080", "shop").unwrap();
    assert_eq!(keycloak.issuer(), KEYCLOAK);
    assert!(problem(keycloak.keys()).contains("danger_allow_http"));
    let fetch = LeadingTo { issuer: String::new(), jwks_uri: String::new() };
    let keys = keycloak.keys().danger_allow_http("keycloak:8080").fetch(fetch).start().unwrap();
    let trusted = keycloak.trust_with("orders", keys);
    assert!(portcullis_core::JwtAuthenticator::<portcullis_core::verified::NoCustom>::new(trusted).is_ok());
}

const CLUSTER: &str = "https://kubernetes.default.svc.cluster.local";

#[tokio::test(start_paused = true)]
async fn row_f55_a_private_address_can_be_named() {
    let keys = "https://172.18.0.2:6443/openid/v1/jwks";
    assert_eq!(leads(CLUSTER, keys, |builder| builder.danger_allow_private("172.18.0.2:6443")).await, Ok(()));
    let six = "https://[fd00::2]:6443/openid/v1/jwks";
    assert_eq!(leads(CLUSTER, six, |builder| builder.danger_allow_private("[fd00::2]:6443")).await, Ok(()));
    let here = "https://localhost/openid/v1/jwks";
    assert_eq!(leads(CLUSTER, here, |builder| builder.danger_allow_private("localhost")).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn row_f55_no_other_address_is_allowed_with_it() {
    for jwks_uri in [
        "https://172.18.0.2/openid/v1/jwks",
        "https://172.18.0.2:6444/openid/v1/jwks",
        "https://172.18.0.3:6443/openid/v1/jwks",
        "https://[::ffff:172.18.0.2]:6443/openid/v1/jwks",
        "https://127.0.0.1:6443/openid/v1/jwks",
        "http://172.18.0.2:6443/openid/v1/jwks",
    ] {
        let outcome = leads(CLUSTER, jwks_uri, |builder| builder.danger_allow_private("172.18.0.2:6443")).await;
        assert_eq!(outcome, Err(FetchErrorKind::NotAllowed), "{jwks_uri}");
    }
}

/// Those of the row, and their siblings in the registries of special addresses.
const INSIDE: [&str; 42] = [
    "https://[2002:a00:1::]/k",
    "https://[2002:808:808::1]/k",
    "https://[fec0::1]/k",
    "https://0.0.0.0/k",
    "https://0.1.2.3/k",
    "https://224.0.0.1/k",
    "https://239.255.255.255/k",
    "https://198.18.0.1/k",
    "https://198.19.255.255/k",
    "https://localhost.localdomain/k",
    "https://ip6-localhost/k",
    "https://ip6-loopback/k",
    "https://localhost4.localdomain4/k",
    "https://LOCALHOST/k",
    "https://a.localhost/k",
    "https://localhost./k",
    "https://127.0.0.1/k",
    "https://127.255.255.254/k",
    "https://[::1]/k",
    "https://[::]/k",
    "https://[::127.0.0.1]/k",
    "https://[::ffff:127.0.0.1]/k",
    "https://[::ffff:a9fe:a9fe]/k",
    "https://[64:ff9b::10.0.0.1]/k",
    "https://[64:ff9b:1::a00:1]/k",
    "https://[2001::1]/k",
    "https://[2001:db8::1]/k",
    "https://[3fff::1]/k",
    "https://[100::1]/k",
    "https://[fe80::1]/k",
    "https://[fc00::1]/k",
    "https://[fdff::1]/k",
    "https://[ff02::1]/k",
    "https://10.0.0.1/k",
    "https://100.64.0.1/k",
    "https://169.254.169.254/k",
    "https://172.31.255.255/k",
    "https://192.0.0.8/k",
    "https://192.0.2.1/k",
    "https://192.168.0.1/k",
    "https://240.0.0.1/k",
    "https://255.255.255.255/k",
];

#[tokio::test(start_paused = true)]
async fn row_t19_a_key_set_is_not_fetched_from_inside_for_an_issuer_outside() {
    for jwks_uri in INSIDE {
        let outcome = leads("https://issuer.test", jwks_uri, |builder| builder).await;
        assert_eq!(outcome, Err(FetchErrorKind::NotAllowed), "{jwks_uri}");
    }
    for jwks_uri in [
        "https://1.1.1.1/k",
        "https://172.32.0.1/k",
        "https://198.20.0.1/k",
        "https://223.255.255.255/k",
        "https://[2606:4700::1111]/k",
        "https://[2003::1]/k",
        "https://[64:ff9b::1.1.1.1]/k",
        "https://localhost.example.com/k",
        "https://keys.test/k",
    ] {
        assert_eq!(leads("https://issuer.test", jwks_uri, |builder| builder).await, Ok(()), "{jwks_uri}");
    }
}

/// A client that has a credential for such a host would send it there.
#[tokio::test(start_paused = true)]
async fn row_t19_a_key_set_is_not_fetched_from_a_private_networks_name_for_an_issuer_outside() {
    for host in [
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
        "KUBERNETES.default.svc:443",
        "kubernetes",
        "metadata.google.internal",
        "vault.local:8200",
        "nas.home.arpa",
        "a.localdomain",
    ] {
        let jwks_uri = format!("https://{host}/openid/v1/jwks");
        for issuer in ["https://partner.example", "https://svc.partner.example"] {
            let outcome = leads(issuer, &jwks_uri, |builder| builder).await;
            assert_eq!(outcome, Err(FetchErrorKind::NotAllowed), "{issuer}: {jwks_uri}");
            assert_eq!(leads(issuer, &jwks_uri, |builder| builder.danger_allow_private(host)).await, Ok(()), "{host}");
        }
    }
    for jwks_uri in ["https://kubernetes.default.svc.partner.example/k", "https://internal.partner.example/k"] {
        assert_eq!(leads("https://partner.example", jwks_uri, |builder| builder).await, Ok(()), "{jwks_uri}");
    }
}

#[tokio::test(start_paused = true)]
async fn row_t19_an_issuer_with_a_private_networks_name_leads_to_such_names_and_outwards() {
    for issuer in ["https://kubernetes.default.svc", CLUSTER, "https://keycloak:8443/realms/shop"] {
        for jwks_uri in [
            "https://kubernetes.default.svc/openid/v1/jwks",
            "https://kubernetes.default.svc.cluster.local/openid/v1/jwks",
            "https://keycloak:8443/realms/shop/protocol/openid-connect/certs",
            "https://keys.example.com/k",
        ] {
            assert_eq!(leads(issuer, jwks_uri, |builder| builder).await, Ok(()), "{issuer}: {jwks_uri}");
        }
        for jwks_uri in ["https://10.0.0.1/k", "https://localhost/k", "https://169.254.169.254/k"] {
            let outcome = leads(issuer, jwks_uri, |builder| builder).await;
            assert_eq!(outcome, Err(FetchErrorKind::NotAllowed), "{issuer}: {jwks_uri}");
        }
    }
}

/// An issuer may lead to where it is itself, and outwards.
#[tokio::test(start_paused = true)]
async fn row_t19_an_issuer_in_a_private_network_leads_into_it_and_not_to_this_machine() {
    for jwks_uri in ["https://10.0.0.1/k", "https://10.9.9.9/k", "https://keys.test/k"] {
        assert_eq!(leads("https://10.0.0.1", jwks_uri, |builder| builder).await, Ok(()), "{jwks_uri}");
    }
    for jwks_uri in ["https://127.0.0.1/k", "http://127.0.0.1/k", "https://localhost/k", "https://[::1]/k"] {
        let outcome = leads("https://10.0.0.1", jwks_uri, |builder| builder).await;
        assert_eq!(outcome, Err(FetchErrorKind::NotAllowed), "{jwks_uri}");
        assert_eq!(leads("http://127.0.0.1:8080", jwks_uri, |builder| builder).await, Ok(()), "{jwks_uri}");
    }
}

#[tokio::test(start_paused = true)]
async fn row_t19_a_port_is_a_port() {
    for port in ["99999", "65536", "0", "", "443443", "-1"] {
        let url = format!("https://issuer.test:{port}/k");
        assert!(!problem(RemoteKeys::discover(&url)).is_empty(), "{url}");
        assert!(!problem(RemoteKeys::from_url(&url)).is_empty(), "{url}");
        assert_eq!(
            leads("https://issuer.test", &url, |builder| builder).await,
            Err(FetchErrorKind::NotAllowed),
            "{url}"
        );
    }
    assert!(problem(RemoteKeys::discover("https://issuer.test:99999")).contains("port"));
    for port in ["1", "443", "8443", "65535"] {
        let url = format!("https://issuer.test:{port}/k");
        assert_eq!(leads(&url, &url, |builder| builder).await, Ok(()), "{url}");
    }
}

#[tokio::test]
async fn row_x_discovery_is_given_an_issuer() {
    for (given, expected) in [
        ("https://a.test/.well-known/openid-configuration", "`https://a.test`"),
        ("https://a.test/realms/shop/.well-known/openid-configuration", "`https://a.test/realms/shop`"),
        ("https://a.test/realms/shop/.well-known/openid-configuration/", "`https://a.test/realms/shop`"),
        ("https://a.test/.well-known/openid-configuration?p=1", "`https://a.test`"),
        ("https://a.test/.well-known/oauth-authorization-server/b", "`https://a.test/b`"),
        ("https://a.test/.well-known/jwks.json", "from_url"),
        ("https://a.test/realms/shop/protocol/openid-connect/certs", "from_url"),
        ("https://a.test/TENANT/discovery/v2.0/keys", "from_url"),
    ] {
        let problem = problem(RemoteKeys::discover(given));
        assert!(problem.contains(expected), "{given}: {problem}");
        #[cfg(feature = "reqwest")]
        assert!(portcullis_jwks::oidc(given).unwrap_err().to_string().contains(expected), "{given}");
    }
    let twins = ["https://a.test", "https://a.test/realms/shop", "https://a.test/keys", "https://a.test/.well-known"];
    for given in twins {
        assert_eq!(leads(given, "https://a.test/k", |builder| builder).await, Ok(()), "{given}");
    }
}

#[tokio::test]
async fn row_x_a_key_sets_url_is_no_metadata() {
    let problem = problem(RemoteKeys::from_url("https://a.test/b/.well-known/openid-configuration"));
    assert!(problem.contains("RemoteKeys::discover(\"https://a.test/b\")"), "{problem}");
    let fetch = LeadingTo { issuer: String::new(), jwks_uri: String::new() };
    assert!(RemoteKeys::from_url("https://a.test/.well-known/jwks.json").fetch(fetch).start().is_ok());
}

/// Duende `IdentityServer`, and `IdentityServer4` before it, have their key set below their metadata.
#[tokio::test(start_paused = true)]
async fn row_x_a_key_set_below_the_metadata_is_a_key_set() {
    let (metadata, below) = ("https://id.example.com/.well-known/openid-configuration", "/jwks");
    let start = |url: String| {
        let fetch = LeadingTo { issuer: String::new(), jwks_uri: String::new() };
        RemoteKeys::from_url(url).fetch(fetch).start()
    };
    let keys = start(format!("{metadata}{below}")).unwrap();
    keys.require(MINUTE / 60).await.unwrap();
    for twin in ["", "/", "?p=1"] {
        let problem = start(format!("{metadata}{twin}")).unwrap_err().to_string();
        assert!(problem.contains("RemoteKeys::discover(\"https://id.example.com\")"), "{twin}: {problem}");
    }
    let problem = problem(RemoteKeys::discover(format!("{metadata}{below}")));
    assert!(problem.contains("from_url"), "{problem}");
    assert_eq!(leads("https://id.example.com", &format!("{metadata}{below}"), |builder| builder).await, Ok(()));
    let inserted = "https://id.example.com/.well-known/oauth-authorization-server";
    assert!(start(format!("{inserted}/jwks")).is_err(), "there an issuer's path follows");
    assert!(start(format!("{inserted}s")).is_ok(), "which begins with a slash");
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table, a wrong and a right argument in each row")]
fn row_x_a_preset_is_given_what_it_asks_for_and_not_an_issuer() {
    let tenant = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490";
    for (wrong, right, give) in [
        (
            provider::keycloak("https://sso.example.com/realms/shop", "shop"),
            provider::keycloak("https://sso.example.com/auth/", "shop"),
            "`/realms` and what follows",
        ),
        (
            provider::keycloak("https://sso.example.com/realms", "shop"),
            provider::keycloak("https://realms.example.com", "shop"),
            "`/realms` and what follows",
        ),
        (
            provider::keycloak("https://sso.example.com/.well-known/openid-configuration", "shop"),
            provider::keycloak("https://sso.example.com", "shop"),
            "the URL of a document",
        ),
        (
            provider::keycloak("https://sso.example.com", "https://sso.example.com/realms/shop"),
            provider::keycloak("https://sso.example.com", "shop"),
            "the realm's name",
        ),
        (
            provider::auth0("https://tenant.eu.auth0.com/.well-known/openid-configuration"),
            provider::auth0("tenant.eu.auth0.com"),
            "leave out the scheme",
        ),
        (
            provider::entra(&format!("https://login.microsoftonline.com/{tenant}/v2.0")),
            provider::entra(tenant),
            "the id in it will do",
        ),
        (
            provider::entra_v1(&format!("https://sts.windows.net/{tenant}/")),
            provider::entra_v1(tenant),
            "the id in it will do",
        ),
        (
            provider::cognito("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI"),
            provider::cognito("eu-west-1_AbCdEfGhI"),
            "the user pool's id",
        ),
        (
            provider::okta("acme.okta.com/oauth2/default", "default"),
            provider::okta("acme.okta.com", "default"),
            "domain alone",
        ),
        (
            provider::okta("acme-admin.okta.com", "default"),
            provider::okta("admin-acme.okta.com", "default"),
            "admin console",
        ),
        (
            provider::okta("acme.okta.com", "https://acme.okta.com/oauth2/default"),
            provider::okta("acme.okta.com", "aus9o8wzkhckw9TLa0h7z"),
            "the authorization server's id",
        ),
        (
            provider::zitadel("https://acme.zitadel.cloud/oauth/v2", "1"),
            provider::zitadel("https://acme.zitadel.cloud/", "1"),
            "has a path",
        ),
        (
            provider::supabase("https://abcdefghijklmnopqrst.supabase.co/auth/v1"),
            provider::supabase("abcdefghijklmnopqrst"),
            "reference alone",
        ),
        (
            provider::google_workspace("https://example.com"),
            provider::google_workspace("example.com"),
            "leave out the scheme",
        ),
    ] {
        let error = wrong.unwrap_err().to_string();
        assert!(error.contains(give) && error.contains("as in `"), "{error}");
        assert!(right.is_ok(), "the twin: {right:?}");
    }
}
