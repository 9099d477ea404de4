//! The two ways in which tests get tokens from the provider.

use http::StatusCode;

use super::{
    browser::{Answer, Browser, form},
    provider::Provider,
};

/// The verifier of RFC 7636 appendix B, and its S256 challenge. A constant is no secret, and needs to be none here.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Login, consent, and the ways to and from them.
const MOST_REDIRECTIONS: usize = 8;

/// What the code flow ends with.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) id: String,
}

/// An access token for a machine, by `client_credentials`.
pub(crate) async fn client_credentials(provider: &Provider, client: &str, resource: &str, scope: &str) -> String {
    let fields = [("grant_type", "client_credentials"), ("resource", resource), ("scope", scope)];
    let answer = ask_for_tokens(provider, client, &fields).await;
    member(&answer, "access_token")
}

/// Alice logs in with a browser, and the client `web` gets tokens for her. Without a resource the access token is for
/// the provider's own use.
pub(crate) async fn authorization_code(provider: &Provider, resource: Option<&str>, scope: &str) -> Tokens {
    let code = code(provider, resource, scope).await;
    redeem(provider, &code, resource).await
}

/// The code that the browser brings back after the login.
pub(crate) async fn code(provider: &Provider, resource: Option<&str>, scope: &str) -> String {
    let mut fields = vec![
        ("client_id", "web"),
        ("response_type", "code"),
        ("redirect_uri", provider.redirect_uri()),
        ("scope", scope),
        ("state", "kept"),
        ("login_hint", "alice"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    fields.extend(resource.map(|resource| ("resource", resource)));
    let mut url = format!("{}/auth?{}", provider.issuer(), form(&fields));
    let mut browser = Browser::default();
    for _ in 0..MOST_REDIRECTIONS {
        let location = browser.get(&url).await.location().to_owned();
        if location.starts_with(provider.redirect_uri()) {
            assert_eq!(parameter(&location, "state"), Some("kept"), "{location}");
            return parameter(&location, "code").unwrap_or_else(|| panic!("no code: {location}")).to_owned();
        }
        url = if location.starts_with('/') { format!("{}{location}", provider.issuer()) } else { location };
    }
    panic!("sent from place to place, last to {url}")
}

/// Exchanges a code for tokens.
pub(crate) async fn redeem(provider: &Provider, code: &str, resource: Option<&str>) -> Tokens {
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", provider.redirect_uri()),
        ("code_verifier", VERIFIER),
    ];
    fields.extend(resource.map(|resource| ("resource", resource)));
    let answer = ask_for_tokens(provider, "web", &fields).await;
    Tokens { access: member(&answer, "access_token"), id: member(&answer, "id_token") }
}

async fn ask_for_tokens(provider: &Provider, client: &str, fields: &[(&str, &str)]) -> Answer {
    let url = format!("{}/token", provider.issuer());
    let answer = Browser::default().post_as((client, provider.secret(client)), &url, fields).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer
}

fn member(answer: &Answer, name: &str) -> String {
    answer.json()[name].as_str().unwrap_or_else(|| panic!("no {name}: {answer:?}")).to_owned()
}

fn parameter<'u>(url: &'u str, name: &str) -> Option<&'u str> {
    let (_, query) = url.split_once('?')?;
    query.split('&').filter_map(|pair| pair.split_once('=')).find(|(found, _)| *found == name).map(|(_, value)| value)
}
