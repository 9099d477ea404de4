//! NATS subjects: words separated by dots, with wildcards.

/// Whether `pattern` covers everything that `subject` stands for.
pub fn covers(pattern: &str, subject: &str) -> bool {
    if !is_well_formed(pattern) || !is_well_formed(subject) {
        return false;
    }
    let mut wanted = subject.split('.');
    for word in pattern.split('.') {
        let Some(next) = wanted.next() else { return false };
        match word {
            ">" => return true,
            // One word does not cover a `>`, which stands for many.
            "*" if next != ">" => {}
            _ if word == next => {}
            _ => return false,
        }
    }
    wanted.next().is_none()
}

/// Whether it has no empty word, no white space, and `>` only at the end.
pub fn is_well_formed(subject: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || c.is_control());
    let mut words = subject.split('.');
    let last = words.next_back().unwrap_or_default();
    is_word(last) && words.all(|word| is_word(word) && word != ">")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covered() {
        let rows = [
            ("orders.new", "orders.new"),
            ("orders.*", "orders.new"),
            ("*.new", "orders.new"),
            ("orders.>", "orders.new"),
            ("orders.>", "orders.new.eu"),
            (">", "orders"),
            (">", ">"),
            ("*", "*"),
            ("orders.>", "orders.*.eu"),
            ("orders.*.>", "orders.*.>"),
        ];
        for (pattern, subject) in rows {
            assert!(covers(pattern, subject), "{pattern} covers {subject}");
        }
    }

    #[test]
    fn not_covered() {
        let rows = [
            ("orders.new", "orders.old"),
            ("orders.new", "orders"),
            ("orders", "orders.new"),
            ("orders.*", "orders"),
            ("orders.*", "orders.new.eu"),
            ("orders.>", "orders"),
            ("orders.*", "orders.>"),
            ("orders.new", "orders.*"),
            ("*", ">"),
            ("order*", "orders"),
            ("ORDERS", "orders"),
            ("*.>", ">"),
        ];
        for (pattern, subject) in rows {
            assert!(!covers(pattern, subject), "{pattern} does not cover {subject}");
        }
    }

    #[test]
    fn malformed_ones_cover_nothing_and_are_not_covered() {
        for malformed in ["", ".", "a.", ".a", "a..b", ">.a", "a.>.b", "a b", "a.\t", "a.b\n"] {
            assert!(!covers(malformed, malformed), "{malformed:?} as a pattern");
            assert!(!covers(">", malformed), "{malformed:?} as a subject");
        }
    }
}
