//! Subjects as NATS writes them: tokens delimited by dots, with wildcards.

/// Whether everything that `subject` stands for is covered by `pattern`.
pub(super) fn covers(pattern: &str, subject: &str) -> bool {
    if !is_well_formed(pattern) || !is_well_formed(subject) {
        return false;
    }
    let mut wanted = subject.split('.');
    for token in pattern.split('.') {
        let Some(next) = wanted.next() else { return false };
        match token {
            ">" => return true,
            // One token does not cover what stands for many.
            "*" if next != ">" => {}
            _ if token == next => {}
            _ => return false,
        }
    }
    wanted.next().is_none()
}

/// No empty token, no white space, `>` only at the end.
fn is_well_formed(subject: &str) -> bool {
    let is_token = |token: &str| !token.is_empty() && !token.contains(|c: char| c.is_whitespace() || c.is_control());
    let mut tokens = subject.split('.');
    let last = tokens.next_back().unwrap_or_default();
    is_token(last) && tokens.all(|token| is_token(token) && token != ">")
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
