//! Where the log of revocations is kept.

use std::{
    error::Error,
    fmt,
    path::{Path, PathBuf},
};

use portcullis::revocation::LogError;
#[cfg(feature = "nats")]
use portcullis_store::JetStreamLog;
#[cfg(feature = "postgres")]
use portcullis_store::PostgresLog;
#[cfg(feature = "redis")]
use portcullis_store::RedisLog;
use portcullis_store::{MemoryLog, RedbLog, Revocations, RevocationsBuilder};
use zeroize::Zeroizing;

/// A log, not opened yet. `Display` and `Debug` show no URL: there may be a password in it.
#[derive(PartialEq, Eq)]
pub(crate) enum LogPlace {
    /// Nowhere: revocations end with the process.
    Memory,
    /// For one instance.
    File(PathBuf),
    /// For any number of instances.
    Server { kind: &'static str, url: Zeroizing<String> },
}

type Open = fn(&str) -> Result<RevocationsBuilder, LogError>;

/// Schemes of URLs, and the kind of server that they lead to, which is also the cargo feature's name.
const SCHEMES: [(&str, &str); 8] = [
    ("redis", "redis"),
    ("rediss", "redis"),
    ("valkey", "redis"),
    ("valkeys", "redis"),
    ("nats", "nats"),
    ("tls", "nats"),
    ("postgres", "postgres"),
    ("postgresql", "postgres"),
];

/// The kinds that this program was built for. (All of them remember for a day, unless told otherwise, and no token of
/// this service may live longer.)
const BUILT: &[(&str, Open)] = &[
    #[cfg(feature = "redis")]
    ("redis", |url| RedisLog::new(url).map(Revocations::builder)),
    #[cfg(feature = "nats")]
    ("nats", |url| JetStreamLog::new(url).map(Revocations::builder)),
    #[cfg(feature = "postgres")]
    ("postgres", |url| PostgresLog::new(url).map(Revocations::builder)),
];

impl LogPlace {
    /// Reads what the file says. A path begins in `folder`. Nothing is opened or connected.
    ///
    /// # Errors
    ///
    /// What is wrong with it, without quoting it.
    pub(crate) fn parse(text: &str, folder: &Path) -> Result<Self, String> {
        if text == "memory" {
            return Ok(Self::Memory);
        }
        let Some((scheme, _)) = text.split_once("://") else {
            // Whatever else: `redis` or `Memory` would otherwise be a file of that name.
            let is_file = Path::new(text).extension().is_some_and(|extension| extension == "redb");
            return if is_file { Ok(Self::File(folder.join(text))) } else { Err(EXPECTED.to_owned()) };
        };
        let (_, kind) = SCHEMES.iter().find(|(known, _)| *known == scheme).ok_or(EXPECTED)?;
        let open = opener(kind).ok_or_else(|| {
            format!(
                "this program was built without {kind}: build it with `cargo build -p service-api --features {kind}`"
            )
        })?;
        open(text).map(drop).map_err(|error| error.to_string())?;
        Ok(Self::Server { kind, url: Zeroizing::new(text.to_owned()) })
    }

    /// Opens it. A server need not be there yet.
    ///
    /// # Errors
    ///
    /// If a file cannot be opened: another process has it open, for example.
    pub(crate) fn open(&self) -> Result<RevocationsBuilder, Box<dyn Error>> {
        match self {
            Self::Memory => Ok(Revocations::builder(MemoryLog::new())),
            Self::File(path) => Ok(Revocations::builder(RedbLog::open(path)?)),
            Self::Server { kind, url } => Ok(opener(kind).ok_or(EXPECTED)?(url)?),
        }
    }
}

const EXPECTED: &str = "expected `memory`, a file whose name ends with .redb, or a URL that begins with redis://, \
                        rediss://, nats://, tls:// or postgres://";

fn opener(kind: &str) -> Option<Open> {
    BUILT.iter().find(|(built, _)| *built == kind).map(|(_, open)| *open)
}

impl fmt::Display for LogPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Server { kind, .. } => f.write_str(kind),
        }
    }
}

impl fmt::Debug for LogPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogPlace({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, String> {
        LogPlace::parse(text, Path::new("/etc/orders")).map(|place| place.to_string())
    }

    #[test]
    fn memory_and_files_are_told_apart_from_mistakes() {
        assert_eq!(parse("memory"), Ok("memory".to_owned()));
        assert_eq!(parse("revocations.redb"), Ok("the file /etc/orders/revocations.redb".to_owned()));
        assert_eq!(parse("/var/lib/orders.redb"), Ok("the file /var/lib/orders.redb".to_owned()));
        for mistake in ["", "Memory", "redis", "redis:6379", "revocations.db", "mysql://hidden@localhost"] {
            assert_eq!(parse(mistake), Err(EXPECTED.to_owned()), "{mistake}");
        }
    }

    #[test]
    fn a_server_is_taken_if_the_program_was_built_for_it() {
        for (scheme, kind) in SCHEMES {
            let parsed = parse(&format!("{scheme}://user:hidden@localhost"));
            if opener(kind).is_some() {
                assert_eq!(parsed, Ok(kind.to_owned()), "{scheme}");
            } else {
                assert!(parsed.unwrap_err().contains(&format!("--features {kind}")), "{scheme}");
            }
        }
    }

    #[test]
    fn a_url_that_cannot_be_used_is_refused_and_not_quoted() {
        for (kind, _) in BUILT {
            let refused = parse(&format!("{kind}://user:hidden@local host:port/hidden")).unwrap_err();
            assert!(!refused.contains("hidden"), "{refused}");
        }
    }

    #[test]
    fn debug_shows_no_password() {
        let url = Zeroizing::new("redis://user:hidden@localhost".to_owned());
        assert_eq!(format!("{:?}", LogPlace::Server { kind: "redis", url }), "LogPlace(redis)");
    }
}
