//! Subjects in claims: which of them nats-server refuses, and which contains which.

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

/// Whether everything that `inner` stands for is in `outer`, as the library in Go decides it for imports and exports (`Subject.IsContainedIn`). Unlike a
/// [`SubjectPattern`](portcullis_core::subjects::SubjectPattern), it takes texts that are no pattern, such as `a.>.b`, which [`require`] lets pass, too.
pub(crate) fn is_contained(inner: &str, outer: &str) -> bool {
    let mut words = inner.split('.');
    let mut outer = outer.split('.').peekable();
    while let Some(wanted) = outer.next() {
        let Some(word) = words.next() else { return false };
        if wanted == ">" && outer.peek().is_none() {
            return true;
        }
        // One word does not contain a `>`, which stands for many.
        if wanted != word && (wanted != "*" || word == ">") {
            return false;
        }
    }
    words.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_contained_in_a_wider_one() {
        for (inner, outer) in [
            ("a.b", "a.b"),
            ("a.b", "a.*"),
            ("a.*", "a.*"),
            ("a.*", "a.>"),
            ("a.b.c", "a.>"),
            ("a.>", ">"),
            ("a.>.b", "a.>.b"),
            ("a.>.b", "a.>"),
        ] {
            assert!(is_contained(inner, outer), "{inner} in {outer}");
        }
        for (inner, outer) in
            [("a", "a.>"), ("a.b.c", "a.*"), ("a.*", "a.b"), ("a.>", "a.*"), (">", "*"), ("a.b", "a.b.c")]
        {
            assert!(!is_contained(inner, outer), "{inner} in {outer}");
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
