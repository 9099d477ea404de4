//! [`SubjectError`]: why a text is not a NATS subject.

/// A text is neither a NATS subject nor a pattern of subjects.
///
/// `Display` says what is wrong and how to fix it. It does not repeat the text, which may come from a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.kind.text())]
pub struct SubjectError {
    kind: SubjectErrorKind,
}

impl SubjectError {
    pub(super) const fn new(kind: SubjectErrorKind) -> Self {
        Self { kind }
    }

    /// Returns the kind of the error, for branching.
    pub const fn kind(self) -> SubjectErrorKind {
        self.kind
    }
}

/// The kinds of [`SubjectError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SubjectErrorKind {
    /// The text is empty.
    Empty,
    /// A word is empty: there is a dot at an end, or there are two dots side by side.
    EmptyWord,
    /// A word contains white space or a control character.
    Blank,
    /// The wildcard `>` is followed by another word.
    WildcardNotLast,
}

impl SubjectErrorKind {
    const fn text(self) -> &'static str {
        match self {
            Self::Empty => "the subject is empty: write words separated by dots, such as `orders.new`",
            Self::EmptyWord => "a word of the subject is empty: write one dot between two words, and none at the ends",
            Self::Blank => "the subject contains white space or a control character: leave it out",
            Self::WildcardNotLast => "a word follows `>`: write `>` last, or `*` for a single word",
        }
    }
}
