//! What cannot be built.

use portcullis_nats::{TrustChain, accounts::MemoryAccounts, chain::Policy, proof::ProofVerifier};

use crate::{
    Service, code, secs,
    world::{ORIGIN, World, id, key},
};

#[test]
fn a_chain_needs_an_operator_a_proof_and_a_place_of_accounts() {
    let world = World::new();
    let proofs = || ProofVerifier::new(ORIGIN).unwrap();
    let operator = world.operator_key();
    let built = |chain: Result<TrustChain<MemoryAccounts>, portcullis_core::ConfigError>| {
        chain.map(drop).map_err(|error| error.to_string())
    };
    let with = || TrustChain::builder().resolver(MemoryAccounts::new());
    assert!(built(with().operator_key(operator).proofs(proofs()).tenant_per_account().build()).is_ok());
    let error = built(with().proofs(proofs()).tenant_per_account().build()).unwrap_err();
    assert!(error.contains("operator"), "{error}");
    let error = built(with().operator_key(operator).tenant_per_account().build()).unwrap_err();
    assert!(error.contains("proofs"), "{error}");
    let bearer = Policy::new().danger_bearer_tokens();
    assert!(built(with().operator_key(operator).policy(bearer).tenant_per_account().build()).is_ok());
    let error = TrustChain::builder().operator_key(operator).proofs(proofs()).tenant_per_account().build().unwrap_err();
    assert!(error.to_string().contains("resolver"), "{error}");
    assert!(
        TrustChain::builder()
            .operator_key(operator)
            .proofs(proofs())
            .stapled(secs(60))
            .tenant_per_account()
            .build()
            .is_ok()
    );
}

#[test]
fn an_origin_has_no_path() {
    for good in ["https://api.example.com", "https://api.example.com:8443", "http://127.0.0.1:8080", "http://[::1]:443"]
    {
        assert!(ProofVerifier::new(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "api.example.com",
        "https://",
        "https://api.example.com/",
        "https://API.example.com",
        "https://a b",
        "ftp://a",
        "https://a:443",
        "http://127.0.0.1:80",
        "https://u@a",
    ] {
        assert!(ProofVerifier::new(bad).is_err(), "{bad}");
    }
}

#[tokio::test]
async fn only_accounts_that_are_named_are_let_in() {
    let service = Service::new();
    let chain = |account| {
        TrustChain::builder()
            .operator_key(service.world.operator_key())
            .resolver(service.accounts.clone())
            .policy(Policy::new().danger_bearer_tokens())
            .accounts([account])
            .build()
            .unwrap()
    };
    let claims = crate::world::merged(crate::world::usual(), serde_json::json!({"bearer_token": true}));
    let token = service.world.user_token(claims);
    let clock = || portcullis_test::FixedClock::at(service.now());
    let good = portcullis_core::Admission::new(chain(service.world.account_id())).clock(clock());
    assert!(good.verify(&token).outcome().await.is_ok());
    let other = portcullis_core::Admission::new(chain(id(&key(portcullis_nats::nkey::Role::Account)))).clock(clock());
    assert_eq!(code(other.verify(&token).outcome().await), portcullis_core::Code::IssuerNotTrusted);
}

#[test]
fn debug_output_shows_no_secret() {
    let service = Service::new();
    let shown = format!("{:?} {:?}", service.chain, service.world);
    for secret in [&service.world.operator, &service.world.account, &service.world.user] {
        assert!(!shown.contains(secret.seed().reveal()));
    }
}

#[test]
fn staples_stay_accepted_when_the_cache_is_set_later() {
    let builder = || {
        TrustChain::builder()
            .operator_key(World::new().operator_key())
            .proofs(ProofVerifier::new(ORIGIN).unwrap())
            .stapled(secs(60))
    };
    let cache = portcullis_nats::accounts::AccountCache::new().max_accounts(5);
    assert!(builder().cache(cache).tenant_per_account().build().is_ok());
    let error = builder().accounts([]).build().unwrap_err();
    assert!(error.to_string().contains("no account"), "{error}");
}
