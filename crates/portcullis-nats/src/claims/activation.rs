//! [`Activation`]: the permission to import an export.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE32;

use super::{ExportKind, subject};
use crate::{
    nkey::{AccountKey, PublicKey, Role},
    token::{
        Kind, Object, TokenError, Version,
        sealed::{Sealed, Source},
    },
};

/// The permission of an exporting account, for the account in `sub`, to import from it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Activation {
    /// `subject`: what may be imported.
    pub subject: String,
    /// `kind`.
    pub kind: ExportKind,
    /// `issuer_account`: the exporting account, if one of its signing keys has signed the token.
    pub issuer_account: Option<AccountKey>,
}

impl Activation {
    /// Returns the permission to import this.
    pub fn new(kind: ExportKind, subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), kind, issuer_account: None }
    }
}

impl Sealed for Activation {}

impl Kind for Activation {
    const NAME: &'static str = "activation";
    const SUBJECT: Role = Role::Account;
    const ISSUERS: &'static [Role] = &[Role::Account, Role::Operator];

    fn read(source: Source<'_>) -> Result<Self, TokenError> {
        let nats = source.members_of_nats(&["subject", "kind", "issuer_account", "tags", "type", "version"])?;
        let kind = if source.version == Version::V1 { "type" } else { "kind" };
        let activation = Self {
            subject: nats.text_or_empty("subject")?,
            kind: ExportKind::read(&nats, kind)?,
            issuer_account: Object::key(source.moved(), "issuer_account")?,
        };
        subject::require(&activation.subject, || nats.place("subject"))?;
        Ok(activation)
    }
}

/// Returns the id under which tools keep an activation: a hash of who issued it, for which account, and what is imported up to the first
/// wildcard.
pub fn activation_hash_id(issuer: &PublicKey, importer: &PublicKey, subject: &str) -> String {
    let literal: Vec<_> = subject.split('.').take_while(|word| !matches!(*word, "*" | ">")).collect();
    let literal = if literal.is_empty() { "_".to_owned() } else { literal.join(".") };
    let text = format!("{issuer}.{importer}.{literal}");
    BASE32.encode(digest(&SHA256, text.as_bytes()).as_ref())
}
