//! Keys in a file, watched and swapped while the service runs.
//!
//! 1. The file holds one PEM key, one JWK or a JWK Set; which of them is seen from its first characters.
//! 2. Everything in it has to be usable: a file of one's own with an odd key in it is a mistake, and all mistakes are
//!    listed at once. (A set from elsewhere is read more leniently: see [`KeySet::from_jwks`].)
//! 3. [`KeyFile::watch`] reads it again from time to time, by content, so that every way of replacing it is noticed:
//!    in place, by rename, through the links with which Kubernetes swaps a mounted secret, on a network file system.
//! 4. A new content is swapped in as a whole. One that cannot be used, or a file that is gone, changes nothing: the
//!    old keys stay, and a warning says what is wrong.
//!
//! # Example
//!
//! ```no_run
//! use std::time::Duration;
//! use portcullis::{JwtAuthenticator, KeyFile, TrustedIssuer};
//!
//! # fn main() -> Result<(), portcullis::ConfigError> {
//! let keys = KeyFile::open("/etc/orders/jwks.json")?.watch(Duration::from_secs(5))?;
//! let authenticator = JwtAuthenticator::new(TrustedIssuer::new("https://login.example.com", "orders", keys))?;
//! # Ok(())
//! # }
//! ```

mod format;
mod watch;

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use portcullis_core::{ConfigError, KeyHint, KeySet, KeySource, Resolved, UnixTime};
use zeroize::Zeroizing;

use self::{format::Contents, watch::Watch};
use crate::telemetry;

/// As much of a file as is read: twice what a set of keys may have.
const MAX_FILE: u64 = 1024 * 1024;

/// A [`KeySource`] of the keys in a file. See the [module docs](self).
///
/// Cheap to clone; clones share the keys and the watch, which ends with the last of them.
#[derive(Clone)]
pub struct KeyFile {
    shared: Arc<Shared>,
    watch: Option<Arc<Watch>>,
}

/// What reading the file again came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reload {
    /// The file holds what it held.
    Unchanged,
    /// The keys were swapped.
    Swapped,
}

struct Shared {
    path: PathBuf,
    contents: Contents,
    keys: ArcSwap<KeySet>,
    /// What was read last, whether or not it could be used, so that one mistake is reported once.
    text: Mutex<Zeroizing<String>>,
}

impl KeyFile {
    /// Reads public keys: a PEM key, a JWK or a JWK Set.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or a key in it cannot be used: all problems, with the file's name.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        Self::open_as(path.into(), Contents::PublicKeys)
    }

    /// Reads shared secrets: a JWK Set of nothing but `oct` keys.
    ///
    /// A call of its own, so that a file with a secret is never taken for one that may be published.
    ///
    /// # Errors
    ///
    /// As [`KeyFile::open`].
    pub fn open_secrets(path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        Self::open_as(path.into(), Contents::Secrets)
    }

    /// Reads the file again every so often, in a thread of its own that ends with the last clone of this handle.
    ///
    /// # Errors
    ///
    /// If `every` is zero, or the operating system gives no thread.
    pub fn watch(mut self, every: Duration) -> Result<Self, ConfigError> {
        if every.is_zero() {
            return Err(ConfigError::new("a key file cannot be watched every 0 s: give an interval such as 5 s"));
        }
        let shared = Arc::downgrade(&self.shared);
        let look = move || shared.upgrade().map(|shared| shared.reload_and_report());
        let watch = Watch::start(every, look).map_err(|error| self.shared.problem(&error))?;
        self.watch = Some(Arc::new(watch));
        Ok(self)
    }

    /// Reads the file now: on `SIGHUP`, say, or in a test.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or used. The keys are then those from before.
    pub fn reload(&self) -> Result<Reload, ConfigError> {
        self.shared.reload()
    }

    /// The keys as they are now.
    pub fn keys(&self) -> KeySet {
        KeySet::clone(&self.shared.keys.load())
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    fn open_as(path: PathBuf, contents: Contents) -> Result<Self, ConfigError> {
        let text = read(&path).map_err(|error| in_file(&path, error))?;
        let keys = contents.parse(&text).map_err(|problems| in_file(&path, problems))?;
        let shared = Shared { path, contents, keys: ArcSwap::from_pointee(keys), text: Mutex::new(text) };
        Ok(Self { shared: Arc::new(shared), watch: None })
    }
}

impl KeySource for KeyFile {
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved {
        self.shared.keys.load().resolve(hint, now)
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyFile")
            .field("path", &self.shared.path)
            .field("keys", &self.keys())
            .field("watched", &self.watch.is_some())
            .finish()
    }
}

impl Shared {
    fn reload(&self) -> Result<Reload, ConfigError> {
        let read = read(&self.path).map_err(|error| self.problem(&error))?;
        let mut last = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        if *last == read {
            return Ok(Reload::Unchanged);
        }
        let parsed = self.contents.parse(&read);
        *last = read;
        let keys = parsed.map_err(|problems| in_file(&self.path, problems))?;
        self.keys.store(Arc::new(keys));
        Ok(Reload::Swapped)
    }

    fn reload_and_report(&self) {
        match self.reload() {
            Ok(Reload::Unchanged) => {}
            Ok(Reload::Swapped) => telemetry::key_file_swapped(&self.path),
            Err(error) => telemetry::key_file_unusable(&error),
        }
    }

    fn problem(&self, error: &io::Error) -> ConfigError {
        in_file(&self.path, error)
    }
}

fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    File::open(path)?.take(MAX_FILE).read_to_string(&mut text)?;
    Ok(text)
}

fn in_file(path: &Path, problem: impl fmt::Display) -> ConfigError {
    ConfigError::new(format!("key file {}: {problem}", path.display()))
}
