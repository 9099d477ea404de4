//! [`Market`]: the operator and three organisations, each with keys and tokens in a folder.
//!
//! In production, each organisation has its own folder on its own machine, and sends its account's token to the operator to be signed. Tools of NATS such as
//! `nsc` make the same keys and tokens.

mod change;
mod create;
pub(crate) mod folder;
mod users;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use portcullis::clock::{Clock, SystemClock, UnixTime};
use portcullis_nats::{
    claims::{Account, Operator},
    enrol::EnrolmentPolicy,
    nkey::{AccountKey, KeyPair, OperatorKey, Role},
    server_config::ServerConfig,
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
/// | `acme/enrolled.json`, `acme/log-outs.redb` | the desk |
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
            let folder = folder.display();
            return Err(format!(
                "there is nothing in {folder} yet: `cargo run -p decentralized -- init` makes it, or set DATA"
            )
            .into());
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

    /// What orders is told.
    pub(crate) fn environment_of_orders(&self) -> Result<Vec<(&'static str, String)>, Failure> {
        let mut environment = self.environment_of_billing()?;
        environment.push(("ACCOUNT", self.id(SHOP)?.to_string()));
        environment.push(("ACCOUNTS", self.accounts().display().to_string()));
        Ok(environment)
    }

    /// What billing is told.
    pub(crate) fn environment_of_billing(&self) -> Result<Vec<(&'static str, String)>, Failure> {
        Ok(vec![("OPERATOR", self.operator_keys()?)])
    }

    /// Returns the desk's policy: a caller with the scope `orders:read` gets a user of the key for readers, for ten minutes at most.
    pub(crate) fn enrolment(&self, organisation: &str) -> Result<EnrolmentPolicy, Failure> {
        let readers = folder::read_key(&self.file_of(organisation, "readers.seed")?)?;
        let policy = EnrolmentPolicy::new(self.account(organisation)?)?;
        Ok(policy.rule(|caller| caller.has_scope("orders:read"), readers)?.longest(Duration::from_secs(600)))
    }

    /// Returns the lines with which a nats-server trusts the operator. The accounts are in them, so it learns of a change by new ones.
    pub(crate) fn server_config(&self) -> Result<String, Failure> {
        let mut config = ServerConfig::new(&folder::read(&self.folder.join("operator/operator.jwt"))?)?;
        config = config.account(&folder::read(&self.folder.join("operator/system.jwt"))?, now())?;
        for organisation in ORGANISATIONS {
            config = config.account(&self.account_text(organisation)?, now())?;
        }
        Ok(config.memory()?)
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

    pub(crate) fn account(&self, organisation: &str) -> Result<Token<Account>, Failure> {
        Ok(Token::read(&self.account_text(organisation)?)?)
    }

    pub(crate) fn account_text(&self, organisation: &str) -> Result<String, Failure> {
        folder::read(&self.file_of(organisation, "account.jwt")?)
    }

    /// The path of a file of an organisation.
    fn file_of(&self, organisation: &str, file: &str) -> Result<PathBuf, Failure> {
        if !ORGANISATIONS.contains(&organisation) {
            return Err(format!("there is no {organisation:?}: the organisations are {ORGANISATIONS:?}").into());
        }
        if !file.chars().all(|char| char.is_ascii_alphanumeric() || char == '.') {
            return Err(format!("{file:?} is no name of a file here: users' names have letters and digits only").into());
        }
        Ok(self.folder.join(organisation).join(file))
    }

    /// Publishes the token of an account: for services that look it up, and for users that bring it along.
    fn publish(&self, organisation: &str, id: AccountKey, token: &str) -> Result<(), Failure> {
        // The organisation's own first: the next change starts from it, so that what was interrupted here is not undone.
        folder::write_public(&self.file_of(organisation, "account.jwt")?, token)?;
        folder::write_public(&self.accounts().join(format!("{id}.jwt")), token)
    }
}

fn now() -> UnixTime {
    SystemClock.now()
}

fn pair(role: Role) -> Result<KeyPair, Failure> {
    Ok(KeyPair::generate(role)?)
}
