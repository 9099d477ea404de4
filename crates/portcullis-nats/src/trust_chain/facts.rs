//! The claims of an admitted user, as the rest of Portcullis knows claims.

use portcullis_core::{
    AuthError,
    revocation::{Level, Rungs},
    verified::{Conventions, CredentialKind, Facts},
};
use serde::Serialize;

use crate::{
    chain::{AdmittedUser, EffectivePermissions},
    nkey::AccountKey,
};

/// What stands before an account's id in the name of an issuer.
const ISSUER_PREFIX: &str = "nats:";

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    jti: String,
    iat: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<u64>,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    nats: Nats<'a>,
}

#[derive(Serialize)]
struct Nats<'a> {
    account: &'a AccountKey,
    #[serde(skip_serializing_if = "str::is_empty")]
    account_name: &'a str,
    signer: &'a AccountKey,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope_role: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'a str,
    tags: &'a [String],
    permissions: &'a EffectivePermissions,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscriptions: Option<u64>,
}

/// Returns the name of an account as an issuer.
pub(crate) fn issuer(account: &AccountKey) -> String {
    format!("{ISSUER_PREFIX}{account}")
}

/// Returns how an account's users are described.
pub(super) fn conventions(account: &AccountKey) -> Conventions {
    Conventions::new(issuer(account)).without_client_claim()
}

pub(super) fn facts(user: &AdmittedUser) -> Result<Facts, AuthError> {
    let conventions = conventions(&user.account);
    let claims = Claims {
        iss: conventions.issuer(),
        sub: user.key.as_str(),
        // No one verifies the token's own id. A user's tokens differ by when they were issued, which is what an account revokes by.
        jti: format!("{}.{}", user.key, user.issued_at),
        iat: user.issued_at.as_secs(),
        exp: user.valid_until.map(portcullis_core::UnixTime::as_secs),
        name: &user.name,
        nats: Nats {
            account: &user.account,
            account_name: &user.account_name,
            signer: &user.signer,
            scope_role: user.scope_role.as_deref(),
            id: &user.token_id,
            tags: &user.tags,
            permissions: &user.permissions,
            payload: user.payload.at_most(),
            subscriptions: user.subscriptions.at_most(),
        },
    };
    let facts = Facts::assertion_of(&claims, conventions.clone())?;
    Ok(facts
        .with_credential(CredentialKind::NatsUser)
        // The account is the authority, and its tokens often have no end: the horizon does not apply.
        .with_rungs(Rungs::of([Level::Token, Level::Subject]))
        .with_key_id(user.signer.as_str()))
}
