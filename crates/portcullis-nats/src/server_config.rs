//! [`ServerConfig`]: what a nats-server needs in order to trust an operator.

use std::{collections::BTreeMap, fmt::Write as _, io, path::Path};

use portcullis_core::{ConfigError, UnixTime};

use crate::{
    chain::{Chain, Circumstances, Operators, Policy},
    claims::{Account, Operator},
    files::{Existing, make_private_folder, write_private},
    nkey::AccountKey,
    token::Token,
};

/// What a nats-server needs in order to trust an operator: the operator's token and the tokens of its accounts.
///
/// | the server finds accounts | method |
/// |---|---|
/// | in its configuration, and learns of a change by a reload | [`memory`](Self::memory) |
/// | in a folder, and learns of a change when a client of the system account publishes it | [`full_directory`](Self::full_directory), [`write_dir`](Self::write_dir) |
///
/// Each token is checked as the server would check it, so that the server starts.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    operator: String,
    system_account: Option<AccountKey>,
    chain: Chain,
    accounts: BTreeMap<AccountKey, String>,
}

impl ServerConfig {
    /// Returns the configuration for an operator, without accounts. The system account is the one that the operator's token names.
    ///
    /// # Errors
    ///
    /// If it is not the token of an operator.
    pub fn new(operator: &str) -> Result<Self, ConfigError> {
        let operator = operator.trim().to_owned();
        let chain = Chain::new(Operators::new().token(&operator)?, Policy::new());
        let token = Token::<Operator>::read(&operator).map_err(|error| ConfigError::new(error.to_string()))?;
        Ok(Self { operator, system_account: token.nats.system_account, chain, accounts: BTreeMap::new() })
    }

    /// Sets the account of the servers. Defaults to the one that the operator's token names. A server with the folder of accounts needs it in order to be
    /// told of changes.
    #[must_use]
    pub fn system_account(self, id: AccountKey) -> Self {
        Self { system_account: Some(id), ..self }
    }

    /// Adds the token of an account. A later one of the same account replaces it.
    ///
    /// # Errors
    ///
    /// If it is none, the operator has not signed it, or it is not valid at `now`.
    pub fn account(mut self, account: &str, now: UnixTime) -> Result<Self, ConfigError> {
        let account = account.trim();
        let wrong = |problem: String| ConfigError::new(format!("the token of an account: {problem}"));
        let token = Token::<Account>::read(account).map_err(|error| wrong(error.to_string()))?;
        let id = AccountKey::try_from(token.registered.subject).map_err(|error| wrong(error.to_string()))?;
        let checked = self.chain.account(&id, account, &Circumstances::at(now));
        checked.map_err(|refusal| wrong(format!("{id}: {refusal}")))?;
        self.accounts.insert(id, account.to_owned());
        Ok(self)
    }

    /// Returns the lines for a server that has all accounts in its configuration.
    ///
    /// # Errors
    ///
    /// If the system account is not one of them: the server would not start.
    pub fn memory(&self) -> Result<String, ConfigError> {
        self.require_system_account()?;
        let mut lines = self.first_lines();
        lines.push_str("resolver: MEMORY\nresolver_preload: {\n");
        for (id, account) in &self.accounts {
            // Writing to a `String` does not fail.
            let _ = writeln!(lines, "  {id}: {account}");
        }
        lines.push_str("}\n");
        Ok(lines)
    }

    /// Returns the lines for a server that has all accounts in this folder, and is told of changes. The system account comes with the lines.
    /// Write the others with [`write_dir`](Self::write_dir).
    ///
    /// # Errors
    ///
    /// If there is no system account, or its token is missing; or the path has a character that a configuration cannot have.
    pub fn full_directory(&self, folder: &str) -> Result<String, ConfigError> {
        self.require_system_account()?;
        let Some(system) = self.system_account else {
            return Err(ConfigError::new(
                "a server that is told of changes of accounts needs a system account".to_owned(),
            ));
        };
        if folder.is_empty() || folder.contains(|c: char| c.is_control() || c == '"') {
            return Err(ConfigError::new(format!(
                "the folder {folder:?} is empty, or has a quotation mark or a control character"
            )));
        }
        let folder = folder.replace('\\', "\\\\");
        let (lines, account) = (self.first_lines(), &self.accounts[&system]);
        Ok(format!(
            "{lines}resolver: {{\n  type: full\n  dir: \"{folder}\"\n  allow_delete: false\n  interval: \"2m\"\n}}\n\
             resolver_preload: {{\n  {system}: {account}\n}}\n"
        ))
    }

    /// Writes the tokens into a folder as a server with a full resolver has them: `<account>.jwt`. The folder gets the mode 0700, if it is made, and
    /// the files 0600. Stop the server first: a running one does not notice.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub fn write_dir(&self, folder: impl AsRef<Path>) -> io::Result<()> {
        let folder = folder.as_ref();
        make_private_folder(folder)?;
        self.accounts.iter().try_for_each(|(id, account)| {
            write_private(&folder.join(format!("{id}.jwt")), account.as_bytes(), Existing::Replace)
        })
    }

    fn first_lines(&self) -> String {
        let mut lines = format!("operator: {}\n", self.operator);
        if let Some(id) = self.system_account {
            let _ = writeln!(lines, "system_account: {id}");
        }
        lines
    }

    fn require_system_account(&self) -> Result<(), ConfigError> {
        match self.system_account.filter(|id| !self.accounts.contains_key(id)) {
            Some(id) => Err(ConfigError::new(format!("the token of the system account {id} is missing: add it"))),
            None => Ok(()),
        }
    }
}
