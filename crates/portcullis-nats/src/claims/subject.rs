//! Subjects in claims: which of them nats-server refuses, and which contains which.

use portcullis_core::subjects::SubjectPattern;

use super::invalid;
use crate::token::{Read, TokenError};

/// Refuses a subject that makes a token invalid: an empty one, or one with blanks or empty words.
pub(super) fn require(subject: &str, place: impl FnOnce() -> String) -> Read<()> {
    let problem = if subject.is_empty() {
        "is empty"
    } else if subject.contains(|c: char| c.is_whitespace() || c.is_control()) {
        "has a blank in it"
    } else if subject.split('.').any(str::is_empty) {
        "has an empty word: a dot at an end, or two dots"
    } else {
        return Ok(());
    };
    Err(wrong(&place(), problem))
}

fn wrong(place: &str, problem: &str) -> TokenError {
    invalid(format!("the subject at {place} {problem}"))
}

/// Whether it has a wildcard: `*` as a word, or `>` as the last one.
pub(super) fn has_wildcards(subject: &str) -> bool {
    subject.split('.').any(|word| word == "*") || subject == ">" || subject.ends_with(".>")
}

/// Whether `pattern` stands for everything that `subject` stands for. A text that is no pattern, such as `a.>.b`, stands for nothing, although
/// [`require`] lets it pass as a nats-server does.
pub(crate) fn covers(pattern: &str, subject: &str) -> bool {
    both(pattern, subject).is_some_and(|(pattern, subject)| pattern.covers(&subject))
}

/// Returns two patterns, unless one of the texts is none.
pub(crate) fn both<'a>(one: &'a str, other: &'a str) -> Option<(SubjectPattern<&'a str>, SubjectPattern<&'a str>)> {
    Some((SubjectPattern::parse(one).ok()?, SubjectPattern::parse(other).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_pattern_stands_for_nothing() {
        assert!(covers(">", "a.b") && covers("a.>", "a.b.>"));
        for (pattern, subject) in [(">", "a.>.b"), ("a.>.b", "a.>.b"), ("a..b", "a..b"), ("", "")] {
            assert!(!covers(pattern, subject), "{pattern:?} covers {subject:?}");
        }
    }

    #[test]
    fn wildcards_are_whole_words() {
        for subject in ["*", ">", "a.*", "a.>", "*.a", "a.*.b"] {
            assert!(has_wildcards(subject), "{subject}");
        }
        for subject in ["a", "a*", "a.b>", ">.a", "a.>b"] {
            assert!(!has_wildcards(subject), "{subject}");
        }
    }

    #[test]
    fn subjects_with_empty_words_and_blanks_are_refused() {
        let is_refused = |subject: &str| require(subject, String::new).is_err();
        for subject in ["", ".", ".a", "a.", "a..b", "a b", "a\tb", " a"] {
            assert!(is_refused(subject), "{subject:?}");
        }
        for subject in ["a", "a.b", "*", "a.>", "a*"] {
            assert!(!is_refused(subject), "{subject:?}");
        }
    }
}
