//! [`Market`]: the operator and three organisations, each with keys and tokens in a folder.
//!
//! In earnest, each organisation has its own folder on its own machine, and sends its account's token to the operator to be signed. Tools of NATS such as
//! `nsc` make the same keys and tokens.

mod change;
pub(crate) mod folder;
mod found;

use std::path::{Path, PathBuf};

use portcullis::clock::{Clock, SystemClock, UnixTime};
use portcullis_nats::{
    claims::{Account, Operator},
    nkey::{AccountKey, KeyPair, OperatorKey, Role},
    token::Token,
};

use crate::Failure;

/// The operator and the organisations.
///
/// | file | who has it |
/// |---|---|
/// | `operator/operator.jwt` | everyone |
/// | `operator/*.seed` | the operator |
/// | `operator/system.jwt` | nats-servers, if there are any: the token of their own account |
/// | `accounts/ID.jwt` | everyone: the folder that services read |
/// | `NAME/account.jwt` | the same token, for the organisation's users to bring along |
/// | `NAME/account.seed`, `NAME/readers.seed` | the organisation |
/// | `NAME/USER.creds` | that user |
#[derive(Clone, Debug)]
pub(crate) struct Market {
    folder: PathBuf,
}

/// The organisation whose service orders is.
pub(crate) const SHOP: &str = "shop";

/// All organisations.
pub(crate) const ORGANISATIONS: [&str; 3] = [SHOP, "acme", "globex"];

impl Market {
    /// Opens it.
    pub(crate) fn open(folder: &Path) -> Result<Self, Failure> {
        if !folder.join("operator/operator.jwt").exists() {
            return Err(format!("there is nothing in {} yet: start the example once", folder.display()).into());
        }
        Ok(Self { folder: folder.to_owned() })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The public keys with which the operator signs accounts, separated by a blank.
    pub(crate) fn operator_keys(&self) -> Result<String, Failure> {
        let keys = self.operator()?.nats.signing_keys;
        Ok(keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
    }

    /// What a service is told.
    pub(crate) fn environment(&self, service: &str) -> Result<Vec<(&'static str, String)>, Failure> {
        let mut environment = vec![("OPERATOR", self.operator_keys()?)];
        if service == "orders" {
            environment.push(("ACCOUNT", self.id(SHOP)?.to_string()));
            environment.push(("ACCOUNTS", self.accounts().display().to_string()));
        }
        Ok(environment)
    }

    fn operator(&self) -> Result<Token<Operator>, Failure> {
        Ok(Token::read(&folder::read(&self.folder.join("operator/operator.jwt"))?)?)
    }

    /// The newest signing key of the operator, which signs from now on.
    fn operator_signer(&self) -> Result<KeyPair, Failure> {
        let newest = self.operator()?.nats.signing_keys.last().copied().ok_or("the operator has no signing key")?;
        folder::read_key(&self.operator_seed(&newest))
    }

    fn operator_seed(&self, key: &OperatorKey) -> PathBuf {
        self.folder.join(format!("operator/{key}.seed"))
    }

    fn accounts(&self) -> PathBuf {
        self.folder.join("accounts")
    }

    fn id(&self, organisation: &str) -> Result<AccountKey, Failure> {
        Ok(AccountKey::try_from(self.account(organisation)?.registered.subject)?)
    }

    fn account(&self, organisation: &str) -> Result<Token<Account>, Failure> {
        Ok(Token::read(&self.account_text(organisation)?)?)
    }

    pub(crate) fn account_text(&self, organisation: &str) -> Result<String, Failure> {
        folder::read(&self.of(organisation, "account.jwt")?)
    }

    /// The path of a file of an organisation.
    fn of(&self, organisation: &str, file: &str) -> Result<PathBuf, Failure> {
        let is_word = |text: &str| text.chars().all(|char| char.is_ascii_alphanumeric() || char == '.');
        if !ORGANISATIONS.contains(&organisation) || !is_word(file) {
            return Err(format!("there is no {organisation:?}: the organisations are {ORGANISATIONS:?}").into());
        }
        Ok(self.folder.join(organisation).join(file))
    }

    /// Publishes the token of an account: for services that look it up, and for users that bring it along.
    fn publish(&self, organisation: &str, id: AccountKey, token: &str) -> Result<(), Failure> {
        folder::replace(&self.of(organisation, "account.jwt")?, token)?;
        folder::replace(&self.accounts().join(format!("{id}.jwt")), token)
    }
}

fn now() -> UnixTime {
    SystemClock.now()
}

fn pair(role: Role) -> Result<KeyPair, Failure> {
    Ok(KeyPair::generate(role)?)
}
