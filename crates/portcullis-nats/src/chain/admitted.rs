//! [`AdmittedUser`]: a user whom the whole chain admits.

use std::net::IpAddr;

use portcullis_core::UnixTime;

use super::{
    account::VerifiedAccount,
    conditions::Conditions,
    imports,
    permissions::EffectivePermissions,
    policy::{Connection, Policy},
    refusal::{Refusal, RefusalKind},
    screened::{ScreenedUser, proxy_required},
    template::{self, Values},
};
use crate::{
    claims::{Limit, Scope, Terms},
    nkey::{AccountKey, UserKey},
};

/// When, from where and how a user comes.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Circumstances<'a> {
    /// The instant of the decision.
    pub now: UnixTime,
    /// The address of the peer, if it is known. Never one that only an HTTP header says.
    pub source: Option<IpAddr>,
    /// The kind of connection, in upper case. Defaults to `HTTP`.
    pub connection_type: &'a str,
}

impl Circumstances<'_> {
    /// Returns those of a request over HTTP at this instant, from an unknown address.
    pub const fn at(now: UnixTime) -> Self {
        Self { now, source: None, connection_type: HTTP }
    }
}

/// Our own kind of connection. A nats-server does not know it, so it refuses a token that names no other.
const HTTP: &str = "HTTP";

/// The kinds of connection that tokens may name. Others are ignored.
pub(super) const CONNECTION_TYPES: [&str; 8] =
    ["STANDARD", "WEBSOCKET", "LEAFNODE", "LEAFNODE_WS", "MQTT", "MQTT_WS", "IN_PROCESS", HTTP];

/// A user whom the whole chain admits: an operator has signed the account, and the account the user.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AdmittedUser {
    /// The user's key.
    pub key: UserKey,
    /// The account.
    pub account: AccountKey,
    /// The account's name, which is not unique.
    pub account_name: String,
    /// The key of the account that has signed the user's token.
    pub signer: AccountKey,
    /// The name of its scope, if it has one.
    pub scope_role: Option<String>,
    /// The user's name, which is not unique.
    pub name: String,
    /// The user's tags.
    pub tags: Vec<String>,
    /// The id of the token; not verified by anyone.
    pub token_id: String,
    /// When the token was issued.
    pub issued_at: UnixTime,
    /// When the user is no longer let in without a new token; `None` for never.
    pub valid_until: Option<UnixTime>,
    /// What the user may publish and subscribe to.
    pub permissions: EffectivePermissions,
    /// How many bytes a message may have: the stricter limit of user and account. **It is not enforced here**, because the chain sees no bodies: over
    /// HTTP, `BodyLimitLayer::from_claim("/nats/payload")` of `portcullis` (feature `body-limit`) refuses longer ones. The claim is absent if this is unlimited,
    /// so set the layer's own limit, too.
    pub payload: Limit,
    /// How many subscriptions, and so streams, the user may have at once.
    pub subscriptions: Limit,
    /// Whether the token needs no proof.
    pub is_bearer: bool,
    conditions: Conditions,
}

/// What a user's own token or the scope of its signing key says, with all that is filled in.
struct Settled {
    terms: Terms,
    role: Option<String>,
}

/// Decides whether an account admits a user.
pub(super) fn admit(
    user: &ScreenedUser,
    account: &VerifiedAccount,
    exporter: Option<&VerifiedAccount>,
    policy: &Policy,
    at: &Circumstances<'_>,
) -> Result<AdmittedUser, Refusal> {
    let scope = account.scope_of(&user.token.registered.issuer)?;
    let Settled { terms, role } = settle(user, account, scope, policy)?;
    account.require_times(policy, at.now)?;
    require_open(account)?;
    require_own_authorization(user, account)?;
    let subscriptions = require_subscriptions(&terms, account)?;
    require_bearer(&terms, account, policy)?;
    require_connection(&terms, policy, at)?;
    require_not_revoked(user, account)?;
    let conditions = Conditions::new(&terms)?;
    conditions.require_source(at.source)?;
    let times_until = conditions.require_time(at.now)?;
    let permissions = effective(&terms, account, policy)?;
    let imported = match exporter.filter(|exporter| exporter.id() != account.id()) {
        Some(exporter) => Some(imports::translate(&permissions, account, exporter, policy, at.now)?),
        None => None,
    };
    let registered = &user.token.registered;
    let import_until = imported.as_ref().and_then(|imported| imported.until);
    let ends = [registered.expires_at, account.token.registered.expires_at, import_until, times_until];
    Ok(AdmittedUser {
        key: *user.key(),
        account: *account.id(),
        account_name: account.token.registered.name.clone(),
        signer: signer(user, account),
        scope_role: role,
        name: registered.name.clone(),
        tags: user.token.nats.tags.clone(),
        token_id: registered.id.clone(),
        issued_at: registered.issued_at,
        valid_until: ends.into_iter().flatten().min(),
        permissions: imported.map_or(permissions, |imported| imported.permissions),
        payload: terms.payload.and(account.token.nats.limits.payload),
        subscriptions,
        is_bearer: terms.bearer,
        conditions,
    })
}

