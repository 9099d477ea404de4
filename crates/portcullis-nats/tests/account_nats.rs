//! A real nats-server as a source of accounts.
#![cfg(feature = "nats")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

#[path = "support/nats_kit.rs"]
mod nats_kit;

use std::time::Duration;

use portcullis_nats::{
    accounts::{AccountResolver as _, AccountUpdates, NatsAccounts},
    nkey::{AccountKey, Role},
};
use tokio::time::timeout;

use nats_kit::{Kit, generate};

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
