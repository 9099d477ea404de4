//! Arguments of presets that cannot be right are refused at start, with what to write instead.

use portcullis_core::ConfigError;
use portcullis_jwks::{
    Fetch, FetchError,
    provider::{self, Provider},
};

type Outcome = Result<Provider, ConfigError>;
type Preset = fn(&str) -> Outcome;

/// Presets that take a URL, with the path that each adds to it.
const BY_URL: [(&str, Preset, &str); 7] = [
    ("https://sso.example.com", |base| provider::keycloak(base, "shop"), "/realms/shop"),
    ("https://auth.example.com", |base| provider::authentik(base, "orders"), "/application/o/orders/"),
    ("https://acme.logto.app", provider::logto, "/oidc"),
    ("https://auth.example.com", |base| provider::fusionauth(base, "acme.com"), "/oauth2/authorize"),
    ("https://gitlab.example.com", |base| provider::gitlab_ci(base, "my-group/my-project"), "/oauth/authorize"),
    ("https://acme.zitadel.cloud", |base| provider::zitadel(base, "344374183645413380"), "/ui/console"),
    (
        "https://github.example.com/_services/token",
        |issuer| provider::github_actions_at(issuer, "a/b"),
        "/.well-known/jwks",
    ),
];

/// Presets that take a domain.
const BY_DOMAIN: [(&str, Preset); 5] = [
    ("clerk.example.com", provider::clerk),
    ("acme.authkit.app", provider::workos_connect),
    ("tenant.eu.auth0.com", provider::auth0),
    ("acme.okta.com", |domain| provider::okta(domain, "default")),
    ("example.com", provider::google_workspace),
];

/// Presets that take a name of another form.
const BY_NAME: [(&str, Preset); 18] = [
    ("client_01JB4QTYNHG2DWN4M1PRMVGP6Y", provider::workos),
    ("client_01JB4QTYNHG2DWN4M1PRMVGP6Y", provider::workos_legacy),
    ("8eaef023-2b34-4da1-9baa-8bc8c9d6a490", provider::entra),
    ("8eaef023-2b34-4da1-9baa-8bc8c9d6a490", provider::entra_v1),
    ("shop", |realm| provider::keycloak("https://sso.example.com", realm)),
    ("eu-west-1_AbCdEfGhI", provider::cognito),
    ("default", |server| provider::okta("acme.okta.com", server)),
    ("abcdefghijklmnopqrst", provider::supabase),
    ("344374183645413380", |project| provider::zitadel("https://acme.zitadel.cloud", project)),
    ("orders", |slug| provider::authentik("https://auth.example.com", slug)),
    ("acme.com", |issuer| provider::fusionauth("https://auth.example.com", issuer)),
    ("octo-org/octo-repo", provider::github_actions),
    ("octo-org", provider::github_actions_of_owner),
    ("my-group/my-project", |project| provider::gitlab_ci("https://gitlab.com", project)),
    ("my-group/my-subgroup", |group| provider::gitlab_ci_of_namespace("https://gitlab.com", group)),
    ("acme", provider::cloudflare_access),
    ("shop", |namespace| provider::kubernetes("https://kubernetes.default.svc", namespace)),
    ("orders", |account| provider::kubernetes_service_account("https://kubernetes.default.svc", "shop", account)),
];

fn refusal(outcome: Outcome) -> String {
    outcome.unwrap_err().to_string()
}

#[test]
fn row_x_white_space_in_any_argument_is_refused_and_shown() {
    let by_url = BY_URL.iter().map(|(good, preset, _)| (*good, *preset));
    for (good, preset) in by_url.chain(BY_DOMAIN).chain(BY_NAME) {
        assert!(preset(good).is_ok(), "{good}");
        for (hidden, shown) in
            [(" ", " "), ("\n", "\\n"), ("\t", "\\t"), ("\u{a0}", "\\u{a0}"), ("\u{feff}", "\\u{feff}")]
        {
            for text in [format!("{good}{hidden}"), format!("{hidden}{good}")] {
                let refusal = refusal(preset(&text));
                assert!(refusal.contains(shown), "{text:?}: {refusal}");
                assert!(!refusal.contains('\n'), "{text:?}: {refusal}");
            }
        }
        assert!(preset("").is_err(), "{good}");
    }
}

