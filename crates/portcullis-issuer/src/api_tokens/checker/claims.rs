//! The claims that a token stands for.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    iter,
};

use portcullis_core::{
    AuthError,
    revocation::{Level, Rungs},
    verified::{Conventions, CredentialKind, Facts},
};
use serde::Serialize;
use std::sync::Arc;

use crate::{
    api_tokens::{ApiTokenRow, FoundApiToken, Grant, Grants, Owner},
    refresh::Millis,
};

/// The claims, as an access token of the same issuer would have them.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<&'a str>,
    jti: String,
    iat: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<u64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
    /// Roles everywhere. One on a single instance is not among them: it would be one on all others, too.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    roles: BTreeSet<&'a str>,
    /// The roles by instance.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    grants: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

/// Returns what a token may do: no more than itself, each of its ancestors and its owner.
pub(super) fn effective<'a>(found: &'a FoundApiToken, of_owner: &Grants) -> Cow<'a, Grants> {
    let others = iter::once(of_owner).chain(found.ancestors.iter().map(|ancestor| &ancestor.grants));
    others.fold(Cow::Borrowed(&found.row.grants), |grants, other| {
        if grants.are_common_with(other) { grants } else { Cow::Owned(grants.common(other)) }
    })
}

/// Returns when a token ends by its time, or one of its ancestors.
pub(super) fn end(found: &FoundApiToken) -> Option<Millis> {
    std::iter::once(&found.row).chain(&found.ancestors).filter_map(ApiTokenRow::ends_at).min()
}

/// Returns the facts of a token that may do this.
pub(super) fn facts(
    found: &FoundApiToken,
    effective: &Grants,
    conventions: &Arc<Conventions>,
) -> Result<Facts, AuthError> {
    let row = &found.row;
    let claims = claims(row, effective, end(found), conventions.issuer());
    let rungs = Rungs::of([Level::Token, Level::Client, Level::Key]);
    let rungs = rungs.with_ancestors(row.path.iter().map(ToString::to_string));
    let facts = Facts::assertion_of(&claims, Arc::clone(conventions))?
        .with_credential(CredentialKind::ApiToken)
        .with_rungs(rungs);
    Ok(match row.pepper {
        Some(pepper) => facts.with_key_id(pepper.key_id()),
        None => facts,
    })
}

fn claims<'a>(row: &'a ApiTokenRow, effective: &'a Grants, end: Option<Millis>, issuer: &'a str) -> Claims<'a> {
    let (mut scopes, mut roles) = (Vec::new(), BTreeSet::new());
    let mut grants: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for grant in effective.iter() {
        match grant {
            Grant::Scope(scope) => scopes.push(scope.as_str()),
            Grant::Role { role, instance } => {
                grants.entry(instance.as_str()).or_default().insert(role.as_str());
            }
            Grant::RoleEverywhere(role) => {
                roles.insert(role.as_str());
            }
            // No guard could read it: the owner's rights say what everything is.
            Grant::Everything => {}
        }
    }
    let (sub, client_id, organisation) = match &row.owner {
        Owner::User(subject) => (Some(subject.as_str()), None, None),
        Owner::Application(client_id) => (None, Some(client_id.clone()), None),
        Owner::Organisation(id) => (None, Some(format!("{}{id}", Owner::ORGANISATION)), Some(id.as_str())),
    };
    Claims {
        iss: issuer,
        sub,
        client_id,
        organisation,
        jti: row.id.to_string(),
        iat: row.created_at.to_unix().as_secs(),
        exp: end.map(|end| end.to_unix().as_secs()),
        scope: scopes.join(" "),
        roles,
        grants,
    }
}
