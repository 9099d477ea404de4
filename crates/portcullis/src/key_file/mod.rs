//! [`KeyFile`]: keys in a file, watched and replaced while the service runs.

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

use arc_swap::{ArcSwap, ArcSwapOption};
use portcullis_core::{
    ConfigError, KeySet, UnixTime,
    keys::{AlgorithmSet, KeyHint, KeySource, Resolved},
};
use zeroize::Zeroizing;

use self::{format::Contents, watch::Watch};
use crate::telemetry;

/// How much of a file is read at most: twice the limit of a key set.
const MAX_FILE: u64 = 1024 * 1024;

/// A [`KeySource`] with the keys of a file, which can be watched and replaced while the service runs.
///
/// 1. The file contains one PEM key, one JWK or a JWK Set; the first characters show which.
/// 2. Every key in it has to be usable. An unusable key in your own file is a mistake, and the error lists all mistakes.
///    ([`KeySet::from_jwks`] reads sets from elsewhere more leniently.)
/// 3. A PEM key has no id, and a key without an id is never used for a token whose header has a `kid`. Most issuers set `kid`: give the
///    key that id with [`KeyFile::open_named`], or write the key as a JWK.
/// 4. [`KeyFile::watch`] reads the file again at intervals and compares the content, so it notices every way of replacing the file: in
///    place, by rename, through the links with which Kubernetes swaps a mounted secret, on a network file system.
/// 5. New content replaces all keys at once. If it cannot be used, or the file is gone, the old keys stay in use; a warning and
///    [`KeyFile::last_error`] say what is wrong.
///
/// # Example
///
/// ```no_run
/// use std::time::Duration;
/// use portcullis::{Admission, JwtAuthenticator, KeyFile, TrustedIssuer};
///
/// # fn main() -> Result<(), portcullis::ConfigError> {
/// let keys = KeyFile::open("/etc/orders/jwks.json")?.watch(Duration::from_secs(5))?;
/// let admission = Admission::new(JwtAuthenticator::new(TrustedIssuer::new("https://login.example.com", keys).audience("orders"))?);
/// # Ok(())
/// # }
/// ```
///
/// Cheap to clone; clones share the keys and the watch. The watch ends when the last clone is dropped.
#[derive(Clone)]
pub struct KeyFile {
    shared: Arc<Shared>,
    watch: Option<Arc<Watch>>,
}

/// The result of reading the file again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reload {
    /// The content has not changed.
    Unchanged,
    /// The keys were replaced.
    Swapped,
}

struct Shared {
    path: PathBuf,
    contents: Contents,
    keys: ArcSwap<Edition>,
    /// The content from which the current keys were read.
    text: Mutex<Zeroizing<String>>,
    /// Why the last read failed. Not behind the lock, which is held while the file is read.
    last_error: ArcSwapOption<ConfigError>,
}

/// The keys of one version of the content.
struct Edition {
    number: u64,
    keys: KeySet,
}

