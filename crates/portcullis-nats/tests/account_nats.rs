//! A real nats-server as a source of accounts.
#![cfg(feature = "nats")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

#[path = "support/nats_kit.rs"]
mod nats_kit;

use std::{sync::Arc, time::Duration};

use portcullis_core::{Admission, Clock, Code, UnixTime, Verified, authenticator::Presented};
use portcullis_nats::{
    TrustChain,
    accounts::{AccountResolver as _, AccountUpdates, NatsAccounts},
    chain::Policy,
    nkey::{AccountKey, OperatorKey, Role},
};
use portcullis_test::FixedClock;
use tokio::time::timeout;

use nats_kit::{Cluster, Kit, bearer, generate};

fn id() -> AccountKey {
    AccountKey::try_from(*generate(Role::Account).public_key()).unwrap()
}

#[tokio::test]
async fn credentials_that_are_not_good_are_an_error_without_the_seed() {
    let Some(kit) = Kit::start() else { return };
    let other = Kit::start().unwrap();
    let accounts = NatsAccounts::new(&kit.server.url()).unwrap().creds(other.creds());
    let error = accounts.fetch(&id()).await.unwrap_err();
    let text = format!("{error:?} {error} {accounts:?}");
    assert!(!text.contains("SU"), "{text}");
    assert!(kit.accounts().fetch(&id()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_creds_file_is_read_at_each_connect() {
    let Some(kit) = Kit::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("system.creds");
    let accounts = NatsAccounts::new(&kit.server.url()).unwrap().creds_file(&file);
    assert!(accounts.fetch(&id()).await.unwrap_err().to_string().contains("system.creds"));
    std::fs::write(&file, kit.creds()).unwrap();
    assert!(accounts.fetch(&id()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_server_without_a_full_resolver_is_a_fault() {
    let Some(program) = real_servers::NatsProgram::recent() else { return };
    let server = program.start();
    let accounts = NatsAccounts::new(&server.url()).unwrap();
    let error = timeout(Duration::from_secs(30), accounts.fetch(&id())).await.unwrap().unwrap_err();
    assert!(error.to_string().contains("system account"), "{error}");
}

#[tokio::test]
async fn what_is_pushed_to_the_servers_is_seen() {
    let Some(mut kit) = Kit::start() else { return };
    let (updates, mut arrived) = AccountUpdates::channel();
    let accounts = kit.accounts();
    let mut following = tokio::task::JoinSet::new();
    following.spawn(async move { accounts.follow(updates).await });
    for issued_at in [1_800_000_000, 1_800_000_001] {
        let token = kit.account(&id(), issued_at);
        let mut tries = 0..60;
        loop {
            // It may not listen yet.
            kit.push(&token).await;
            if timeout(Duration::from_millis(500), arrived.next()).await.is_ok_and(|seen| seen.as_ref() == Some(&token))
            {
                break;
            }
            assert!(tries.next().is_some(), "it is not seen");
        }
        // After an interruption it listens again.
        kit.server.restart();
    }
}

/// Rule Q6: a server that has deleted an account says that there is none, and what was kept here ends with the next look-up.
#[tokio::test]
async fn a_deleted_account_is_refused_once_it_is_looked_up_again() {
    let Some(kit) = Kit::start() else { return };
    let [deleted, other] = [generate(Role::Account), generate(Role::Account)];
    let ids = [&deleted, &other].map(|pair| AccountKey::try_from(*pair.public_key()).unwrap());
    for id in &ids {
        kit.push(&kit.account(id, 1_800_000_000)).await;
    }
    let clock = FixedClock::at(UnixTime::from_secs(1_800_000_000));
    let admission = Admission::new(chain(&kit, kit.accounts())).clock(clock.clone());
    let users = [&deleted, &other].map(bearer);
    let admit = async |user: &str| {
        let admitted: Result<Verified, _> = admission.admit(Presented::bearer(user.as_bytes())).outcome().await;
        admitted.map(drop).map_err(|error| error.code())
    };
    assert_eq!([admit(&users[0]).await, admit(&users[1]).await], [Ok(()); 2]);
    kit.delete(&ids[0]).await;
    assert_eq!(admit(&users[0]).await, Ok(()), "deletes are not followed");
    clock.advance(Duration::from_secs(60));
    assert_eq!([admit(&users[0]).await, admit(&users[1]).await], [Err(Code::IssuerNotTrusted), Ok(())]);
}

#[tokio::test]
async fn a_tls_server_needs_a_certificate_from_a_configured_authority() {
    let Some(kit) = Kit::start_with_tls() else { return };
    let other = Kit::start_with_tls().unwrap();
    let id = kit.system();
    let accounts = || NatsAccounts::new(&format!("tls://localhost:{}", kit.server.port())).unwrap().creds(kit.creds());
    let trusting = |authority: &[u8]| accounts().root_certificates(authority).unwrap();
    let token = trusting(&kit.server.authority()).fetch(&id).await.unwrap();
    assert!(token.is_some());
    let clock: Arc<dyn Clock> = Arc::new(FixedClock::at(UnixTime::from_secs(1_800_000_000)));
    let refresh = async |accounts| chain(&kit, accounts).refresh(&id, &clock).await.map_err(|error| error.code());
    assert_eq!(refresh(trusting(&kit.server.authority())).await, Ok(()));
    // It could not be decided, which is no refusal.
    for untrusting in [trusting(&other.server.authority()), accounts(), kit.accounts()] {
        assert_eq!(refresh(untrusting).await, Err(Code::IssuerUnavailable));
    }
}

#[tokio::test]
async fn an_account_that_another_server_of_the_cluster_has_is_found() {
    let Some(cluster) = Cluster::start() else { return };
    let accounts = NatsAccounts::new(&cluster.second.url()).unwrap().creds(cluster.kit.creds());
    let mut tries = 0..100;
    // The servers may not be connected yet.
    while accounts.fetch(&cluster.account).await.unwrap().is_none() {
        assert!(tries.next().is_some(), "it is not found");
    }
    for _ in 0..20 {
        // The server that does not have it answers first.
        assert!(accounts.fetch(&cluster.account).await.unwrap().is_some());
    }
    assert!(accounts.fetch(&id()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_server_that_ends_is_replaced_by_another_one() {
    let Some(mut cluster) = Cluster::start() else { return };
    let id = cluster.kit.system();
    let urls = format!("{},{}", cluster.kit.server.url(), cluster.second.url());
    let accounts = NatsAccounts::new(&urls).unwrap().creds(cluster.kit.creds());
    let found = async || {
        let mut tries = 0..20;
        loop {
            match accounts.fetch(&id).await {
                Ok(account) => return account.is_some(),
                // The end of the connection may be noticed by a look-up.
                Err(error) => assert!(tries.next().is_some(), "{error}"),
            }
        }
    };
    assert!(found().await);
    cluster.second.kill();
    assert!(found().await);
    // Now it asks the first one, whichever it asked before.
    cluster.second.restart();
    cluster.kit.server.kill();
    assert!(found().await);
}

fn chain(kit: &Kit, accounts: NatsAccounts) -> TrustChain<NatsAccounts> {
    let operator = OperatorKey::try_from(*kit.operator.public_key()).unwrap();
    let builder = TrustChain::builder().operator_key(operator).resolver(accounts);
    builder.policy(Policy::new().danger_bearer_tokens()).tenant_per_account().build().unwrap()
}
