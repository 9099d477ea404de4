//! Subjects with wildcards as sets of subjects: `*` is one word, `>` one or more at the end.

/// Whether it has no empty word, no blank, and `>` only at the end.
pub(super) fn is_well_formed(subject: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || c.is_control());
    let mut words = subject.split('.');
    let last = words.next_back().unwrap_or_default();
    is_word(last) && words.all(|word| is_word(word) && word != ">")
}

/// Whether it is a subject without wildcards.
pub(super) fn is_literal(subject: &str) -> bool {
    is_well_formed(subject) && subject.split('.').all(|word| word != "*" && word != ">")
}

/// Whether `pattern` matches everything that `subject` stands for.
pub(super) fn covers(pattern: &str, subject: &str) -> bool {
    intersection(pattern, subject).is_some_and(|both| both == subject)
}

/// Whether there is a subject that both match.
pub(super) fn overlap(one: &str, other: &str) -> bool {
    intersection(one, other).is_some()
}

/// Returns the pattern of what both match; `None` if there is nothing, or one is malformed.
pub(super) fn intersection(one: &str, other: &str) -> Option<String> {
    if !is_well_formed(one) || !is_well_formed(other) {
        return None;
    }
    let (mut ones, mut others) = (one.split('.').peekable(), other.split('.').peekable());
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
