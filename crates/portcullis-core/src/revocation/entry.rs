//! [`Revocation`] and [`RevocationEntry`]: what is revoked, and how long that has to be remembered.

use std::{borrow::Cow, error::Error, fmt, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::{Value, error::Category};

use crate::{UnixTime, policy::Leeway};

/// A level of the ladder of revocations; see [`Revocation`] for the arguments of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Level {
    /// One token, by its `jti`.
    Token,
    /// A session, by its `sid`.
    Session,
    /// All of a subject's tokens up to an instant.
    Subject,
    /// All of a subject's tokens of an earlier version, by `ver`.
    Version,
    /// All of a client's tokens up to an instant.
    Client,
    /// All tokens that a key signed.
    Key,
    /// All of an issuer's tokens up to an instant.
    Issuer,
}

/// What an entry of a level says besides an id.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bound {
    /// Nothing else: the id is revoked.
    Nothing,
    /// The cut-off: everything up to and including this time is revoked.
    CutOff,
    /// The version: everything below it is revoked.
    Version,
}

impl Level {
    /// All levels.
    pub const ALL: [Self; 7] =
        [Self::Token, Self::Session, Self::Subject, Self::Version, Self::Client, Self::Key, Self::Issuer];

    /// Returns the stable name, for logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Session => "session",
            Self::Subject => "subject",
            Self::Version => "version",
            Self::Client => "client",
            Self::Key => "key",
            Self::Issuer => "issuer",
        }
    }

    /// Returns the lowest format version whose readers know this level. A new level takes the next number: older readers then report an
    /// entry of a later version, and their view is not fresh until the entry expires. With the number of an older version, the entry
    /// would only be unreadable to them, and they would admit what it revokes.
    const fn format(self) -> u32 {
        match self {
            Self::Token | Self::Session | Self::Subject | Self::Version | Self::Client | Self::Key | Self::Issuer => 1,
        }
    }

    const fn bound(self) -> Bound {
        match self {
            Self::Token | Self::Session | Self::Key => Bound::Nothing,
            Self::Subject | Self::Client | Self::Issuer => Bound::CutOff,
            Self::Version => Bound::Version,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Longer ids are replaced by their SHA-256 in logs and views, so that a client that chooses an id cannot fill them.
const LONGEST_ID: usize = 255;

/// A revocation: one value for each call of an application.
///
/// ```
/// use portcullis_core::UnixTime;
/// use portcullis_core::policy::Leeway;
/// use portcullis_core::revocation::{Level, Revocation};
///
/// let now = UnixTime::from_secs(1_800_000_000);
/// let cut_off = Revocation::cut_off_at(now, Leeway::default());
/// let everything_of_alice = Revocation::subject("https://login.example.com", "alice", cut_off);
/// assert_eq!(everything_of_alice.level(), Level::Subject);
/// ```
///
/// A revocation of an empty id can be constructed, but [hits nothing](Self::hits_nothing): a token with an empty `sub` has no subject,
/// and likewise for `jti`, `sid` and `client_id`. `Revocations` of the crate `portcullis-store` refuses it.
///
/// `Debug` shows level and issuer, but no personal data.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Revocation {
    level: Level,
    issuer: Box<str>,
    id: Box<str>,
    bound: u64,
    expires_at: Option<UnixTime>,
}

impl Revocation {
    fn new(level: Level, issuer: &str, id: &str, bound: u64) -> Self {
        Self { level, issuer: short(issuer).into(), id: short(id).into(), bound, expires_at: None }
    }

    /// Revokes one token of `issuer`, by its id (`jti`), that expires at `expires_at`. (With a wrong expiry it is remembered for the
    /// wrong time; the token's [`Facts`](crate::verified::Facts) have all three values.)
    pub fn token(issuer: &str, token_id: &str, expires_at: UnixTime) -> Self {
        Self { expires_at: Some(expires_at), ..Self::new(Level::Token, issuer, token_id, 0) }
    }

    /// Revokes all tokens issued in a session (`sid`).
    pub fn session(issuer: &str, session_id: &str) -> Self {
        Self::new(Level::Session, issuer, session_id, 0)
    }

    /// Revokes all tokens issued to a subject (`sub`) up to and including the second of `cut_off`: "log out everywhere". Usually with
    /// [`cut_off_at`](Self::cut_off_at) now.
    ///
    /// Tokens that the subject gets by logging in again before that second has passed are revoked too. For your own issuer use
    /// [`version`](Self::version), which does not have this gap.
    pub fn subject(issuer: &str, subject: &str, cut_off: UnixTime) -> Self {
        Self::new(Level::Subject, issuer, subject, cut_off.as_secs())
    }

    /// Returns the cut-off for tokens issued up to `now`: later than that by the leeway.
    ///
    /// An issuer's clock may be ahead of ours by the leeway, and then tokens that it has already issued have later times. With a cut-off
    /// of `now`, they would stay valid. The cost: a login within the leeway after the cut-off is revoked as well, and has to be repeated.
    /// Token versions ([`version`](Self::version)), for your own issuer, have neither gap.
    pub fn cut_off_at(now: UnixTime, leeway: Leeway) -> UnixTime {
        now.plus(leeway.as_duration())
    }

    /// Revokes all tokens of a subject (`sub`) with a token version (`ver`) below `current`, the version of its next token.
    pub fn version(issuer: &str, subject: &str, current: u64) -> Self {
        Self::new(Level::Version, issuer, subject, current)
    }

    /// Revokes all tokens issued to a client (`client_id`, or [where its issuer writes it](crate::TrustedIssuer::client_claim)) up to and
    /// including the second of `cut_off`.
    pub fn client(issuer: &str, client_id: &str, cut_off: UnixTime) -> Self {
        Self::new(Level::Client, issuer, client_id, cut_off.as_secs())
    }

    /// Revokes all tokens that a key (`kid`) of `issuer` signed, at any time, because a thief of the key can write any time into a token.
    ///
    /// Remove the key from the issuer's key set as well, so that no service trusts it any more. The revocation takes effect until all
    /// services have seen that. (Running instances remember it permanently.)
    pub fn key(issuer: &str, key_id: &str) -> Self {
        Self::new(Level::Key, issuer, key_id, 0)
    }

    /// Revokes all tokens that an issuer issued up to and including the second of `cut_off`.
    pub fn issuer(issuer: &str, cut_off: UnixTime) -> Self {
        Self::new(Level::Issuer, issuer, "", cut_off.as_secs())
    }

    /// Returns its level.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Returns the issuer of the tokens, the value of `iss`. (If that is very long, `sha256:` and its hash.)
    pub fn of_issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns the id of the token, session, subject, client or key; empty for an issuer. (If it is very long, `sha256:` and its hash.)
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the time up to and including which tokens are revoked: for subjects, clients and issuers.
    pub fn cut_off(&self) -> Option<UnixTime> {
        (self.level.bound() == Bound::CutOff).then(|| UnixTime::from_secs(self.bound))
    }

    /// Returns the lowest version of a subject's tokens that is not revoked.
    pub fn current_version(&self) -> Option<u64> {
        (self.level.bound() == Bound::Version).then_some(self.bound)
    }

    /// Whether it can hit no token, because the issuer or the id is empty.
    pub fn hits_nothing(&self) -> bool {
        self.issuer.is_empty() || (self.id.is_empty() && self.level != Level::Issuer)
    }

    /// Returns a number that is greater for the stricter of two revocations of the same id.
    pub(crate) fn bound(&self) -> u64 {
        self.bound
    }

    /// Returns the entry that remembers it from `now` on for as long as a token that it hits can live, if none lives longer than
    /// `horizon`.
    pub(crate) fn entry(&self, now: UnixTime, horizon: Duration) -> RevocationEntry {
        let last_alive = self.expires_at.map_or(now.plus(horizon), |expiry| expiry.min(now.plus(LONGEST)));
        RevocationEntry::new(self.clone(), last_alive.plus(RevocationEntry::MARGIN))
    }
}

/// Returns an id in the form of logs and views.
pub(crate) fn short(id: &str) -> Cow<'_, str> {
    if id.len() <= LONGEST_ID {
        return Cow::Borrowed(id);
    }
    Cow::Owned(format!("sha256:{}", URL_SAFE_NO_PAD.encode(digest(&SHA256, id.as_bytes()))))
}

