//! [`Export`]: subjects that an account lets others use.

use super::{Revocations, invalid, subject};
use crate::token::{Object, Read};

/// Subjects that an account lets others use.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Export {
    /// `name`, for people.
    pub name: String,
    /// `subject`, which may have wildcards.
    pub subject: String,
    /// `type`.
    pub kind: ExportKind,
    /// `token_req`: an import needs an activation.
    pub needs_activation: bool,
    /// `revocations`: of activations, by the importing account.
    pub revocations: Revocations,
    /// `account_token_position`: which word of the subject has to be the importing account's id, counted from 1; zero for none.
    pub account_token_position: usize,
}

/// Who sends to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are two directions")]
pub enum ExportKind {
    /// The exporting account sends.
    Stream,
    /// The importing account asks.
    Service,
}

impl ExportKind {
    /// Returns the name in tokens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Service => "service",
        }
    }

    pub(super) fn read(object: &Object<'_>, name: &str) -> Read<Self> {
        match object.text(name)? {
            Some("stream") => Ok(Self::Stream),
            Some("service") => Ok(Self::Service),
            _ => Err(object.malformed(name, "is neither stream nor service")),
        }
    }
}

impl Export {
    /// Returns a public export.
    pub fn new(kind: ExportKind, subject: impl Into<String>) -> Self {
        Self {
            name: String::new(),
            subject: subject.into(),
            kind,
            needs_activation: false,
            revocations: Revocations::default(),
            account_token_position: 0,
        }
    }

    /// Lets only those import it who have an activation.
    #[must_use]
    pub fn with_activation(self) -> Self {
        Self { needs_activation: true, ..self }
    }

    pub(super) fn read(object: &Object<'_>) -> Read<Self> {
        let export = Self {
            name: object.text_or_empty("name")?,
            subject: object.text_or_empty("subject")?,
            kind: ExportKind::read(object, "type")?,
            needs_activation: object.bool("token_req")?,
            revocations: Revocations::read(object)?,
            account_token_position: position(object)?,
        };
        subject::require(&export.subject, || object.place("subject"))?;
        export.require_position()?;
        export.require_service_members(object)?;
        Ok(export)
    }

    /// Refuses a position that is not that of a `*`.
    fn require_position(&self) -> Read<()> {
        let Some(at) = self.account_token_position.checked_sub(1) else { return Ok(()) };
        if self.subject.split('.').nth(at) == Some("*") {
            return Ok(());
        }
        Err(invalid("an export's account_token_position does not point to a * of its subject"))
    }

    /// Refuses what only exports of the other kind may have.
    fn require_service_members(&self, object: &Object<'_>) -> Read<()> {
        let response = object.text("response_type")?.unwrap_or_default();
        let threshold = object.int("response_threshold")?.unwrap_or_default();
        let latency = object.object("service_latency", &["sampling", "results"])?;
        let is_right = match self.kind {
            ExportKind::Service => ["", "Singleton", "Stream", "Chunked"].contains(&response) && threshold >= 0,
            ExportKind::Stream => {
                response.is_empty() && threshold == 0 && latency.is_none() && !object.bool("allow_trace")?
            }
        };
        if !is_right {
            return Err(invalid(format!("an export has a member that does not fit a {}", self.kind.as_str())));
        }
        latency.map_or(Ok(()), |latency| require_latency(&latency))
    }
}

fn position(object: &Object<'_>) -> Read<usize> {
    let position = object.int("account_token_position")?.unwrap_or_default();
    usize::try_from(position).map_err(|_| object.malformed("account_token_position", "is negative"))
}

fn require_latency(latency: &Object<'_>) -> Read<()> {
    let sampling = match latency.get("sampling") {
        Some(crate::token::Json::Text(text)) if text.eq_ignore_ascii_case("headers") => 0,
        _ => latency.int("sampling")?.unwrap_or_default(),
    };
    let results = latency.text_or_empty("results")?;
    subject::require(&results, || latency.place("results"))?;
    if !(0..=100).contains(&sampling) || subject::has_wildcards(&results) {
        return Err(invalid("an export's service_latency has a wrong sampling, or results with wildcards"));
    }
    Ok(())
}

/// The names of the members.
pub(super) const NAMES: [&str; 14] = [
    "name",
    "subject",
    "type",
    "token_req",
    "revocations",
    "response_type",
    "response_threshold",
    "service_latency",
    "account_token_position",
    "advertise",
    "allow_trace",
    "description",
    "info_url",
    "account",
];