impl AdmittedUser {
    /// Whether the address of each request matters.
    pub(crate) fn has_sources(&self) -> bool {
        self.conditions.has_sources()
    }
}

fn signer(user: &ScreenedUser, account: &VerifiedAccount) -> AccountKey {
    // The role was checked when the token was read.
    AccountKey::try_from(user.token.registered.issuer).unwrap_or(*account.id())
}

/// Returns the terms that count: the template of the scope, or the user's own.
fn settle(
    user: &ScreenedUser,
    account: &VerifiedAccount,
    scope: Option<&Scope>,
    policy: &Policy,
) -> Result<Settled, Refusal> {
    let own = &user.token.nats.terms;
    let Some(scope) = scope else {
        return Ok(Settled { terms: own.clone(), role: None });
    };
    if !own.is_nothing() {
        let why = "the user's signing key has a scope, so the token must have no permissions or limits";
        return Err(Refusal::new(RefusalKind::ScopedUserNotEmpty, why));
    }
    let values = Values {
        name: &user.token.registered.name,
        subject: user.key(),
        tags: &user.token.nats.tags,
        account_name: &account.token.registered.name,
        account: account.id(),
        account_tags: &account.token.nats.tags,
        dots: policy.template_dots,
    };
    let mut terms = scope.template.clone();
    terms.permissions = template::fill(&terms.permissions, &values)?;
    if terms.proxy_required {
        return Err(proxy_required());
    }
    Ok(Settled { terms, role: Some(scope.role.clone()) })
}

pub(super) fn require_open(account: &VerifiedAccount) -> Result<(), Refusal> {
    if account.token.nats.limits.connections == Limit::NOTHING {
        return Err(Refusal::new(RefusalKind::AccountLocked, "the account allows no connections"));
    }
    Ok(())
}

/// Returns how many subscriptions the user may have, of which there must be some: where the limit is absent, it is zero.
fn require_subscriptions(terms: &Terms, account: &VerifiedAccount) -> Result<Limit, Refusal> {
    let subscriptions = terms.subscriptions.and(account.token.nats.limits.subscriptions);
    if subscriptions == Limit::NOTHING {
        let why = "the user or the account may have no subscriptions (subs is 0 or absent), so a nats-server would not keep the connection";
        return Err(Refusal::new(RefusalKind::NoSubscriptions, why));
    }
    Ok(subscriptions)
}

fn require_own_authorization(user: &ScreenedUser, account: &VerifiedAccount) -> Result<(), Refusal> {
    let authorization = &account.token.nats.authorization;
    if authorization.is_enabled() && !authorization.auth_users.contains(user.key()) {
        let why = "the account leaves it to an outside service who gets in, and that cannot be asked here";
        return Err(Refusal::new(RefusalKind::ExternalAuthorization, why));
    }
    Ok(())
}

fn require_bearer(terms: &Terms, account: &VerifiedAccount, policy: &Policy) -> Result<(), Refusal> {
    if !terms.bearer {
        return Ok(());
    }
    if account.token.nats.limits.disallow_bearer {
        return Err(Refusal::new(RefusalKind::BearerDisallowed, "the account accepts no tokens that need no proof"));
    }
    if !policy.accepts_bearer_tokens {
        return Err(Refusal::new(RefusalKind::BearerDisallowed, "tokens that need no proof are not accepted here"));
    }
    Ok(())
}

fn require_connection(terms: &Terms, policy: &Policy, at: &Circumstances<'_>) -> Result<(), Refusal> {
    let refused = |why: &'static str| Err(Refusal::new(RefusalKind::ConnectionType, why));
    let named = &terms.connection_types;
    if named.is_empty() {
        if at.connection_type == HTTP && policy.connection == Connection::RequireHttp {
            return refused("the token has to name the connection type HTTP");
        }
        return Ok(());
    }
    let is_this = |name: &String| name.eq_ignore_ascii_case(at.connection_type);
    if CONNECTION_TYPES.contains(&at.connection_type) && named.iter().any(is_this) {
        return Ok(());
    }
    refused("the token is not for this kind of connection")
}

fn require_not_revoked(user: &ScreenedUser, account: &VerifiedAccount) -> Result<(), Refusal> {
    let registered = &user.token.registered;
    if account.token.nats.revocations.covers(&registered.subject, registered.issued_at) {
        return Err(Refusal::new(RefusalKind::Revoked, "the account has revoked the user's token"));
    }
    Ok(())
}

/// Returns the permissions that count: the account's default ones for a user who has none.
fn effective(terms: &Terms, account: &VerifiedAccount, policy: &Policy) -> Result<EffectivePermissions, Refusal> {
    let own = &terms.permissions;
    let permissions = if own.is_empty() { &account.token.nats.default_permissions } else { own };
    template::require_carried(permissions)?;
    let effective = EffectivePermissions::new(permissions);
    if effective.allows_everything() && !policy.accepts_unrestricted_users && permissions.is_empty() {
        let why = "the user has no permissions at all, which would allow everything";
        return Err(Refusal::new(RefusalKind::Unrestricted, why));
    }
    Ok(effective)
}
