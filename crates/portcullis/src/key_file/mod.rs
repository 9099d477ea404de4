//! Keys in a file, watched and swapped while the service runs.

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

/// As much of a file as is read: twice what a set of keys may have.
const MAX_FILE: u64 = 1024 * 1024;

/// A [`KeySource`] of the keys in a file, which can be watched and swapped while the service runs.
///
/// 1. The file holds one PEM key, one JWK or a JWK Set; which of them is seen from its first characters.
/// 2. Everything in it has to be usable: an odd key in your own file is a mistake, and all mistakes are listed at once.
///    (A set from elsewhere is read more leniently: see [`KeySet::from_jwks`].)
/// 3. A PEM key has no id, and a token whose header has a `kid` never meets a key without one. Most issuers set `kid`:
///    give the key that id by [`KeyFile::open_named`], or write the key as a JWK.
/// 4. [`KeyFile::watch`] reads it again from time to time, by content, so that every way of replacing it is noticed:
///    in place, by rename, through the links with which Kubernetes swaps a mounted secret, on a network file system.
/// 5. A new content is swapped in as a whole. One that cannot be used, or a file that is gone, changes nothing: the
///    old keys stay, a warning says what is wrong, and so does [`KeyFile::last_error`].
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
    keys: ArcSwap<Edition>,
    /// Where the keys in use were read from.
    text: Mutex<Zeroizing<String>>,
    /// Why the last look at the file came to nothing. Not behind the lock, which is held while the file is read.
    last_error: ArcSwapOption<ConfigError>,
}

/// The keys of one content.
struct Edition {
    number: u64,
    keys: KeySet,
}

impl KeyFile {
    /// Reads public keys: a PEM key, a JWK or a JWK Set.
    ///
    /// A PEM key has no id: opened so, it serves only tokens whose header has no `kid`. For others see
    /// [`open_named`](Self::open_named).
    ///
    /// # Errors
    ///
    /// If the file cannot be read or a key in it cannot be used: all problems, with the file's name.
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

    /// Reads shared secrets: a JWK Set of nothing but `oct` keys.
    ///
    /// This is a separate call, so that a file with a secret is never taken for one that may be published.
    ///
    /// # Errors
    ///
    /// As [`KeyFile::open`].
    pub fn open_secrets(path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        Self::open_as(path.into(), Contents::Secrets)
    }

    /// Reads the file again every so often, in a thread that ends with the last clone of this handle.
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

    /// Why the file could not be used when it was read last; `None` if it could. For readiness checks and alarms: the keys
    /// from before are still in use.
    pub fn last_error(&self) -> Option<ConfigError> {
        self.shared.last_error.load_full().map(|error| ConfigError::clone(&error))
    }

    /// The keys as they are now.
    pub fn keys(&self) -> KeySet {
        self.shared.keys.load().keys.clone()
    }

    /// Where the file is.
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
        let number = self.keys.load().number + 1; // under the lock, so that none is given twice
        self.keys.store(Arc::new(Edition { number, keys }));
        *in_use = text;
        Ok(Reload::Swapped)
    }

    /// Reports a mistake once, however often the file is looked at.
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
    // One byte more than is allowed: what is cut off is not read as if it were all.
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
