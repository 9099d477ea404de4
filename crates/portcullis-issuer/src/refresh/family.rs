//! [`Family`]: what a store keeps about one session.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{LogIn, Millis, RefreshPolicy, ShareDigest};

/// The id of a family: all the refresh tokens that came of one log-in. As text, it is the session's id (`sid`), which need not be secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FamilyId([u8; 16]);

impl FamilyId {
    /// Returns the id with these bytes, as a store has kept them.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Returns the session's id, which access tokens have as `sid`: the bytes in base64url.
    pub fn session_id(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Returns the family of the session with this id; `None` if it is not an id of a session.
    pub fn from_session_id(text: &str) -> Option<Self> {
        Some(Self(URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?))
    }
}

impl fmt::Debug for FamilyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FamilyId({})", self.session_id())
    }
}

/// What a store keeps about a family: one row. It mints nothing.
///
/// Stores keep it as they like, or as the text of [`to_json`](Self::to_json). The fields that change are `generation`, `key_id`, `rotated_at`,
/// `idle_until` and `ended`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Family {
    /// Its id.
    #[serde(with = "octets")]
    pub id: FamilyId,
    /// The digest of what its tokens share.
    #[serde(with = "octets")]
    pub share: ShareDigest,
    /// The generation of the current token.
    pub generation: u64,
    /// The number of the key that the current token was written with.
    pub key_id: u8,
    /// When the current token took the place of the one before; `None` for the first.
    pub rotated_at: Option<Millis>,
    /// When it ends if it is not used.
    pub idle_until: Millis,
    /// When it ends in any case.
    pub absolute_until: Millis,
    /// Why it has ended before its time.
    pub ended: Option<EndReason>,
    /// What was decided at the log-in.
    #[serde(with = "super::log_in::stored")]
    pub log_in: LogIn,
}

/// Why a session has ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndReason {
    /// The user logged out.
    LoggedOut,
    /// The user, or an administrator, ended all of the user's sessions.
    LoggedOutEverywhere,
    /// An administrator, or the user from another session, ended this one, or the log of revocations names it, its user, its token version or its client.
    Revoked,
    /// An old refresh token was presented again.
    Reuse,
    /// The application said that the subject may not go on.
    SubjectRefused,
    /// The user has logged in elsewhere, and would have more sessions than are [allowed](super::Sessions::most_sessions).
    TooMany,
}

impl EndReason {
    /// All reasons.
    const ALL: [Self; 6] =
        [Self::LoggedOut, Self::LoggedOutEverywhere, Self::Revoked, Self::Reuse, Self::SubjectRefused, Self::TooMany];

    /// Returns its name, as stores keep it: `logged_out`, for example.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LoggedOut => "logged_out",
            Self::LoggedOutEverywhere => "logged_out_everywhere",
            Self::Revoked => "revoked",
            Self::Reuse => "reuse",
            Self::SubjectRefused => "subject_refused",
            Self::TooMany => "too_many",
        }
    }

    /// Returns the reason of this [name](Self::name). One that this version does not know, because a later version wrote it, counts as
    /// [`Revoked`](Self::Revoked): the session has ended in any case.
    pub fn from_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|reason| reason.name() == name).unwrap_or(Self::Revoked)
    }
}

impl Serialize for EndReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Reads any name, as [`EndReason::from_name`] does, so that a session that has ended is one for every version.
impl<'de> Deserialize<'de> for EndReason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from_name(&String::deserialize(deserializer)?))
    }
}

/// The versions of the stored form. A later version is refused, so that an old instance does not misread it.
const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct Stored<F> {
    v: u8,
    #[serde(flatten)]
    family: F,
}

impl Family {
    /// Returns the family of a user who logs in at `now`, with its first token, which is written with the key `key_id`. It ends by the rules of
    /// the client.
    pub fn new(
        id: FamilyId,
        share: ShareDigest,
        key_id: u8,
        mut log_in: LogIn,
        policy: &RefreshPolicy,
        now: Millis,
    ) -> Self {
        log_in.open_at(now.to_unix());
        let absolute_until = now.plus(Millis::whole(policy.absolute));
        Self {
            id,
            share,
            generation: 0,
            key_id,
            rotated_at: None,
            idle_until: now.plus(policy.longest_idle()).min(absolute_until),
            absolute_until,
            ended: None,
            log_in,
        }
    }

    /// Returns the row as JSON, with the version of the form.
    pub fn to_json(&self) -> String {
        // A struct of numbers, strings and lists can be written.
        serde_json::to_string(&Stored { v: VERSION, family: self }).unwrap_or_default()
    }

    /// Reads the text of [`to_json`](Self::to_json); `None` if it is not one, or one of a later version.
    pub fn from_json(text: &str) -> Option<Self> {
        let stored: Stored<Self> = serde_json::from_str(text).ok()?;
        (stored.v == VERSION).then_some(stored.family)
    }

    /// Whether the session goes on at `now`: it was not ended, and none of its limits has passed.
    pub fn is_live(&self, now: Millis) -> bool {
        self.ended.is_none() && now < self.ends_at()
    }

    /// Ends the session, unless it was ended before: the first reason stays. Returns whether this has changed it.
    pub fn end(&mut self, reason: EndReason) -> bool {
        let has_changed = self.ended.is_none();
        self.ended.get_or_insert(reason);
        has_changed
    }

    /// Returns when the session ends, unless it is used or ended: the earlier of its two limits.
    pub fn ends_at(&self) -> Millis {
        self.idle_until.min(self.absolute_until)
    }
}

/// Shows the session, but not whose it is.
impl fmt::Debug for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Family")
            .field("id", &self.id)
            .field("generation", &self.generation)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

/// Sixteen bytes as base64url.
mod octets {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::{Engine, FamilyId, ShareDigest, URL_SAFE_NO_PAD};

    pub(super) trait Octets: Sized {
        fn octets(&self) -> &[u8; 16];
        fn of(octets: [u8; 16]) -> Self;
    }

    impl Octets for FamilyId {
        fn octets(&self) -> &[u8; 16] {
            self.as_bytes()
        }

        fn of(octets: [u8; 16]) -> Self {
            Self::from_bytes(octets)
        }
    }

    impl Octets for ShareDigest {
        fn octets(&self) -> &[u8; 16] {
            self.as_bytes()
        }

        fn of(octets: [u8; 16]) -> Self {
            Self::from_bytes(octets)
        }
    }

    pub(super) fn serialize<T: Octets, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(value.octets()))
    }

    pub(super) fn deserialize<'de, T: Octets, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        let text = String::deserialize(deserializer)?;
        let octets = URL_SAFE_NO_PAD.decode(text).ok().and_then(|octets| octets.try_into().ok());
        octets.map(T::of).ok_or_else(|| D::Error::custom("not sixteen bytes in base64url"))
    }
}
