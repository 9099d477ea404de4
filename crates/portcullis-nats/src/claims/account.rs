//! [`Account`]: the claims of an account.

use super::{
    Export, ExportKind, Import, Limit, Permissions, Revocations, SigningKey, export, import, invalid, permissions,
    subject,
};
use crate::{
    nkey::{AccountKey, PublicKey, Role, UserKey},
    token::{
        Json, Kind, Object, Read, TokenError,
        sealed::{Sealed, Source},
    },
};

/// The claims of an account, whose subject is the account's id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// `signing_keys`: further keys that sign users.
    pub signing_keys: Vec<SigningKey>,
    /// `revocations`: users whose tokens have ended.
    pub revocations: Revocations,
    /// `default_permissions`: of users whose own tokens have none.
    pub default_permissions: Permissions,
    /// `limits`.
    pub limits: AccountLimits,
    /// `imports`.
    pub imports: Vec<Import>,
    /// `exports`.
    pub exports: Vec<Export>,
    /// `authorization`: an outside service that decides who gets in.
    pub authorization: ExternalAuthorization,
    /// `tags`, for templates and for people.
    pub tags: Vec<String>,
    /// `description`, for people.
    pub description: String,
}

/// What an operator allows an account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountLimits {
    /// `conn`: connections. [`Limit::NOTHING`] locks the account.
    pub connections: Limit,
    /// `leaf`: leaf node connections.
    pub leaf_nodes: Limit,
    /// `subs`: subscriptions of a connection.
    pub subscriptions: Limit,
    /// `data`: not enforced anywhere.
    pub data: Limit,
    /// `payload`: bytes of a message.
    pub payload: Limit,
    /// `imports`.
    pub imports: Limit,
    /// `exports`.
    pub exports: Limit,
    /// `wildcards`: whether exports may have wildcards.
    pub wildcard_exports: bool,
    /// `disallow_bearer`: no user may do without a proof.
    pub disallow_bearer: bool,
}

/// An outside service that decides who gets in ("auth callout").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExternalAuthorization {
    /// `auth_users`: the users of that service itself. If there are any, only they get in by their own tokens.
    pub auth_users: Vec<UserKey>,
    /// `allowed_accounts`: the accounts into which it may let others; empty for this one, `*` for every one.
    pub allowed_accounts: Vec<String>,
}

impl Default for AccountLimits {
    /// Returns limits that allow everything.
    fn default() -> Self {
        Self {
            connections: Limit::Unlimited,
            leaf_nodes: Limit::Unlimited,
            subscriptions: Limit::Unlimited,
            data: Limit::Unlimited,
            payload: Limit::Unlimited,
            imports: Limit::Unlimited,
            exports: Limit::Unlimited,
            wildcard_exports: true,
            disallow_bearer: false,
        }
    }
}

impl Account {
    /// Returns the signing key with this public key.
    pub fn signing_key(&self, key: &PublicKey) -> Option<&SigningKey> {
        self.signing_keys.iter().find(|known| known.key.public_key() == key)
    }
}

impl Sealed for Account {}

impl Kind for Account {
    const NAME: &'static str = "account";
    const SUBJECT: Role = Role::Account;
    // A chain refuses one that an account has signed.
    const ISSUERS: &'static [Role] = &[Role::Operator, Role::Account];

    fn read(source: Source<'_>) -> Result<Self, TokenError> {
        let nats = source.members_of_nats(&NAMES)?;
        let subject = &source.registered.subject;
        let account = Self {
            signing_keys: SigningKey::read_all(&nats)?,
            revocations: Revocations::read(&nats)?,
            default_permissions: default_permissions(&nats)?,
            limits: AccountLimits::read(&nats)?,
            imports: nats
                .objects("imports", &import::NAMES)?
                .iter()
                .map(|import| Import::read(import, subject))
                .collect::<Read<_>>()?,
            exports: nats.objects("exports", &export::NAMES)?.iter().map(Export::read).collect::<Read<_>>()?,
            authorization: ExternalAuthorization::read(&nats)?,
            tags: source.moved().texts("tags")?.unwrap_or_default(),
            description: nats.text_or_empty("description")?,
        };
        account.require_limits()?;
        account.require_few()?;
        import::require_no_overlap(&account.imports)?;
        account.require_no_overlap()?;
        require_mappings(&nats)?;
        require_rest(&nats)?;
        Ok(account)
    }
}

impl Account {
    /// Refuses an account with more imports or exports than can be compared with each other in a request.
    fn require_few(&self) -> Read<()> {
        if self.imports.len().max(self.exports.len()) > MOST {
            return Err(invalid("the account has more than 1 024 imports or exports"));
        }
        Ok(())
    }

    fn require_limits(&self) -> Read<()> {
        let limits = &self.limits;
        if !limits.imports.allows(self.imports.len()) {
            return Err(invalid("the account has more imports than its operator allows"));
        }
        if !limits.exports.allows(self.exports.len()) {
            return Err(invalid("the account has more exports than its operator allows"));
        }
        let has_wildcards = self.exports.iter().any(|export| subject::has_wildcards(&export.subject));
        if limits.exports != Limit::Unlimited && !limits.wildcard_exports && has_wildcards {
            return Err(invalid("the account exports wildcards, and its operator does not allow that"));
        }
        Ok(())
    }

    /// Refuses exports of one kind of which one contains another.
    fn require_no_overlap(&self) -> Read<()> {
        let of = |kind: ExportKind| self.exports.iter().filter(move |export| export.kind == kind).enumerate();
        for kind in [ExportKind::Stream, ExportKind::Service] {
            for (at, export) in of(kind) {
                if of(kind).any(|(other_at, other)| at != other_at && subject::covers(&other.subject, &export.subject))
                {
                    return Err(invalid("an export of the account is contained in another one"));
                }
            }
        }
        Ok(())
    }
}