impl KeyFile {
    /// Reads public keys: a PEM key, a JWK or a JWK Set.
    ///
    /// A PEM key has no id: opened this way, it verifies only tokens whose header has no `kid`. For other tokens see
    /// [`open_named`](Self::open_named).
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or a key in it cannot be used. The error lists all problems, with the file's name.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        Self::open_as(path.into(), Contents::PublicKeys)
    }

    /// Reads one public key, a PEM key or a JWK, and gives it this id: the `kid` that the issuer writes into its tokens.
    ///
    /// The id stays when the file is read again. It replaces the `kid` of a JWK.
    ///
    /// # Errors
    ///
    /// As [`KeyFile::open`], and if the file holds a JWK Set or the id is empty.
    pub fn open_named(path: impl Into<PathBuf>, key_id: impl Into<String>) -> Result<Self, ConfigError> {
        Self::open_as(path.into(), Contents::NamedPublicKey(key_id.into()))
    }

    /// Reads shared secrets: a JWK Set that contains only `oct` keys.
    ///
    /// This is a separate function, so that a file with a secret is never mistaken for one that may be published.
    ///
    /// # Errors
    ///
    /// As [`KeyFile::open`].
    pub fn open_secrets(path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        Self::open_as(path.into(), Contents::Secrets)
    }

    /// Reads the file again at this interval, in a thread that ends with the last clone of this handle.
    ///
    /// # Errors
    ///
    /// If `every` is zero, or the operating system cannot start a thread.
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

    /// Reads the file now, for example on `SIGHUP` or in a test.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or used. The previous keys then stay in use.
    pub fn reload(&self) -> Result<Reload, ConfigError> {
        self.shared.reload()
    }

    /// Returns why the last read of the file failed; `None` if it succeeded. For readiness checks and alarms: the previous keys are still
    /// in use.
    pub fn last_error(&self) -> Option<ConfigError> {
        self.shared.last_error.load_full().map(|error| ConfigError::clone(&error))
    }

    /// Returns the current keys.
    pub fn keys(&self) -> KeySet {
        self.shared.keys.load().keys.clone()
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    fn open_as(path: PathBuf, contents: Contents) -> Result<Self, ConfigError> {
        let text = read(&path).map_err(|error| in_file(&path, error))?;
        let keys = contents.parse(&text).map_err(|problems| in_file(&path, problems))?;
        let (keys, text) = (ArcSwap::from_pointee(Edition { number: 0, keys }), Mutex::new(text));
        let shared = Shared { path, contents, keys, text, last_error: ArcSwapOption::empty() };
        Ok(Self { shared: Arc::new(shared), watch: None })
    }
}

impl KeySource for KeyFile {
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved {
        self.shared.keys.load().keys.resolve(hint, now)
    }

    fn edition(&self, _now: UnixTime) -> Option<u64> {
        Some(self.shared.keys.load().number)
    }

    fn algorithms(&self) -> AlgorithmSet {
        self.shared.keys.load().keys.algorithms()
    }

    fn describe(&self, hint: KeyHint<'_>) -> Option<String> {
        self.shared.keys.load().keys.describe(hint)
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
        let outcome = self.swap();
        self.last_error.store(outcome.as_ref().err().cloned().map(Arc::new));
        outcome
    }

    fn swap(&self) -> Result<Reload, ConfigError> {
        let mut in_use = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        let text = read(&self.path).map_err(|error| self.problem(&error))?;
        if *in_use == text {
            return Ok(Reload::Unchanged);
        }
        let keys = self.contents.parse(&text).map_err(|problems| in_file(&self.path, problems))?;
        let number = self.keys.load().number + 1; // under the lock, so that no number is used twice
        self.keys.store(Arc::new(Edition { number, keys }));
        *in_use = text;
        Ok(Reload::Swapped)
    }

    /// Reports a mistake once, however often the file is read.
    fn reload_and_report(&self) {
        let known = self.last_error.load_full();
        match self.reload() {
            Ok(Reload::Unchanged) => {}
            Ok(Reload::Swapped) => telemetry::key_file_swapped(&self.path),
            Err(error) if known.is_some_and(|known| known.to_string() == error.to_string()) => {}
            Err(error) => telemetry::key_file_unusable(&error),
        }
    }

    fn problem(&self, error: &io::Error) -> ConfigError {
        in_file(&self.path, error)
    }
}

fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    let mut octets = Zeroizing::new(Vec::new());
    // One byte more than is allowed, so that a truncated file is not used as if it were complete.
    let length = File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut octets)?;
    if length as u64 > MAX_FILE {
        return Err(io::Error::other("it is longer than 1 MiB, twice what a set of keys may have"));
    }
    match std::str::from_utf8(&octets) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(io::Error::new(io::ErrorKind::InvalidData, not_text(&octets))),
    }
}

fn not_text(octets: &[u8]) -> &'static str {
    match octets {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "it is written in UTF-16: save it as UTF-8",
        [0x30, ..] => {
            "it is no text but DER, it seems: write the key as PEM (`openssl pkey -pubin -inform der -in key.der`)"
        }
        _ => "it is no text in UTF-8",
    }
}

fn in_file(path: &Path, problem: impl fmt::Display) -> ConfigError {
    ConfigError::new(format!("key file {}: {problem}", path.display()))
}
