//! What is revoked, and until when that has to be remembered.

use std::{borrow::Cow, error::Error, fmt, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::{Value, error::Category};

use crate::{UnixTime, policy::Leeway};

/// On which level of the ladder something is revoked; see [`Revocation`] for what each takes.
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

/// What an entry on a level says besides an id.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bound {
    /// Nothing: the id is revoked.
    Nothing,
    /// Up to and including when.
    CutOff,
    /// Below which version.
    Version,
}

impl Level {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Token, Self::Session, Self::Subject, Self::Version, Self::Client, Self::Key, Self::Issuer];

    /// The stable name, for logs and metrics.
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

    /// The least version of the format whose readers know this level. A new level takes the next number: readers that do not know it then
    /// report an entry of a later version, and their view is not fresh until its time has passed. With the number of an older version the
    /// entry would be merely unreadable to them, and they would let in what it revokes.
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

/// Ids longer than this stand in logs and views as their SHA-256, so that whoever chooses an id cannot fill them.
const LONGEST_ID: usize = 255;

/// Something that is revoked: one value for each call of an application.
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
/// A revocation of an empty id can be made and [hits nothing](Self::hits_nothing): a token with an empty `sub` has no subject, and
/// likewise for `jti`, `sid` and `client_id`. `Revocations` of the crate `portcullis-store` refuses it.
///
/// `Debug` shows level and issuer, and nothing about a person.
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

    /// One token of `issuer`, by its id (`jti`), that expires at `expires_at`. (With the wrong expiry it is remembered for the wrong
    /// time: [`Facts`](crate::verified::Facts) of the token have all three.)
    pub fn token(issuer: &str, token_id: &str, expires_at: UnixTime) -> Self {
        Self { expires_at: Some(expires_at), ..Self::new(Level::Token, issuer, token_id, 0) }
    }

    /// What was issued in a session (`sid`).
    pub fn session(issuer: &str, session_id: &str) -> Self {
        Self::new(Level::Session, issuer, session_id, 0)
    }

    /// What a subject (`sub`) got up to and including the second of `cut_off`: log out everywhere. Usually
    /// [`cut_off_at`](Self::cut_off_at) now.
    ///
    /// What the subject gets up to that second by logging in again is revoked, too. An issuer of your own uses [`version`](Self::version),
    /// which has no such gap.
    pub fn subject(issuer: &str, subject: &str, cut_off: UnixTime) -> Self {
        Self::new(Level::Subject, issuer, subject, cut_off.as_secs())
    }

    /// Returns the cut-off for what was issued up to `now`: later than that by the leeway that tokens are given.
    ///
    /// An issuer's clock may be ahead of ours by the leeway, and then the tokens that it has issued up to now bear later times. A cut-off of
    /// `now` would leave them good. The price: a log-in within the leeway after the cut-off is revoked as well, and has to be repeated. Token
    /// versions ([`version`](Self::version)), which an issuer of your own can use, have neither gap.
    pub fn cut_off_at(now: UnixTime, leeway: Leeway) -> UnixTime {
        now.plus(leeway.as_duration())
    }

    /// What a subject (`sub`) got with a token version (`ver`) below `current`, the version that its next token gets.
    pub fn version(issuer: &str, subject: &str, current: u64) -> Self {
        Self::new(Level::Version, issuer, subject, current)
    }

    /// What a client (`client_id`, or [where its issuer writes it](crate::TrustedIssuer::client_claim)) got up to and including the second of `cut_off`.
    pub fn client(issuer: &str, client_id: &str, cut_off: UnixTime) -> Self {
        Self::new(Level::Client, issuer, client_id, cut_off.as_secs())
    }

    /// What a key (`kid`) of `issuer` signed, at whatever time: whoever has it can write any time into a token.
    ///
    /// Take the key out of the issuer's key set as well: then nobody trusts it any more. This is what holds until everybody has
    /// seen that. (While instances run they remember it for good.)
    pub fn key(issuer: &str, key_id: &str) -> Self {
        Self::new(Level::Key, issuer, key_id, 0)
    }

    /// What an issuer issued up to and including the second of `cut_off`.
    pub fn issuer(issuer: &str, cut_off: UnixTime) -> Self {
        Self::new(Level::Issuer, issuer, "", cut_off.as_secs())
    }

    /// On which level it is.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Whose tokens it is about: the value of `iss`. (If that is very long, `sha256:` and its hash.)
    pub fn of_issuer(&self) -> &str {
        &self.issuer
    }

    /// The token's, session's, subject's, client's or key's id; empty for an issuer. (If it is very long, `sha256:` and its hash.)
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Up to and including when tokens are revoked: for subjects, clients and issuers.
    pub fn cut_off(&self) -> Option<UnixTime> {
        (self.level.bound() == Bound::CutOff).then(|| UnixTime::from_secs(self.bound))
    }

    /// The least version of a subject's tokens that is not revoked.
    pub fn current_version(&self) -> Option<u64> {
        (self.level.bound() == Bound::Version).then_some(self.bound)
    }

    /// Whether no token can be hit, because the issuer or the id is empty.
    pub fn hits_nothing(&self) -> bool {
        self.issuer.is_empty() || (self.id.is_empty() && self.level != Level::Issuer)
    }

    /// What is greater in a stricter one of two for the same id.
    pub(crate) fn bound(&self) -> u64 {
        self.bound
    }

    /// The entry that remembers it from `now` on for as long as a token can live that it hits, if none lives longer than `horizon`.
    pub(crate) fn entry(&self, now: UnixTime, horizon: Duration) -> RevocationEntry {
        let last_alive = self.expires_at.map_or(now.plus(horizon), |expiry| expiry.min(now.plus(LONGEST)));
        RevocationEntry::new(self.clone(), last_alive.plus(RevocationEntry::MARGIN))
    }
}

