//! [`AccountDirectory`]: accounts in files.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use portcullis_core::ConfigError;
use tokio::{task::spawn_blocking, time::Instant};

use super::{AccountResolver, ResolverError};
use crate::{claims::Account, nkey::AccountKey, token::Token};

/// Accounts in files: the folder of a nats-server's full resolver, or the store of `nsc`.
///
/// - A path is only ever made of a valid id, or of what the folder has in it. A file that lies elsewhere, through a symbolic link, is an error;
///   links within the folder are followed, as in a mounted `ConfigMap`. The folder may itself be a link, which may be changed to another folder at any time.
/// - A folder that is gone is an error, not the answer that there is no such account. An empty one has no accounts, so mount a volume above the folder: where one is not mounted, the folder is then
///   gone, and not empty.
/// - A file has at most a mebibyte, as in nats-server. Files are read with each look-up, in threads that may block.
/// - Write a file under another name and rename it: half a file is no token, and the account that was read before is used meanwhile.
#[derive(Clone, Debug)]
pub struct AccountDirectory(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// As it was given. A link is followed at each look-up, because it may be changed to another folder.
    folder: PathBuf,
    layout: Layout,
}

#[derive(Debug)]
enum Layout {
    /// `<id>.jwt`, or the same in a folder that is named after the last two characters of the id.
    Server,
    /// `accounts/<name>/<name>.jwt`.
    Nsc(Mutex<Index>),
}

/// Which file in the store of `nsc` is whose.
#[derive(Debug)]
struct Index {
    /// Within the folder.
    paths: HashMap<AccountKey, PathBuf>,
    read_at: Instant,
}

/// The longest file that is read.
const LONGEST: u64 = 1024 * 1024;

/// How long an index is not read again because of an account that is not in it.
const INDEX_KEPT: Duration = Duration::from_secs(5);

/// How many accounts a store may have.
const MOST: usize = 100_000;

impl AccountDirectory {
    /// Reads the folder of a nats-server with `resolver: { type: full, dir: … }`, sharded or not. A nats-server writes the accounts there that
    /// `nsc push` sends to it.
    ///
    /// # Errors
    ///
    /// If there is no such folder.
    pub fn new(folder: impl AsRef<Path>) -> Result<Self, ConfigError> {
        Ok(Self(Arc::new(Inner { folder: existing(folder.as_ref())?, layout: Layout::Server })))
    }

    /// Reads an operator's folder in the store of `nsc`, such as `~/.local/share/nats/nsc/stores/<operator>`. Its files are named after accounts,
    /// so all of them are read now, and again when an account is not found, at most once in five seconds. Blocks meanwhile.
    ///
    /// # Errors
    ///
    /// If there is no such folder, or it has no `accounts` in it.
    pub fn nsc(operator: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let folder = existing(&operator.as_ref().join("accounts"))?;
        let index = real(&folder)
            .and_then(|folder| Index::read(&folder))
            .map_err(|error| ConfigError::new(format!("{}: {error}", folder.display())))?;
        Ok(Self(Arc::new(Inner { folder, layout: Layout::Nsc(Mutex::new(index)) })))
    }
}

impl AccountResolver for AccountDirectory {
    async fn fetch(&self, id: &AccountKey) -> Result<Option<String>, ResolverError> {
        let (inner, id) = (Arc::clone(&self.0), *id);
        let read = spawn_blocking(move || inner.read(&id)).await;
        read.unwrap_or_else(|_| Err(ResolverError::new("reading the files of accounts has panicked")))
    }
}

impl Inner {
    fn read(&self, id: &AccountKey) -> Result<Option<String>, ResolverError> {
        // A folder that is gone says nothing about accounts.
        let folder = real(&self.folder).map_err(|error| unreadable(&self.folder, error))?;
        for path in self.paths(id, &folder)? {
            if let Some(text) = read_file(&folder, &path).map_err(|error| unreadable(&path, error))? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    /// Returns where the account may be.
    fn paths(&self, id: &AccountKey, folder: &Path) -> Result<Vec<PathBuf>, ResolverError> {
        match &self.layout {
            Layout::Server => {
                let (file, shard) = (format!("{id}.jwt"), &id.as_str()[id.as_str().len() - 2..]);
                Ok(vec![folder.join(&file), folder.join(shard).join(&file)])
            }
            Layout::Nsc(index) => {
                let mut index = index.lock().unwrap_or_else(PoisonError::into_inner);
                if !index.paths.contains_key(id) && index.read_at.elapsed() >= INDEX_KEPT {
                    *index = Index::read(folder).map_err(|error| unreadable(&self.folder, error))?;
                }
                Ok(index.paths.get(id).map(|path| folder.join(path)).into_iter().collect())
            }
        }
    }
}

/// Returns the path of a folder, which is there, whatever the current folder of the process becomes.
fn existing(folder: &Path) -> Result<PathBuf, ConfigError> {
    let problem = |error: io::Error| ConfigError::new(format!("the folder of accounts {}: {error}", folder.display()));
    real(folder).and_then(|_| std::path::absolute(folder)).map_err(problem)
}

/// Returns the path of a folder without symbolic links.
fn real(folder: &Path) -> io::Result<PathBuf> {
    let path = folder.canonicalize()?;
    if path.is_dir() { Ok(path) } else { Err(io::Error::other("it is no folder")) }
}

/// Returns the text of a file that lies in this folder; `None` if there is none.
fn read_file(folder: &Path, path: &Path) -> io::Result<Option<String>> {
    let real = match path.canonicalize() {
        Ok(real) => real,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(error),
    };
    if !real.starts_with(folder) {
        return Err(io::Error::other("it is a link to a file outside of the folder of accounts"));
    }
    // Before it is opened, because opening a pipe would wait for a writer.
    if !real.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut text = String::new();
    File::open(&real)?.take(LONGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST {
        return Err(io::Error::other("it has more than a mebibyte"));
    }
    Ok(Some(text))
}

impl Index {
    /// Reads the folder `accounts` of a store. What is no account is left out.
    fn read(folder: &Path) -> io::Result<Self> {
        // A file that is written meanwhile may be missing.
        let read_at = Instant::now();
        let mut paths = HashMap::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let mut file = entry.file_name();
            file.push(".jwt");
            let path = Path::new(&entry.file_name()).join(file);
            let Ok(Some(text)) = read_file(folder, &folder.join(&path)) else { continue };
            let Ok(token) = Token::<Account>::read(text.trim()) else { continue };
            if let Ok(id) = AccountKey::try_from(token.registered.subject) {
                paths.insert(id, path);
            }
            if paths.len() > MOST {
                return Err(io::Error::other("there are more than 100 000 accounts"));
            }
        }
        Ok(Self { paths, read_at })
    }
}

fn unreadable(path: &Path, error: io::Error) -> ResolverError {
    ResolverError::new(format!("{} cannot be read", path.display())).with_source(error)
}
