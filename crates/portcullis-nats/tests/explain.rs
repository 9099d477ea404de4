//! A chain says how it decides.
#![cfg(feature = "mint")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use portcullis_core::UnixTime;
use portcullis_nats::{
    chain::{Chain, Circumstances, Deciding, Operation, Operators, Policy, Refusal, RefusalKind},
    claims::{Account, Operator, Permissions, SigningKey, Terms},
    mint::{AccountEdit, Mint},
    nkey::{AccountKey, KeyPair, OperatorKey, Role, UserKey},
};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

fn pair(role: Role) -> KeyPair {
    KeyPair::generate(role).unwrap()
}

struct World {
    chain: Chain,
    operator: KeyPair,
    signing: KeyPair,
    account: String,
    user: UserKey,
    user_token: String,
}

async fn world() -> World {
    let (operator, account, signing, user) =
        (pair(Role::Operator), pair(Role::Account), pair(Role::Account), pair(Role::User));
    let (id, user) =
        (AccountKey::try_from(*account.public_key()).unwrap(), UserKey::try_from(*user.public_key()).unwrap());
    let operator_token =
        Mint::operator(OperatorKey::try_from(*operator.public_key()).unwrap(), "acme", Operator::default());
    let operator_token = operator_token.sign(&operator, NOW).await.unwrap();
    let mut terms = Terms::default();
    terms.permissions = Permissions::default().publish(["own.{{name()}}.>"]);
    terms.permissions.publish.deny = vec!["own.*.secret".to_owned()];
    let mut claims = Account::default();
    claims.signing_keys = vec![SigningKey::scoped(AccountKey::try_from(*signing.public_key()).unwrap(), "own", terms)];
    World {
        chain: Chain::new(Operators::new().token(operator_token.as_str()).unwrap(), Policy::new()),
        account: Mint::account(id, "orders", claims).sign(&operator, NOW).await.unwrap().into_string(),
        user_token: Mint::scoped_user(user, "alice", id).sign(&signing, NOW).await.unwrap().into_string(),
        operator,
        signing,
        user,
    }
}

fn later() -> Circumstances<'static> {
    Circumstances::at(NOW.plus(std::time::Duration::from_secs(60)))
}

#[tokio::test]
async fn an_explanation_names_each_link_and_the_entry_that_decides() {
    let world = world().await;
    let explained = world.chain.explain(&world.user_token, Some(&world.account), &later());
    let printed = explained.to_string();
    let (operator, signing) = (world.operator.public_key().as_str(), world.signing.public_key().as_str());
    for part in ["\"alice\"", "60 s ago", operator, "scope \"own\"", signing, "lets the user in"] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    assert!(!printed.contains(&world.user_token) && !printed.contains(&world.account));
    let permissions = explained.admitted.unwrap().permissions;
    let publish = |subject: &str| permissions.deciding(Operation::Publish, subject);
    assert_eq!(publish("own.alice.x"), Deciding::Allowed("own.alice.>".to_owned()));
    assert_eq!(publish("own.alice.secret"), Deciding::Denied("own.*.secret".to_owned()));
    assert_eq!(publish("own.bob.x"), Deciding::NotAllowed);
    assert_eq!(publish("own.alice.*"), Deciding::NoSubject);
    assert_eq!(permissions.deciding(Operation::Subscribe, "a.*"), Deciding::Allowed(">".to_owned()));
}

#[tokio::test]
async fn an_explanation_ends_with_the_step_that_refuses() {
    let world = world().await;
    let kinds = |account: Option<&str>| {
        let explained = world.chain.explain(&world.user_token, account, &later());
        assert!(explained.admitted.is_none() && explained.to_string().contains("REFUSED"));
        explained.steps.iter().map(|step| step.refusal.as_ref().map(Refusal::kind)).collect::<Vec<_>>()
    };
    let revoked = AccountEdit::read(&world.account).unwrap().revoke(world.user, NOW).unwrap();
    let revoked = revoked.sign(&world.operator, NOW).await.unwrap();
    assert_eq!(kinds(Some(revoked.as_str())), [None, None, Some(RefusalKind::Revoked)]);
    assert_eq!(kinds(None), [None, Some(RefusalKind::AccountUnknown)]);
    assert_eq!(world.chain.explain(&world.account, None, &later()).steps.len(), 1);
}
