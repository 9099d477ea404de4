//! The claims of an account.

use super::{
    Members,
    members::quoted,
    terms::{self, Limits},
};
use crate::claims::{Account, AccountLimits, Export, Import, Revocations, SigningKey};
use crate::nkey::UserKey;

pub(super) fn write(account: &Account, nats: &mut Members) {
    nats.list("imports", imports_in_order(account).into_iter().map(import));
    nats.list("exports", exports_in_order(account).into_iter().map(export));
    nats.object("limits", limits(&account.limits));
    nats.list("signing_keys", keys_in_order(account).into_iter().map(signing_key));
    nats.object("revocations", revocations(&account.revocations));
    let mut defaults = Members::default();
    terms::write_permissions(&account.default_permissions, &mut defaults);
    nats.object("default_permissions", defaults);
    let mut authorization = Members::default();
    authorization.texts("auth_users", account.authorization.auth_users.iter().map(UserKey::as_str));
    authorization.texts("allowed_accounts", &account.authorization.allowed_accounts);
    nats.object("authorization", authorization);
    nats.text("description", &account.description);
    nats.texts("tags", &account.tags);
}

/// Go's library sorts imports and exports by their subjects, and signing keys by their texts.
fn imports_in_order(account: &Account) -> Vec<&Import> {
    let mut imports: Vec<_> = account.imports.iter().collect();
    imports.sort_by(|one, other| one.subject.cmp(&other.subject));
    imports
}

fn exports_in_order(account: &Account) -> Vec<&Export> {
    let mut exports: Vec<_> = account.exports.iter().collect();
    exports.sort_by(|one, other| one.subject.cmp(&other.subject));
    exports
}

fn keys_in_order(account: &Account) -> Vec<&SigningKey> {
    let mut keys: Vec<_> = account.signing_keys.iter().collect();
    keys.sort_by_key(|key| key.key);
    keys
}

fn import(import: &Import) -> String {
    let mut object = Members::default();
    object.text("name", &import.name);
    object.text("subject", &import.subject);
    object.text("account", import.account.as_ref().map_or("", |key| key.as_str()));
    object.text("token", import.activation.as_ref().map_or("", |(text, _)| text));
    object.text("to", &import.to);
    object.text("local_subject", &import.local_subject);
    object.text("type", import.kind.as_str());
    object.finish()
}

fn export(export: &Export) -> String {
    let mut object = Members::default();
    object.text("name", &export.name);
    object.text("subject", &export.subject);
    object.text("type", export.kind.as_str());
    object.flag("token_req", export.needs_activation);
    object.object("revocations", revocations(&export.revocations));
    object.number("account_token_position", i64::try_from(export.account_token_position).unwrap_or(i64::MAX));
    object.finish()
}

fn limits(limits: &AccountLimits) -> Members {
    let mut object = Members::default();
    object.any_number("subs", limits.subscriptions.to_claim());
    object.any_number("data", limits.data.to_claim());
    object.any_number("payload", limits.payload.to_claim());
    object.any_number("imports", limits.imports.to_claim());
    object.any_number("exports", limits.exports.to_claim());
    object.flag("wildcards", limits.wildcard_exports);
    object.flag("disallow_bearer", limits.disallow_bearer);
    object.any_number("conn", limits.connections.to_claim());
    object.any_number("leaf", limits.leaf_nodes.to_claim());
    object
}

pub(in crate::mint) fn signing_key(key: &SigningKey) -> String {
    let Some(scope) = &key.scope else { return quoted(key.key.as_str()) };
    let mut template = Members::default();
    terms::write(&scope.template, Limits::All, &mut template);
    let mut object = Members::default();
    object.text("kind", "user_scope");
    object.text("key", key.key.as_str());
    object.text("role", &scope.role);
    object.object("template", template);
    object.text("description", &scope.description);
    object.finish()
}

fn revocations(revocations: &Revocations) -> Members {
    let mut object = Members::default();
    for (key, until) in revocations.to_claim() {
        object.any_number(&key, i64::try_from(until).unwrap_or(i64::MAX));
    }
    object
}
