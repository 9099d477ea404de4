//! [`Import`]: subjects of another account that an account uses.

use super::{Activation, ExportKind, invalid, subject};
use crate::{
    nkey::{AccountKey, PublicKey},
    token::{Object, Read, Token},
};

/// Subjects of another account that an account uses.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Import {
    /// `name`, for people.
    pub name: String,
    /// `subject`: as the exporting account knows it. (With the deprecated [`to`](Self::to), it is the local one of a service.)
    pub subject: String,
    /// `account`: the exporting account. `None` if it is no account's key, so that the import has no effect.
    pub account: Option<AccountKey>,
    /// `type`.
    pub kind: ExportKind,
    /// `token`: the exporting account's permission, with its text.
    pub activation: Option<(String, Token<Activation>)>,
    /// `local_subject`: under which subject the importing account uses it; empty for the same one.
    pub local_subject: String,
    /// `to`: the deprecated form of that.
    pub to: String,
}

impl Import {
    /// Returns the import of a public export.
    pub fn new(kind: ExportKind, account: AccountKey, subject: impl Into<String>) -> Self {
        Self {
            name: String::new(),
            subject: subject.into(),
            account: Some(account),
            kind,
            activation: None,
            local_subject: String::new(),
            to: String::new(),
        }
    }

    /// Returns the subject as the exporting account knows it.
    pub fn exported_subject(&self) -> &str {
        if self.kind == ExportKind::Service && !self.to.is_empty() { &self.to } else { &self.subject }
    }

    pub(super) fn read(object: &Object<'_>, importer: &PublicKey) -> Read<Self> {
        let account = object.text("account")?.filter(|text| !text.is_empty());
        let import = Self {
            name: object.text_or_empty("name")?,
            subject: object.text_or_empty("subject")?,
            account: account.ok_or_else(|| invalid("an import does not say from which account"))?.parse().ok(),
            kind: ExportKind::read(object, "type")?,
            activation: read_activation(object)?,
            local_subject: object.text_or_empty("local_subject")?,
            to: object.text_or_empty("to")?,
        };
        subject::require(&import.subject, || object.place("subject"))?;
        import.require_local_subject()?;
        import.require_to()?;
        import.require_flags(object)?;
        import.require_activation(importer)?;
        Ok(import)
    }

    /// Refuses flags that only imports of the other kind may have.
    fn require_flags(&self, object: &Object<'_>) -> Read<()> {
        let (share, allow_trace) = (object.bool("share")?, object.bool("allow_trace")?);
        let is_wrong = if self.kind == ExportKind::Service { allow_trace } else { share };
        if is_wrong {
            Err(invalid(format!("an import has a flag that does not fit a {}", self.kind.as_str())))
        } else {
            Ok(())
        }
    }

    /// Refuses a `to` that is no subject, or has other wildcards than the subject.
    fn require_to(&self) -> Read<()> {
        if self.to.is_empty() {
            return Ok(());
        }
        subject::require(&self.to, || "to".to_owned())?;
        let wildcards = |text: &str| {
            (text.split('.').filter(|word| *word == "*").count(), text.split('.').next_back() == Some(">"))
        };
        let is_right = match self.kind {
            ExportKind::Service => wildcards(&self.to) == wildcards(&self.subject),
            ExportKind::Stream => wildcards(&self.to) == (0, false),
        };
        if is_right { Ok(()) } else { Err(invalid("an import's to has other wildcards than its subject")) }
    }

    /// Refuses a local subject that does not use each wildcard of the subject once.
    fn require_local_subject(&self) -> Read<()> {
        if self.local_subject.is_empty() {
            return Ok(());
        }
        subject::require(&self.local_subject, || "local_subject".to_owned())?;
        if !self.to.is_empty() {
            return Err(invalid("an import has a local_subject and a to: only one of them"));
        }
        let ends_open = |subject: &str| subject == ">" || subject.ends_with(".>");
        let wildcards = self.subject.split('.').filter(|word| *word == "*").count();
        let mut used = 0;
        for word in self.local_subject.split('.') {
            match reference(word) {
                Some(number) if number > wildcards => {
                    return Err(invalid(
                        "an import's local_subject refers to a wildcard that its subject does not have",
                    ));
                }
                Some(_) => used += 1,
                None => used += usize::from(word == "*"),
            }
        }
        if used != wildcards || ends_open(&self.local_subject) != ends_open(&self.subject) {
            return Err(invalid("an import's local_subject has other wildcards than its subject"));
        }
        Ok(())
    }

    /// Refuses the activation of another account, for another account, or for something else. (What ends it without being a mistake in the
    /// account is decided when it is used: its times, its issuer and its revocation.)
    fn require_activation(&self, importer: &PublicKey) -> Read<()> {
        let Some((_, token)) = &self.activation else { return Ok(()) };
        let of_exporter = self.account.is_some_and(|account| {
            token.registered.issuer == *account.public_key() || token.nats.issuer_account == Some(account)
        });
        if !of_exporter {
            return Err(invalid("an import's activation is not one of the account that it imports from"));
        }
        if token.registered.subject != *importer {
            return Err(invalid("an import's activation is for another account"));
        }
        if token.nats.kind != self.kind {
            return Err(invalid("an import's activation is for the other kind of export"));
        }
        if !subject::is_contained(self.exported_subject(), &token.nats.subject) {
            return Err(invalid("an import's activation does not cover its subject"));
        }
        Ok(())
    }

    /// Returns the subject that the importing account uses, for finding overlaps.
    fn used_subject(&self) -> String {
        if !self.to.is_empty() {
            return self.to.clone();
        }
        if self.local_subject.is_empty() {
            return self.subject.clone();
        }
        let words = self.local_subject.split('.').map(|word| if reference(word).is_some() { "*" } else { word });
        words.collect::<Vec<_>>().join(".")
    }
}

/// Returns the number of a reference such as `$2`.
fn reference(word: &str) -> Option<usize> {
    word.strip_prefix('$')?.parse().ok()
}

fn read_activation(object: &Object<'_>) -> Read<Option<(String, Token<Activation>)>> {
    let Some(text) = object.text("token")?.filter(|text| !text.is_empty()) else { return Ok(None) };
    let token = Token::read(text).map_err(|error| invalid(format!("an import's activation is wrong: {error}")))?;
    Ok(Some((text.to_owned(), token)))
}

/// Refuses services of one account whose subjects overlap: it would not be clear which of them is asked.
pub(super) fn require_no_overlap(imports: &[Import]) -> Read<()> {
    let services: Vec<_> = imports.iter().filter(|import| import.kind == ExportKind::Service).collect();
    let used: Vec<_> = services.iter().map(|import| (import.account, import.used_subject())).collect();
    for (at, (account, one)) in used.iter().enumerate() {
        for (_, other) in used[..at].iter().filter(|(of, _)| of == account) {
            if subject::is_contained(one, other) || subject::is_contained(other, one) {
                return Err(invalid("two imported services have overlapping subjects"));
            }
        }
    }
    Ok(())
}

/// The names of the members.
pub(super) const NAMES: [&str; 9] =
    ["name", "subject", "account", "token", "to", "local_subject", "type", "share", "allow_trace"];
