//! [`Operator`]: the claims of an operator.

use super::invalid;
use crate::{
    nkey::{AccountKey, OperatorKey, Role},
    token::{
        Kind, Object, Read, TokenError,
        sealed::{Sealed, Source},
    },
};

/// The claims of an operator, whose subject is the operator's own key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operator {
    /// `signing_keys`: further keys that sign accounts.
    pub signing_keys: Vec<OperatorKey>,
    /// `strict_signing_key_usage`: only signing keys sign, here and in the accounts.
    pub strict_signing_key_usage: bool,
    /// `system_account`: the account of the servers.
    pub system_account: Option<AccountKey>,
    /// `account_server_url`: where account tokens can be fetched; empty for nowhere.
    pub account_server_url: String,
    /// `operator_service_urls`: where the servers are.
    pub service_urls: Vec<String>,
    /// `assert_server_version`: the oldest server that may run with it, such as `2.10.0`; empty for any.
    pub assert_server_version: String,
    /// `tags`, for people.
    pub tags: Vec<String>,
}

impl Operator {
    /// Whether this key signs accounts for the operator with that key of its own.
    pub fn signs_accounts(&self, own: &OperatorKey, key: &OperatorKey) -> bool {
        self.signing_keys.contains(key) || (own == key && !self.strict_signing_key_usage)
    }
}

impl Sealed for Operator {}

impl Kind for Operator {
    const NAME: &'static str = "operator";
    const SUBJECT: Role = Role::Operator;
    const ISSUERS: &'static [Role] = &[Role::Operator];

    fn read(source: Source<'_>) -> Result<Self, TokenError> {
        let nats = source.members_of_nats(&NAMES)?;
        let operator = Self {
            signing_keys: signing_keys(&nats)?,
            strict_signing_key_usage: nats.bool("strict_signing_key_usage")?,
            system_account: nats.key("system_account")?,
            account_server_url: nats.text_or_empty("account_server_url")?,
            service_urls: nats.texts("operator_service_urls")?.unwrap_or_default(),
            assert_server_version: nats.text_or_empty("assert_server_version")?,
            tags: source.moved().texts("tags")?.unwrap_or_default(),
        };
        if is_version(&operator.assert_server_version) {
            return Ok(operator);
        }
        Err(invalid("the claim assert_server_version does not have the form 2.10.0"))
    }
}

fn signing_keys(nats: &Object<'_>) -> Read<Vec<OperatorKey>> {
    let texts = nats.texts("signing_keys")?.unwrap_or_default();
    let keys = texts.iter().map(|text| text.parse());
    keys.collect::<Result<_, _>>().map_err(|error| invalid(format!("a signing key of the operator: {error}")))
}

fn is_version(text: &str) -> bool {
    text.is_empty() || (text.split('.').count() == 3 && text.split('.').all(|part| part.parse::<u32>().is_ok()))
}

const NAMES: [&str; 9] = [
    "signing_keys",
    "strict_signing_key_usage",
    "system_account",
    "account_server_url",
    "operator_service_urls",
    "assert_server_version",
    "tags",
    "type",
    "version",
];
