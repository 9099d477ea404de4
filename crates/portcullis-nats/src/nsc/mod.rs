//! Reads what the tool `nsc` keeps: operators, accounts, users, keys and credentials files.
//!
//! ```text
//! ~/.local/share/nats/nsc/stores/<operator>/<operator>.jwt
//! ~/.local/share/nats/nsc/stores/<operator>/accounts/<account>/<account>.jwt
//! ~/.local/share/nats/nsc/stores/<operator>/accounts/<account>/users/<user>.jwt
//! ~/.local/share/nats/nsc/keys/keys/O/AB/OAB….nk
//! ~/.local/share/nats/nsc/keys/creds/<operator>/<account>/<user>.creds
//! ```
//!
//! Seeds are read only by [`Nsc::key`] and [`Nsc::creds`], and only from files that no other user of the system can read. Nothing is trusted by being
//! there: give the texts to a [chain](crate::chain).

mod error;

use std::{
    fs,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

pub use self::error::NscError;
use crate::{
    claims::{Account, Operator, User},
    creds::Creds,
    files::is_open_to_others,
    nkey::{KeyPair, NkeyErrorKind, PublicKey},
    token::{Kind, Token},
};

/// What `nsc` keeps for one user of the system.
#[derive(Clone, Debug)]
pub struct Nsc {
    stores: PathBuf,
    keys: PathBuf,
}

/// An operator as `nsc` keeps it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NscOperator {
    /// The operator's token.
    pub operator: NscToken<Operator>,
    /// Its accounts, by name.
    pub accounts: Vec<NscAccount>,
}

/// An account as `nsc` keeps it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NscAccount {
    /// The account's token.
    pub account: NscToken<Account>,
    /// The tokens of its users, by name.
    pub users: Vec<NscToken<User>>,
}

/// A token in a file. `Debug` does not show its text.
#[derive(Clone)]
#[non_exhaustive]
pub struct NscToken<K> {
    /// The name of the file, without its ending.
    pub name: String,
    /// The text.
    pub text: String,
    /// What it says.
    pub token: Token<K>,
}

impl Nsc {
    /// Returns what is in the usual place below this home folder: `.local/share/nats/nsc`.
    pub fn in_home(home: impl AsRef<Path>) -> Self {
        let nsc = home.as_ref().join(".local/share/nats/nsc");
        Self { stores: nsc.join("stores"), keys: nsc.join("keys") }
    }

    /// Returns what is in these folders: that of the stores, and that of keys (`NKEYS_PATH`).
    pub fn at(stores: impl Into<PathBuf>, keys: impl Into<PathBuf>) -> Self {
        Self { stores: stores.into(), keys: keys.into() }
    }

    /// Returns the names of the operators.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read.
    pub fn operators(&self) -> Result<Vec<String>, NscError> {
        folders(&self.stores)
    }

    /// Reads an operator with its accounts and their users, without any key.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, or is no token of its kind.
    pub fn operator(&self, name: &str) -> Result<NscOperator, NscError> {
        let folder = self.stores.join(plain(name)?);
        let operator = read_token(&folder.join(format!("{name}.jwt")))?;
        let accounts = folder.join("accounts");
        let names = if accounts.is_dir() { folders(&accounts)? } else { Vec::new() };
        let accounts = names.iter().map(|name| read_account(&accounts.join(name), name)).collect::<Result<_, _>>()?;
        Ok(NscOperator { operator, accounts })
    }

    /// Reads the seed of a public key.
    ///
    /// # Errors
    ///
    /// If it is not there, other users of the system can read the file, or it is that of another key.
    pub fn key(&self, key: &PublicKey) -> Result<KeyPair, NscError> {
        let text = key.as_str();
        let path = self.keys.join("keys").join(&text[..1]).join(&text[1..3]).join(format!("{text}.nk"));
        let seed = read_private(&path)?;
        let pair = KeyPair::from_seed(seed.trim()).map_err(|error| NscError::key(&path, error))?;
        if pair.public_key() == key { Ok(pair) } else { Err(NscError::key(&path, NkeyErrorKind::Mismatch.into())) }
    }

    /// Reads the credentials file of a user.
    ///
    /// # Errors
    ///
    /// If it is not there, other users of the system can read it, or it is none.
    pub fn creds(&self, operator: &str, account: &str, user: &str) -> Result<Creds, NscError> {
        let folder = self.keys.join("creds").join(plain(operator)?).join(plain(account)?);
        let path = folder.join(format!("{}.creds", plain(user)?));
        Creds::parse(&read_private(&path)?).map_err(|error| NscError::creds(&path, error))
    }
}

impl<K: std::fmt::Debug> std::fmt::Debug for NscToken<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NscToken").field("name", &self.name).field("token", &self.token).finish_non_exhaustive()
    }
}

fn read_account(folder: &Path, name: &str) -> Result<NscAccount, NscError> {
    let account = read_token(&folder.join(format!("{name}.jwt")))?;
    let users = folder.join("users");
    let mut paths = Vec::new();
    if users.is_dir() {
        for entry in fs::read_dir(&users).map_err(|error| NscError::file(&users, error))? {
            let path = entry.map_err(|error| NscError::file(&users, error))?.path();
            if path.extension().is_some_and(|ending| ending == "jwt") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    let users = paths.iter().map(|path| read_token(path)).collect::<Result<_, _>>()?;
    Ok(NscAccount { account, users })
}

fn read_token<K: Kind>(path: &Path) -> Result<NscToken<K>, NscError> {
    let text = fs::read_to_string(path).map_err(|error| NscError::file(path, error))?;
    let text = text.trim().to_owned();
    let token = Token::read(&text).map_err(|error| NscError::token(path, error))?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(NscToken { name, text, token })
}

/// Reads a file with a seed, unless others can read it, too.
fn read_private(path: &Path) -> Result<Zeroizing<String>, NscError> {
    if is_open_to_others(path).map_err(|error| NscError::file(path, error))? {
        return Err(NscError::open(path));
    }
    fs::read_to_string(path).map(Zeroizing::new).map_err(|error| NscError::file(path, error))
}

/// Returns the names of the folders in a folder, sorted.
fn folders(path: &Path) -> Result<Vec<String>, NscError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(|error| NscError::file(path, error))? {
        let entry = entry.map_err(|error| NscError::file(path, error))?;
        if entry.path().is_dir()
            && let Ok(name) = entry.file_name().into_string()
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Refuses a name that would lead to another folder.
fn plain(name: &str) -> Result<&str, NscError> {
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
        Err(NscError::name())
    } else {
        Ok(name)
    }
}
