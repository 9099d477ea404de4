//! Rust text without what is not code. No parser: a scan that knows comments, string and character literals.

/// The text with comments taken out and the contents of string literals replaced by `_`. Line breaks stay.
pub(super) fn without_comments(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let piece = piece_length(rest, code.chars().next_back());
        let (taken, after) = rest.split_at(piece);
        match next {
            '/' if piece > 1 => code.extend(taken.chars().filter(|&c| c == '\n')),
            _ if piece > next.len_utf8() => code.extend(taken.chars().map(masked)),
            _ => code.push(next),
        }
        rest = after;
    }
    code
}

/// The text without items marked `#[cfg(test)]`. Wants text from [`without_comments`].
pub(super) fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some((before, after)) = rest.split_once(MARK) {
        let (item, tail) = after.split_at(item_length(after));
        kept.push_str(before);
        kept.extend(item.chars().filter(|&c| c == '\n'));
        rest = tail;
    }
    kept + rest
}

/// How many bytes at the start of `rest` belong together: a comment, a literal, or one character.
fn piece_length(rest: &str, before: Option<char>) -> usize {
    let one = rest.chars().next().map_or(0, char::len_utf8);
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment_length(rest);
    }
    if before.is_some_and(|c| c.is_alphanumeric() || c == '_') && !rest.starts_with('"') {
        return one;
    }
    match rest.chars().next() {
        Some('"') => escaped_length(rest, '"'),
        Some('\'') => character_length(rest).unwrap_or(one),
        Some('r' | 'b' | 'c') => prefixed_length(rest).unwrap_or(one),
        _ => one,
    }
}

/// Block comments nest.
fn block_comment_length(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        let here = &rest.as_bytes()[at..];
        if here.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// A literal between two `quote`s, in which `\` keeps the next character from ending it.
fn escaped_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// `'x'` and `'\n'` are literals, `'a` alone is a lifetime.
fn character_length(rest: &str) -> Option<usize> {
    let mut chars = rest.chars().skip(1);
    let (first, second) = (chars.next()?, chars.next()?);
    (first == '\\' || second == '\'').then(|| escaped_length(rest, '\''))
}

/// `r"…"`, `r#"…"#`, `b"…"`, `b'…'`, `br#"…"#`, `c"…"`; not the raw identifier `r#type`.
fn prefixed_length(rest: &str) -> Option<usize> {
    let prefix = ["br", "cr", "r", "b", "c"].into_iter().find(|prefix| rest.starts_with(prefix))?;
    let literal = &rest[prefix.len()..];
    if !prefix.ends_with('r') {
        let quote = literal.chars().next().filter(|c| "\"'".contains(*c))?;
        return Some(prefix.len() + escaped_length(literal, quote));
    }
    let hashes = literal.len() - literal.trim_start_matches('#').len();
    let inside = literal[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = inside.find(&end).map_or(inside.len(), |at| at + end.len());
    Some(prefix.len() + hashes + 1 + length)
}

/// Text in a literal still counts as code, but says nothing.
fn masked(c: char) -> char {
    if c == '\n' { c } else { '_' }
}

/// How far the item after an attribute reaches: to its closing brace, or to a `;` outside of brackets.
fn item_length(code: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code.char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let ended = depth == 0 && (c == ';' || c == '}');
        if ended {
            let after = &code[at + 1..];
            // `use a::{b, c};` has both
            return at + 1 + usize::from(c == '}' && after.starts_with(';'));
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_go_and_literals_say_nothing() {
        let rows = [
            ("let a = 1; // b\nc", "let a = 1; \nc"),
            ("a /* b /* c */ d\n */ e", "a \n e"),
            ("/// docs\nfn f() {}", "\nfn f() {}"),
            (r#"f("// no comment", "\"", x)"#, "f(_, _, x)"),
            (r##"f(r#"a "quoted" // b"#, x)"##, "f(_, x)"),
            (r"f(b'\'', '\'', '/', 'é')", "f(_, _, _, _)"),
            ("fn f<'a>(x: &'a str) -> &'static str {}", "fn f<'a>(x: &'a str) -> &'static str {}"),
            ("r#type(bar\"x\")", "r#type(bar_)"),
            ("a / b", "a / b"),
            ("\"two\nlines\"", "_\n_"),
        ];
        for (text, code) in rows {
            let mut squeezed = without_comments(text);
            while squeezed.contains("__") {
                squeezed = squeezed.replace("__", "_");
            }
            assert_eq!(squeezed, code, "{text}");
        }
    }

    #[test]
    fn text_that_never_ends_is_taken_to_the_end() {
        for text in ["\"abc", "/* abc", "r#\"abc", "// abc", "b'"] {
            assert_eq!(without_comments(text).trim_matches('_'), "", "{text}");
        }
    }

    #[test]
    fn test_items_go() {
        let rows = [
            ("a();\n#[cfg(test)]\nmod tests {\n    fn f() { g(); }\n}\nb();", "a();\n\n\n\n\nb();"),
            ("#[cfg(test)]\nmod tests;\nb();", "\n\nb();"),
            ("#[cfg(test)]\nuse a::{b, c};\nb();", "\n\nb();"),
            ("#[cfg(test)]\n#[expect(x)]\nfn f(a: [u8; 4]) -> u8 {\n}\nb();", "\n\n\n\nb();"),
        ];
        for (code, kept) in rows {
            assert_eq!(without_tests(code).replace(' ', ""), kept.replace(' ', ""), "{code}");
        }
    }
}
