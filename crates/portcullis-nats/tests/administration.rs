//! Server configurations, files, what `nsc` keeps, and showing tokens.
#![cfg(feature = "mint")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::{fs, path::Path};

use portcullis_core::UnixTime;
use portcullis_nats::{
    claims::{Account, Operator},
    creds::{Creds, CredsErrorKind},
    files::Existing,
    inspect::{Inspected, inspect},
    mint::{Mint, Minted},
    nkey::{AccountKey, KeyPair, NkeyErrorKind, OperatorKey, Role, UserKey},
    nsc::Nsc,
    server_config::ServerConfig,
    token::TokenErrorKind,
};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

fn pair(role: Role) -> KeyPair {
    KeyPair::generate(role).unwrap()
}

fn account_key(pair: &KeyPair) -> AccountKey {
    AccountKey::try_from(*pair.public_key()).unwrap()
}

struct World {
    operator: KeyPair,
    operator_token: Minted<Operator>,
    system: KeyPair,
    system_token: Minted<Account>,
    account: KeyPair,
    account_token: Minted<Account>,
    creds: Creds,
}

async fn world() -> World {
    let (operator, system, account, user) =
        (pair(Role::Operator), pair(Role::Account), pair(Role::Account), pair(Role::User));
    let mut claims = Operator::default();
    claims.system_account = Some(account_key(&system));
    let operator_token = Mint::operator(OperatorKey::try_from(*operator.public_key()).unwrap(), "acme", claims);
    let user_token =
        Mint::user(UserKey::try_from(*user.public_key()).unwrap(), "alice").sign(&account, NOW).await.unwrap();
    World {
        operator_token: operator_token.sign(&operator, NOW).await.unwrap(),
        system_token: Mint::account(account_key(&system), "SYS", Account::default())
            .sign(&operator, NOW)
            .await
            .unwrap(),
        account_token: Mint::account(account_key(&account), "orders", Account::default())
            .sign(&operator, NOW)
            .await
            .unwrap(),
        creds: Creds::new(user_token.into_string(), user).unwrap(),
        operator,
        system,
        account,
    }
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_configuration_has_the_operator_and_all_accounts() {
    let world = world().await;
    let config =
        ServerConfig::new(world.operator_token.as_str()).unwrap().account(world.account_token.as_str(), NOW).unwrap();
    assert!(config.memory().unwrap_err().to_string().contains("system account"));
    let config = config.account(world.system_token.as_str(), NOW).unwrap();
    let text = config.memory().unwrap();
    let (id, system) = (world.account.public_key(), world.system.public_key());
    for line in [
        format!("operator: {}", world.operator_token.as_str()),
        format!("system_account: {system}"),
        "resolver: MEMORY".to_owned(),
        format!("  {id}: {}", world.account_token.as_str()),
        format!("  {system}: {}", world.system_token.as_str()),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    let full = config.full_directory("/var/lib/nats/accounts").unwrap();
    assert!(full.contains("  type: full\n  dir: \"/var/lib/nats/accounts\"\n"));
    assert!(full.contains(world.system_token.as_str()) && !full.contains(world.account_token.as_str()));
    for folder in ["", "a\"b", "a\nb"] {
        assert!(config.full_directory(folder).is_err(), "{folder:?}");
    }
}

#[tokio::test]
async fn a_configuration_has_no_account_that_the_server_would_refuse() {
    let world = world().await;
    let config = || ServerConfig::new(world.operator_token.as_str()).unwrap();
    let foreign = Mint::account(account_key(&world.account), "orders", Account::default())
        .sign(&pair(Role::Operator), NOW)
        .await
        .unwrap();
    assert!(config().account(foreign.as_str(), NOW).unwrap_err().to_string().contains("account_untrusted"));
    let second = std::time::Duration::from_secs(1);
    let short = Mint::account(account_key(&world.account), "orders", Account::default()).expires_in(second);
    let short = short.sign(&world.operator, NOW).await.unwrap();
    assert!(config().account(short.as_str(), NOW).is_ok());
    assert!(config().account(short.as_str(), NOW.plus(second)).unwrap_err().to_string().contains("account_expired"));
    assert!(ServerConfig::new(world.account_token.as_str()).is_err());
}

#[tokio::test]
async fn a_folder_of_accounts_is_private_and_has_one_file_for_each() {
    let (world, folder) = (world().await, tempfile::tempdir().unwrap());
    let config = ServerConfig::new(world.operator_token.as_str()).unwrap();
    let config =
        config.account(world.account_token.as_str(), NOW).unwrap().account(world.system_token.as_str(), NOW).unwrap();
    let path = folder.path().join("a/accounts");
    for _ in 0..2 {
        config.write_dir(&path).unwrap();
        let file = path.join(format!("{}.jwt", world.account.public_key()));
        assert_eq!(fs::read_to_string(&file).unwrap(), world.account_token.as_str());
        assert_eq!(fs::read_dir(&path).unwrap().count(), 2);
        #[cfg(unix)]
        assert_eq!((mode(&path), mode(&file)), (0o700, 0o600));
    }
}

#[tokio::test]
async fn a_credentials_file_is_private_and_replaced_only_if_that_is_asked_for() {
    let (world, folder) = (world().await, tempfile::tempdir().unwrap());
    let path = folder.path().join("alice.creds");
    world.creds.write_file(&path, Existing::Keep).unwrap();
    #[cfg(unix)]
    assert_eq!(mode(&path), 0o600);
    assert_eq!(Creds::parse(&fs::read_to_string(&path).unwrap()).unwrap().token(), world.creds.token());

    fs::write(&path, "other").unwrap();
    let refused = world.creds.write_file(&path, Existing::Keep).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read_to_string(&path).unwrap(), "other");
    world.creds.write_file(&path, Existing::Replace).unwrap();
    assert_eq!(Creds::parse(&fs::read_to_string(&path).unwrap()).unwrap().token(), world.creds.token());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[tokio::test]
async fn an_error_about_credentials_says_which_block_is_wrong() {
    let creds = world().await.creds;
    let (text, seed) = (creds.format(), creds.key().seed().reveal().to_owned());
    let kind = |text: &str| Creds::parse(text).map(|_| ()).map_err(|error| error.kind());
    assert_eq!(kind(&text), Ok(()));
    assert_eq!(kind(&text[..text.len() / 2]), Err(CredsErrorKind::Form));
    assert_eq!(kind(&text.replace(creds.token(), "e30.e30")), Err(CredsErrorKind::Token(TokenErrorKind::Malformed)));
    assert_eq!(
        kind(&text.replace(&seed, pair(Role::User).seed().reveal())),
        Err(CredsErrorKind::Seed(NkeyErrorKind::Mismatch))
    );
}

/// Writes what `nsc` would keep.
fn nsc(world: &World, home: &Path) {
    let nsc = home.join(".local/share/nats/nsc");
    let write = |path: &str, content: &str| {
        let path = nsc.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        #[cfg(unix)]
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    };
    write("stores/acme/acme.jwt", world.operator_token.as_str());
    write("stores/acme/.nsc", "{}");
    write("stores/acme/accounts/orders/orders.jwt", world.account_token.as_str());
    write("stores/acme/accounts/SYS/SYS.jwt", world.system_token.as_str());
    write("stores/acme/accounts/orders/users/alice.jwt", world.creds.token());
    let key = world.operator.public_key().as_str();
    write(&format!("keys/keys/O/{}/{key}.nk", &key[1..3]), world.operator.seed().reveal());
    let key = world.account.public_key().as_str();
    write(&format!("keys/keys/A/{}/{key}.nk", &key[1..3]), world.system.seed().reveal());
    write("keys/creds/acme/orders/alice.creds", &world.creds.format());
}

#[tokio::test]
async fn what_nsc_keeps_is_read() {
    let (world, home) = (world().await, tempfile::tempdir().unwrap());
    nsc(&world, home.path());
    let store = Nsc::in_home(home.path());
    assert_eq!(store.operators().unwrap(), ["acme"]);
    let acme = store.operator("acme").unwrap();
    assert_eq!(acme.operator.token, *world.operator_token.token());
    let names: Vec<_> = acme.accounts.iter().map(|account| (&*account.account.name, account.users.len())).collect();
    assert_eq!(names, [("SYS", 0), ("orders", 1)]);
    assert_eq!(acme.accounts[1].users[0].text, world.creds.token());
    assert_eq!(store.key(world.operator.public_key()).unwrap().public_key(), world.operator.public_key());
    assert_eq!(store.creds("acme", "orders", "alice").unwrap().token(), world.creds.token());

    assert!(store.operator("other").is_err());
    for name in ["", "..", "a/b", ".hidden"] {
        assert!(store.operator(name).unwrap_err().to_string().contains("no slashes"), "{name:?}");
    }
    let mismatch = store.key(world.account.public_key()).unwrap_err().to_string();
    assert!(mismatch.contains("does not have the seed"), "{mismatch}");
    assert!(!format!("{acme:?}").contains(world.creds.token()));
}

#[cfg(unix)]
#[tokio::test]
async fn a_seed_that_others_can_read_is_refused() {
    let (world, home) = (world().await, tempfile::tempdir().unwrap());
    nsc(&world, home.path());
    let store = Nsc::in_home(home.path());
    let key = world.operator.public_key();
    let path = home.path().join(format!(".local/share/nats/nsc/keys/keys/O/{}/{key}.nk", &key.as_str()[1..3]));
    for (mode, is_right) in [(0o640, false), (0o604, false), (0o400, true), (0o600, true)] {
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        assert_eq!(store.key(key).is_ok(), is_right, "{mode:o}");
        assert!(is_right || store.key(key).unwrap_err().is_open_to_others());
    }
}

#[tokio::test]
async fn a_token_of_any_kind_is_shown_with_what_was_not_checked() {
    let world = world().await;
    let kinds = [
        (world.operator_token.as_str(), "operator", false),
        (world.account_token.as_str(), "account", false),
        (world.creds.token(), "user", false),
        (&*world.creds.format(), "user", true),
    ];
    for (text, kind, has_seed) in kinds {
        let shown = inspect(text).unwrap();
        assert_eq!((shown.token.kind(), shown.has_seed), (kind, has_seed));
        let printed = shown.to_string();
        assert!(
            printed.contains("not checked:") && printed.contains(shown.token.registered().subject.as_str()),
            "{printed}"
        );
        assert!(
            !printed.contains(world.creds.key().seed().reveal())
                && !format!("{shown:?}").contains(world.creds.key().seed().reveal())
        );
    }
    assert!(matches!(inspect(world.creds.token()).unwrap().token, Inspected::User(_)));
    // The seed of another user.
    let broken = world.creds.format().replace(world.creds.key().seed().reveal(), pair(Role::User).seed().reveal());
    assert_eq!(inspect(&broken).unwrap_err().kind(), TokenErrorKind::Malformed);
    assert!(inspect("e30.e30.e30").is_err());
}

#[tokio::test]
async fn a_name_cannot_pass_for_another_line() {
    let account = pair(Role::Account);
    let draft = Mint::user(UserKey::try_from(*pair(Role::User).public_key()).unwrap(), "a\nsigned by \u{1b}[2J");
    let printed = inspect(draft.sign(&account, NOW).await.unwrap().as_str()).unwrap().to_string();
    assert!(
        !printed.contains('\u{1b}') && printed.lines().filter(|line| line.trim().starts_with("signed by")).count() == 1,
        "{printed}"
    );
}