#[test]
fn row_x_a_url_that_goes_too_far_or_is_written_twice_is_refused() {
    for (good, preset, path) in BY_URL {
        assert!(preset(good).is_ok() && preset(&format!("{good}/")).is_ok(), "{good}");
        let host = good.trim_start_matches("https://");
        for other in [
            format!("{good}{path}"),
            format!("https://{good}"),
            format!("https://https://{host}"),
            format!("{good}//"),
            format!("{good}?a=b"),
            format!("{good}#a"),
            format!("{good}/.well-known/openid-configuration"),
            format!("https://{}", host.to_uppercase()),
            format!("https://user@{host}"),
            host.to_owned(),
        ] {
            assert!(refusal(preset(&other)).contains("as in `https://"), "{other}");
        }
    }
    assert!(refusal(provider::gitlab_ci("https://gitlab.com/my-group", "a/b")).contains("has a path"));
}

#[test]
fn row_x_a_domain_with_more_in_it_is_refused() {
    for (good, preset) in BY_DOMAIN {
        for other in ["https://{}", "{}/", "{}/oauth2/default", "{}:443", "https://https://{}", "user@{}", "{}?a"] {
            let refusal = refusal(preset(&other.replace("{}", good)));
            assert!(refusal.contains(good), "{refusal}");
        }
        assert_eq!(
            preset(&good.to_uppercase()).unwrap().issuer(),
            preset(good).unwrap().issuer(),
            "hosts have no case"
        );
    }
    assert!(refusal(provider::okta("acme-admin.okta.com", "default")).contains("leave out `-admin`"));
    assert!(refusal(provider::auth0("manage.auth0.com")).contains("the dashboard"));
}

#[test]
fn row_x_an_issuer_where_a_name_is_expected_is_refused() {
    for (good, preset) in BY_NAME {
        if good == "acme.com" {
            continue; // the issuer of a FusionAuth tenant may be any text, a URL as well
        }
        for other in [format!("https://login.example.com/{good}"), format!("https://{good}"), format!("{good}?a=b")] {
            assert!(preset(&other).is_err(), "{other}");
        }
    }
}

#[test]
fn row_x_a_name_that_stands_for_many_tenants_is_refused_with_what_to_write() {
    for entra in [provider::entra, provider::entra_v1] {
        for name in ["common", "organizations", "Common"] {
            assert!(refusal(entra(name)).contains("give the id of one tenant"), "{name}");
        }
        assert!(refusal(entra("consumers")).contains("9188040d-6c67-4c5b-b112-36a304b66dad"));
    }
    for pattern in ["octo-org/*", "*/*", "*"] {
        assert!(refusal(provider::github_actions(pattern)).contains("is a pattern"), "{pattern}");
        assert!(refusal(provider::gitlab_ci("https://gitlab.com", pattern)).contains("is a pattern"), "{pattern}");
    }
}

#[test]
fn row_x_a_part_of_a_path_is_no_path_of_a_project() {
    for other in
        ["octo-repo", "octo-org/", "/octo-repo", "octo-org//octo-repo", "a/b/c", "octo-org/octo-repo.git", "../b"]
    {
        assert!(refusal(provider::github_actions(other)).contains("`octo-org/octo-repo`"), "{other}");
    }
    for other in ["octo-org/octo-repo", "octo-org/", "@octo-org", "repo:octo-org"] {
        assert!(refusal(provider::github_actions_of_owner(other)).contains("`octo-org`"), "{other}");
    }
    for other in ["my-project", "my-group/", "/my-group/my-project", "my-group//my-project", "my group/my-project"] {
        assert!(provider::gitlab_ci("https://gitlab.com", other).is_err(), "{other}");
    }
    assert!(provider::gitlab_ci("https://gitlab.com", "a/b/c/my-project").is_ok());
    assert!(refusal(provider::kubernetes("https://kubernetes.default.svc", "Shop")).contains("capital letters"));
    assert!(refusal(provider::kubernetes("kubernetes/serviceaccount", "shop")).contains("the cluster's issuer"));
    for other in ["acme.cloudflareaccess.com", "https://acme.cloudflareaccess.com", "acme_", "-acme", "ac me"] {
        assert!(refusal(provider::cloudflare_access(other)).contains("the team's name alone"), "{other}");
    }
}

#[tokio::test]
async fn row_f54_a_preset_over_http_is_refused_at_start_unless_its_host_was_named() {
    let keycloak = provider::keycloak("http://keycloak:8080", "shop").unwrap();
    let refused = keycloak.keys().fetch(Nothing).start().unwrap_err().to_string();
    assert!(refused.contains("http://keycloak:8080/realms/shop") && refused.contains("danger_allow_http"), "{refused}");
    assert!(keycloak.keys().danger_allow_http("keycloak:8080").fetch(Nothing).start().is_ok());
    assert!(keycloak.keys().danger_allow_http("keycloak:8081").fetch(Nothing).start().is_err());
}

/// A network that never answers.
#[derive(Debug)]
struct Nothing;

impl Fetch for Nothing {
    async fn fetch(&self, _: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, FetchError> {
        std::future::pending().await
    }
}