/// An id as it stands in logs and views.
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

/// An entry of a log: a revocation, and until when it has to be remembered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RevocationEntry {
    revocation: Revocation,
    until: UnixTime,
}

/// A token that claims to live longer is revoked for that long: the number in it may be anything.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

impl RevocationEntry {
    /// For how much longer than tokens live an entry is remembered: leeway (at most five minutes) and clocks that differ. So an entry's
    /// `until` is at most the horizon and this behind the moment at which it was made, if it is not of a token that lives longer.
    pub const MARGIN: Duration = Duration::from_secs(600);

    /// An entry that is remembered until `until`. Applications need not make any: see `Revocations` of the crate `portcullis-store`.
    pub fn new(revocation: Revocation, until: UnixTime) -> Self {
        // The time stands in `until` from here on: an entry that is read from a log is equal to the one that was appended.
        Self { revocation: Revocation { expires_at: None, ..revocation }, until }
    }

    /// What is revoked.
    pub fn revocation(&self) -> &Revocation {
        &self.revocation
    }

    /// From when on a log may forget it.
    pub fn until(&self) -> UnixTime {
        self.until
    }

    /// The entry as a log keeps it: one line of JSON, which people can read as well.
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
        // Strings and numbers: there is nothing in it that JSON could not say.
        serde_json::to_string(&line).unwrap_or_default()
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    ///
    /// If it is something else: nothing of ours, or of a later version.
    pub fn from_json(text: &str) -> Result<Self, UnreadableEntry> {
        let line: Line<'_> = serde_json::from_str(text).map_err(|error| UnreadableEntry::of(text, error.classify()))?;
        let bound = match (line.level.bound(), line.cut_off, line.current_version) {
            // As it would be written: one value for all that lie beyond the year 9999.
            (Bound::CutOff, Some(cut_off), None) => UnixTime::from_secs(cut_off).as_secs(),
            (Bound::Version, None, Some(current)) => current,
            (Bound::Nothing, None, None) => 0,
            (Bound::Nothing | Bound::CutOff | Bound::Version, ..) => {
                return Err(UnreadableEntry::of(text, Category::Data));
            }
        };
        // What no version has written, though it has all values: an array of them, or an issuer with an id beside it.
        let is_odd = !text.trim_start().starts_with('{') || (line.level == Level::Issuer && !line.id.is_empty());
        if !(1..=FORMAT).contains(&line.format) || is_odd {
            return Err(UnreadableEntry::of(text, Category::Data));
        }
        let revocation = Revocation::new(line.level, &line.issuer, &line.id, bound);
        Ok(Self::new(revocation, UnixTime::from_secs(line.until)))
    }
}

/// The latest version of the format that this version of the crate reads: that of its newest level.
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

/// A level by its name. The derived code would also read an object with that name in it.
fn level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Level, D::Error> {
    let name = Cow::<str>::deserialize(deserializer)?;
    let known = Level::ALL.into_iter().find(|level| level.as_str() == name);
    known.ok_or_else(|| D::Error::custom("no level of this version"))
}

/// A text in a log that is no entry. What it revokes, if anything, is not known. Shows nothing of the text.
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
        // Derived code reads an array of the values as well, which is nothing that any version writes.
        let object = Some(text).filter(|text| text.trim_start().starts_with('{'));
        let format = object.and_then(|text| serde_json::from_str::<Format>(text).ok());
        let format = format.filter(|format| format.v > u64::from(FORMAT));
        let is_of_later_version = format.is_some();
        let until = format.and_then(|format| format.until?.as_u64()).map(UnixTime::from_secs);
        Self { category, is_of_later_version, until }
    }

    /// Whether a later version of this crate has written it: it revokes something, and here nobody knows what.
    pub fn is_of_later_version(&self) -> bool {
        self.is_of_later_version
    }

    /// Returns until when an entry of a later version has to be remembered, if it says so as this version does (`until`).
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

    /// An entry bears the least version that knows its level, not the latest: instances of both versions read what both know while a
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

    /// What instances that are not upgraded yet say of an entry on a new level.
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