impl fmt::Debug for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocation").field("level", &self.level).field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// An entry of a log: a revocation, and the time until which it has to be remembered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RevocationEntry {
    revocation: Revocation,
    until: UnixTime,
}

/// The limit for a token's own expiry, because the number in the token may be anything.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

impl RevocationEntry {
    /// How much longer than the lifetime of tokens an entry is remembered: the leeway (at most five minutes) and differing clocks. So an
    /// entry's `until` is at most the horizon plus this after the moment at which it was made, unless it is for a token that lives longer.
    pub const MARGIN: Duration = Duration::from_secs(600);

    /// Returns an entry that is remembered until `until`. Applications need not make any: see `Revocations` of the crate
    /// `portcullis-store`.
    pub fn new(revocation: Revocation, until: UnixTime) -> Self {
        // The time is in `until` from here on, so that an entry that is read from a log equals the one that was appended.
        Self { revocation: Revocation { expires_at: None, ..revocation }, until }
    }

    /// Returns what is revoked.
    pub fn revocation(&self) -> &Revocation {
        &self.revocation
    }

    /// Returns the time from which a log may forget it.
    pub fn until(&self) -> UnixTime {
        self.until
    }

    /// Returns the entry in the form of a log: one line of JSON, which people can read as well.
    pub fn to_json(&self) -> String {
        let Revocation { level, issuer, id, .. } = &self.revocation;
        let line = Line {
            format: level.format(),
            level: *level,
            issuer: Cow::Borrowed(issuer),
            id: Cow::Borrowed(id),
            cut_off: self.revocation.cut_off().map(UnixTime::as_secs),
            current_version: self.revocation.current_version(),
            until: self.until.as_secs(),
        };
        // Strings and numbers, which JSON can always represent.
        serde_json::to_string(&line).unwrap_or_default()
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    ///
    /// If it is anything else, or an entry of a later version.
    pub fn from_json(text: &str) -> Result<Self, UnreadableEntry> {
        let line: Line<'_> = serde_json::from_str(text).map_err(|error| UnreadableEntry::of(text, error.classify()))?;
        let bound = match (line.level.bound(), line.cut_off, line.current_version) {
            // In the written form: one value for all times after the year 9999.
            (Bound::CutOff, Some(cut_off), None) => UnixTime::from_secs(cut_off).as_secs(),
            (Bound::Version, None, Some(current)) => current,
            (Bound::Nothing, None, None) => 0,
            (Bound::Nothing | Bound::CutOff | Bound::Version, ..) => {
                return Err(UnreadableEntry::of(text, Category::Data));
            }
        };
        // Texts that have all values, but that no version has written: an array of them, or an issuer with an id.
        let is_odd = !text.trim_start().starts_with('{') || (line.level == Level::Issuer && !line.id.is_empty());
        if !(1..=FORMAT).contains(&line.format) || is_odd {
            return Err(UnreadableEntry::of(text, Category::Data));
        }
        let revocation = Revocation::new(line.level, &line.issuer, &line.id, bound);
        Ok(Self::new(revocation, UnixTime::from_secs(line.until)))
    }
}

/// The latest format version that this crate reads: that of its newest level.
const FORMAT: u32 = {
    let (mut latest, mut at) = (0, 0);
    while at < Level::ALL.len() {
        let format = Level::ALL[at].format();
        latest = if format > latest { format } else { latest };
        at += 1;
    }
    latest
};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(rename = "v")]
    format: u32,
    #[serde(deserialize_with = "level")]
    level: Level,
    #[serde(borrow, rename = "iss")]
    issuer: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    id: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cut_off: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "current")]
    current_version: Option<u64>,
    until: u64,
}

