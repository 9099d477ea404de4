//! [`Account`]: the claims of an account.

use super::{
    AccountLimits, Export, ExportKind, ExternalAuthorization, Import, Limit, Permissions, Revocations, SigningKey,
    export, import, invalid, permissions, subject,
};
use crate::{
    nkey::{PublicKey, Role},
    token::{
        Kind, Object, Read, TokenError,
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
                if of(kind)
                    .any(|(other_at, other)| at != other_at && subject::is_contained(&export.subject, &other.subject))
                {
                    return Err(invalid("an export of the account is contained in another one"));
                }
            }
        }
        Ok(())
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
