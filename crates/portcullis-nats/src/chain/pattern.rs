//! Texts as patterns of subjects. A text that is no pattern stands for nothing.

use portcullis_core::subjects::SubjectPattern;

/// Whether it is a subject or a pattern of subjects.
pub(super) fn is_well_formed(subject: &str) -> bool {
    SubjectPattern::parse(subject).is_ok()
}

/// Whether it is a subject without wildcards.
pub(super) fn is_literal(subject: &str) -> bool {
    SubjectPattern::parse(subject).is_ok_and(|subject| subject.is_literal())
}

/// Whether `pattern` stands for everything that `subject` stands for.
pub(super) fn covers(pattern: &str, subject: &str) -> bool {
    parse_pair(pattern, subject).is_some_and(|(pattern, subject)| pattern.covers(&subject))
}

/// Whether there is a subject that both stand for.
pub(super) fn overlap(one: &str, other: &str) -> bool {
    parse_pair(one, other).is_some_and(|(one, other)| one.overlaps(&other))
}

/// Returns the pattern of what both stand for; `None` if there is nothing.
pub(super) fn intersection(one: &str, other: &str) -> Option<SubjectPattern> {
    parse_pair(one, other).and_then(|(one, other)| one.intersection(&other))
}

/// Returns two patterns, unless one of the texts is none.
fn parse_pair<'a>(one: &'a str, other: &'a str) -> Option<(SubjectPattern<&'a str>, SubjectPattern<&'a str>)> {
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
}
