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
    both(pattern, subject).is_some_and(|(pattern, subject)| pattern.covers(&subject))
}

/// Whether there is a subject that both stand for.
pub(super) fn overlap(one: &str, other: &str) -> bool {
    both(one, other).is_some_and(|(one, other)| one.overlaps(&other))
}

/// Returns the pattern of what both stand for; `None` if there is nothing.
pub(super) fn intersection(one: &str, other: &str) -> Option<String> {
    let (one, other) = both(one, other)?;
    let (mut ones, mut others) = (one.words().peekable(), other.words().peekable());
    let mut words = Vec::new();
    loop {
        match (ones.peek().copied(), others.peek().copied()) {
            (None, None) => return Some(words.join(".")),
            // It stands for at least one word.
            (Some(">"), Some(_)) => {
                words.extend(others);
                return Some(words.join("."));
            }
            (Some(_), Some(">")) => {
                words.extend(ones);
                return Some(words.join("."));
            }
            (Some(word), Some("*")) | (Some("*"), Some(word)) => words.push(word),
            (Some(word), Some(same)) if word == same => words.push(word),
            _ => return None,
        }
        ones.next();
        others.next();
    }
}

fn both<'a>(one: &'a str, other: &'a str) -> Option<(SubjectPattern<&'a str>, SubjectPattern<&'a str>)> {
    Some((SubjectPattern::parse(one).ok()?, SubjectPattern::parse(other).ok()?))
}