impl AccountLimits {
    fn read(nats: &Object<'_>) -> Read<Self> {
        let none = Object::new("nats.limits", &[], &[])?;
        let object = nats.object("limits", &LIMIT_NAMES)?.unwrap_or(none);
        let limit = |name| Limit::read(&object, name, Limit::NOTHING);
        let limits = Self {
            connections: limit("conn")?,
            leaf_nodes: limit("leaf")?,
            subscriptions: limit("subs")?,
            data: limit("data")?,
            payload: limit("payload")?,
            imports: limit("imports")?,
            exports: limit("exports")?,
            wildcard_exports: object.bool("wildcards")?,
            disallow_bearer: object.bool("disallow_bearer")?,
        };
        let tiers = object.object("tiered_limits", &[])?;
        let has_own = JET_STREAM.iter().any(|name| object.get(name).is_some_and(|value| *value != Json::Int(0)));
        match tiers {
            Some(tiers) if tiers.get("").is_some() || (tiers.members().next().is_some() && has_own) => Err(invalid(
                "the account's tiered_limits have a tier without a name, or stand beside limits of JetStream",
            )),
            _ => Ok(limits),
        }
    }
}

impl ExternalAuthorization {
    /// Whether an outside service decides who gets in.
    pub fn is_enabled(&self) -> bool {
        !self.auth_users.is_empty()
    }

    fn read(nats: &Object<'_>) -> Read<Self> {
        let Some(object) = nats.object("authorization", &["auth_users", "allowed_accounts", "xkey"])? else {
            return Ok(Self::default());
        };
        let users = object.texts("auth_users")?.unwrap_or_default();
        let users = users.iter().map(|text| text.parse()).collect::<Result<Vec<UserKey>, _>>();
        let allowed_accounts = object.texts("allowed_accounts")?.unwrap_or_default();
        let is_account = |text: &String| text.parse::<AccountKey>().is_ok();
        let are_right = match &allowed_accounts[..] {
            [one] if one == "*" => true,
            accounts => accounts.iter().all(is_account),
        };
        let authorization = Self {
            auth_users: users.map_err(|error| invalid(format!("one of auth_users: {error}")))?,
            allowed_accounts,
        };
        if !are_right || (!authorization.is_enabled() && !authorization.allowed_accounts.is_empty()) {
            return Err(invalid("the account's authorization has allowed_accounts that are none, or no auth_users"));
        }
        match object.key::<PublicKey>("xkey")? {
            Some(key) if key.role() != Role::Curve => {
                Err(invalid("the account's authorization has an xkey that is none"))
            }
            _ => Ok(authorization),
        }
    }
}

fn default_permissions(nats: &Object<'_>) -> Read<Permissions> {
    let object = nats.object("default_permissions", &permissions::NAMES)?;
    object.map_or(Ok(Permissions::default()), |object| Permissions::read(&object))
}

/// Refuses mappings whose weights exceed 100 percent, and wrong subjects.
fn require_mappings(nats: &Object<'_>) -> Read<()> {
    let Some(mappings) = nats.object("mappings", &[])? else { return Ok(()) };
    for (from, _) in mappings.members() {
        subject::require(from, || mappings.place("a subject"))?;
        let mut totals = std::collections::BTreeMap::<String, i64>::new();
        for to in mappings.objects(from, &["subject", "weight", "cluster"])? {
            subject::require(&to.text_or_empty("subject")?, || to.place("subject"))?;
            let weight = match to.int("weight")?.unwrap_or_default() {
                0 => 100,
                weight => weight,
            };
            let total = totals.entry(to.text_or_empty("cluster")?).or_default();
            *total = total.saturating_add(weight);
            if !(0..=100).contains(&weight) || *total > 100 {
                return Err(invalid("a mapping of the account has weights of more than 100 percent"));
            }
        }
    }
    Ok(())
}

/// Refuses wrong settings of what has no meaning for requests over HTTP.
fn require_rest(nats: &Object<'_>) -> Read<()> {
    if !["", "system", "owner"].contains(&nats.text("cluster_traffic")?.unwrap_or_default()) {
        return Err(invalid("the account's cluster_traffic is neither system nor owner"));
    }
    let Some(trace) = nats.object("trace", &["dest", "sampling"])? else { return Ok(()) };
    let destination = trace.text_or_empty("dest")?;
    subject::require(&destination, || trace.place("dest"))?;
    if subject::has_wildcards(&destination) || !(0..=100).contains(&trace.int("sampling")?.unwrap_or_default()) {
        return Err(invalid("the account's trace has wildcards in dest, or a wrong sampling"));
    }
    Ok(())
}

/// How many imports and exports are read.
const MOST: usize = 1024;

/// The names of the limits that only JetStream has.
const JET_STREAM: [&str; 8] = [
    "mem_storage",
    "disk_storage",
    "streams",
    "consumer",
    "max_ack_pending",
    "mem_max_stream_bytes",
    "disk_max_stream_bytes",
    "max_bytes_required",
];

const LIMIT_NAMES: [&str; 10] =
    ["subs", "data", "payload", "imports", "exports", "wildcards", "disallow_bearer", "conn", "leaf", "tiered_limits"];

const NAMES: [&str; 15] = [
    "imports",
    "exports",
    "limits",
    "signing_keys",
    "revocations",
    "default_permissions",
    "mappings",
    "authorization",
    "trace",
    "cluster_traffic",
    "description",
    "info_url",
    "tags",
    "type",
    "version",
];