/// Reads a level by its name. Derived code would also read an object with that name in it.
fn level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Level, D::Error> {
    let name = Cow::<str>::deserialize(deserializer)?;
    let known = Level::ALL.into_iter().find(|level| level.as_str() == name);
    known.ok_or_else(|| D::Error::custom("no level of this version"))
}

/// A text in a log that cannot be read as an entry. It is not known what it revokes, if anything. Shows nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnreadableEntry {
    category: Category,
    is_of_later_version: bool,
    until: Option<UnixTime>,
}

impl UnreadableEntry {
    fn of(text: &str, category: Category) -> Self {
        #[derive(Deserialize)]
        struct Format {
            v: u64,
            until: Option<Value>,
        }
        // Derived code would also read an array of the values, which no version writes.
        let object = Some(text).filter(|text| text.trim_start().starts_with('{'));
        let format = object.and_then(|text| serde_json::from_str::<Format>(text).ok());
        let format = format.filter(|format| format.v > u64::from(FORMAT));
        let is_of_later_version = format.is_some();
        let until = format.and_then(|format| format.until?.as_u64()).map(UnixTime::from_secs);
        Self { category, is_of_later_version, until }
    }

    /// Whether a later version of this crate has written it: it revokes something that this version does not know.
    pub fn is_of_later_version(&self) -> bool {
        self.is_of_later_version
    }

    /// Returns until when an entry of a later version has to be remembered, if it has `until` in the form of this version.
    pub fn until(&self) -> Option<UnixTime> {
        self.until
    }
}

impl fmt::Display for UnreadableEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.category {
            Category::Data => "the entry is of a form that this version does not know",
            _ => "the entry is not JSON",
        })
    }
}

impl Error for UnreadableEntry {}

#[cfg(test)]
mod tests {
    use super::*;

    /// An entry has the lowest version that knows its level, not the latest: instances of both versions read what both know while a
    /// service is upgraded.
    #[test]
    fn an_entry_bears_the_version_of_its_level() {
        for level in Level::ALL {
            let entry = RevocationEntry::new(
                Revocation::new(level, "i", if level == Level::Issuer { "" } else { "x" }, 7),
                UnixTime::MAX,
            );
            let text = entry.to_json();
            assert!(text.starts_with(&format!(r#"{{"v":{},"#, level.format())), "{text}");
            assert_eq!(RevocationEntry::from_json(&text).unwrap().revocation().level(), level);
            assert!(RevocationEntry::from_json(&text.replacen(r#""v":1"#, r#""v":0"#, 1)).is_err());
        }
    }

    /// How instances that are not upgraded yet read an entry of a new level.
    #[test]
    fn an_entry_on_a_level_of_a_later_version_is_of_a_later_version() {
        let of = |format: u32| {
            let text = format!(r#"{{"v":{format},"level":"universe","iss":"i","until":1800000000}}"#);
            RevocationEntry::from_json(&text).unwrap_err().is_of_later_version()
        };
        assert!(of(FORMAT + 1));
        assert!(!of(FORMAT), "written by no version");
    }
}
