//! [`RecordKey`]: which record.

use std::fmt;

use portcullis_core::ConfigError;

/// What a record is about. Stores keep its [name](Self::name).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RecordKind {
    /// An authorization code, by the session that it becomes.
    Code,
    /// A client, by its id.
    Client,
    /// What a user allows a client, by user and client.
    Consent,
    /// Which users a client has sessions of, by client and user.
    UserOfClient,
    /// A request of a device, by the session that it becomes.
    DeviceCode,
    /// The request of a device that a user finds by this code.
    UserCode,
    /// An assertion of a client, which is accepted once.
    Assertion,
    /// A log-out that a client is to be told of.
    LogOut,
}

impl RecordKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Code,
        Self::Client,
        Self::Consent,
        Self::UserOfClient,
        Self::DeviceCode,
        Self::UserCode,
        Self::Assertion,
        Self::LogOut,
    ];

    /// Returns its name, as stores keep it: lower-case letters and `_`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Client => "client",
            Self::Consent => "consent",
            Self::UserOfClient => "user_of_client",
            Self::DeviceCode => "device_code",
            Self::UserCode => "user_code",
            Self::Assertion => "assertion",
            Self::LogOut => "log_out",
        }
    }
}

/// A kind and a group of it, whose records can be listed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RecordGroup {
    kind: RecordKind,
    name: String,
}

impl RecordGroup {
    /// How long the name of a group, or the id of a record, may be, in bytes.
    pub const MOST_BYTES: usize = 1024;

    /// Returns the group of this kind and name; the name may be empty.
    ///
    /// # Errors
    ///
    /// If the name is longer than [`MOST_BYTES`](Self::MOST_BYTES), or has a control character, which not every store can keep.
    pub fn new(kind: RecordKind, name: impl Into<String>) -> Result<Self, ConfigError> {
        Ok(Self { kind, name: checked("group", name.into())? })
    }

    /// Returns the kind.
    pub const fn kind(&self) -> RecordKind {
        self.kind
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A group, and which record of it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RecordKey {
    group: RecordGroup,
    id: String,
}

impl RecordKey {
    /// Returns the key of the record with this id; the id may be empty.
    ///
    /// # Errors
    ///
    /// If the name or the id is longer than [`RecordGroup::MOST_BYTES`], or has a control character.
    pub fn new(kind: RecordKind, group: impl Into<String>, id: impl Into<String>) -> Result<Self, ConfigError> {
        Ok(Self { group: RecordGroup::new(kind, group)?, id: checked("id", id.into())? })
    }

    /// Returns the group.
    pub const fn group(&self) -> &RecordGroup {
        &self.group
    }

    /// Returns the id.
    pub fn id(&self) -> &str {
        &self.id
    }
}

fn checked(what: &str, name: String) -> Result<String, ConfigError> {
    let most = RecordGroup::MOST_BYTES;
    if name.len() > most || name.chars().any(char::is_control) {
        return Err(ConfigError::new(format!(
            "the {what} of a record has {} bytes or a control character: at most {most} bytes without any can be kept",
            name.len()
        )));
    }
    Ok(name)
}

/// Shows the kind, but not the name, which may be a user's.
impl fmt::Debug for RecordGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordGroup").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Shows the kind, but not the name and the id, which may be a user's.
impl fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordKey").field("kind", &self.group.kind).finish_non_exhaustive()
    }
}
