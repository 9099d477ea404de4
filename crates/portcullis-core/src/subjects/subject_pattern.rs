//! [`SubjectPattern`]: a parsed NATS subject, or a pattern of subjects.

use std::{fmt, str::FromStr};

use super::{SubjectError, SubjectErrorKind};

/// A parsed NATS subject, such as `orders.new`, or a pattern of subjects, such as `orders.*` and `logs.>`.
///
/// The [module docs](super) have the rules. A subject without wildcards is a pattern that stands for itself alone.
///
/// `S` is the type of the text: `String` after [`str::parse`], or what [`parse`](Self::parse) was called with, so that a pattern can
/// borrow the text of a claim. Patterns of different `S` can be compared with each other.
#[doc(alias = "topic")]
#[doc(alias = "wildcard")]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SubjectPattern<S = String> {
    text: S,
    is_literal: bool,
}

impl<S: AsRef<str>> SubjectPattern<S> {
    /// Parses a text and keeps it. Does not allocate.
    ///
    /// # Errors
    ///
    /// If the text does not follow the rules in the [module docs](super).
    pub fn parse(text: S) -> Result<Self, SubjectError> {
        let is_literal = check(text.as_ref()).map_err(SubjectError::new)?;
        Ok(Self { text, is_literal })
    }

    /// Returns the text, as it was parsed.
    pub fn as_str(&self) -> &str {
        self.text.as_ref()
    }

    /// Whether it stands for a single subject, because it has no wildcards. Only such a subject can be published to.
    pub const fn is_literal(&self) -> bool {
        self.is_literal
    }

    /// Returns the words, wildcards included. There is at least one.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.as_str().split('.')
    }

    /// Whether this pattern stands for every subject that `other` stands for. Does not allocate.
    ///
    /// A pattern covers itself.
    pub fn covers<T: AsRef<str>>(&self, other: &SubjectPattern<T>) -> bool {
        let mut wanted = other.words();
        for word in self.words() {
            let Some(next) = wanted.next() else { return false };
            match word {
                REST => return true,
                // One word does not cover a `>`, which stands for several.
                ONE if next != REST => {}
                _ if word == next => {}
                _ => return false,
            }
        }
        wanted.next().is_none()
    }

    /// Whether there is a subject that both patterns stand for. Does not allocate.
    pub fn overlaps<T: AsRef<str>>(&self, other: &SubjectPattern<T>) -> bool {
        let (mut words, mut others) = (self.words(), other.words());
        loop {
            match (words.next(), others.next()) {
                (None, None) | (Some(REST), Some(_)) | (Some(_), Some(REST)) => return true,
                (Some(word), Some(other)) if word == other || word == ONE || other == ONE => {}
                _ => return false,
            }
        }
    }

    /// Returns the pattern of the subjects that both patterns stand for; `None` if there are none.
    pub fn intersection<T: AsRef<str>>(&self, other: &SubjectPattern<T>) -> Option<SubjectPattern> {
        let (mut words, mut others) = (self.words().peekable(), other.words().peekable());
        let mut common: Vec<&str> = Vec::new();
        loop {
            match (words.peek().copied(), others.peek().copied()) {
                (None, None) => break,
                // The other has at least one word there.
                (Some(REST), Some(_)) => {
                    common.extend(others);
                    break;
                }
                (Some(_), Some(REST)) => {
                    common.extend(words);
                    break;
                }
                (Some(word), Some(ONE)) | (Some(ONE), Some(word)) => common.push(word),
                (Some(word), Some(same)) if word == same => common.push(word),
                _ => return None,
            }
            words.next();
            others.next();
        }
        let is_literal = !common.iter().any(|word| [ONE, REST].contains(word));
        Some(SubjectPattern { text: common.join("."), is_literal })
    }
}

impl FromStr for SubjectPattern {
    type Err = SubjectError;

    fn from_str(text: &str) -> Result<Self, SubjectError> {
        let SubjectPattern { is_literal, .. } = SubjectPattern::parse(text)?;
        Ok(Self { text: text.to_owned(), is_literal })
    }
}

impl<S: AsRef<str>> fmt::Display for SubjectPattern<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<S: AsRef<str>> fmt::Debug for SubjectPattern<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubjectPattern({:?})", self.as_str())
    }
}

/// The word that stands for one word.
const ONE: &str = "*";

/// The word that stands for one or more words.
const REST: &str = ">";

/// Whether the text has no wildcards, or what is wrong with it.
fn check(text: &str) -> Result<bool, SubjectErrorKind> {
    if text.is_empty() {
        return Err(SubjectErrorKind::Empty);
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(SubjectErrorKind::Blank);
    }
    let mut is_literal = true;
    let mut words = text.split('.').peekable();
    while let Some(word) = words.next() {
        match word {
            "" => return Err(SubjectErrorKind::EmptyWord),
            REST if words.peek().is_some() => return Err(SubjectErrorKind::WildcardNotLast),
            ONE | REST => is_literal = false,
            _ => {}
        }
    }
    Ok(is_literal)
}
