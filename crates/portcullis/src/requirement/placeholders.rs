//! Parses text with `{names}` in it.

/// A piece of text with placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Literal text, with escapes resolved.
    Text(String),
    /// A name between braces.
    Name(String),
}

/// Splits a text at its `{names}`. `{{` and `}}` are literal braces, as in axum's paths.
///
/// Returns `None` if a brace is not closed or not opened, or if a name is empty.
pub(crate) fn parse(text: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        plain.push_str(&rest[..at]);
        let (brace, behind) = rest[at..].split_at(1);
        if let Some(behind) = behind.strip_prefix(brace) {
            plain.push_str(brace);
            rest = behind;
            continue;
        }
        let (name, behind) = behind.split_once('}').filter(|_| brace == "{")?;
        if name.is_empty() || name.contains('{') {
            return None;
        }
        push_text(&mut pieces, &mut plain);
        pieces.push(Piece::Name(name.to_owned()));
        rest = behind;
    }
    plain.push_str(rest);
    push_text(&mut pieces, &mut plain);
    Some(pieces)
}

fn push_text(pieces: &mut Vec<Piece>, plain: &mut String) {
    if !plain.is_empty() {
        pieces.push(Piece::Text(std::mem::take(plain)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        let show = |piece| match piece {
            Piece::Text(text) => text,
            Piece::Name(name) => format!("<{name}>"),
        };
        parse(text).map(|pieces| pieces.into_iter().map(show).collect())
    }

    #[test]
    fn names_stand_between_braces() {
        assert_eq!(shown("/grants/{instance}/x-{y}").as_deref(), Some("/grants/<instance>/x-<y>"));
        assert_eq!(shown("").as_deref(), Some(""));
    }

    #[test]
    fn doubled_braces_are_braces() {
        assert_eq!(shown("/{{a}}/{b}").as_deref(), Some("/{a}/<b>"));
    }

    #[test]
    fn unbalanced_braces_are_refused() {
        for text in ["/{", "/}", "/{a", "/a}", "/{}", "/{a{b}", "/{{a}"] {
            assert_eq!(shown(text), None, "{text}");
        }
    }
}
