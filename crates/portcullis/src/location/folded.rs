//! Detects credentials that a proxy has folded into one line with others.

use crate::grammar::is_token_byte;

/// Whether a value whose scheme is not accepted also contains a credential of an accepted scheme, such as `Basic Zm9v, Bearer eyJ…` from a
/// proxy that joins two `Authorization` headers.
///
/// The name of an accepted scheme counts as a credential if it follows a comma or is followed by more text, outside quoted strings. A quoted
/// string begins after `=` (RFC 9110 section 11.2). Any other quotation mark, or one that is not closed, hides nothing.
pub(super) fn holds_credential(value: &[u8], is_taken: impl Fn(&[u8]) -> bool) -> bool {
    let mut rest = value;
    let mut before = Some(b',');
    while let [first, after @ ..] = rest {
        if *first == b'"'
            && before == Some(b'=')
            && let Some(behind) = behind_quotes(after)
        {
            (rest, before) = (behind, None);
            continue;
        }
        if !is_token_byte(*first) {
            if !first.is_ascii_whitespace() {
                before = Some(*first);
            }
            rest = after;
            continue;
        }
        let (word, behind) = rest.split_at(rest.iter().position(|&byte| !is_token_byte(byte)).unwrap_or(rest.len()));
        if is_taken(word) && is_scheme(before, behind) {
            return true;
        }
        (rest, before) = (behind, None);
    }
    false
}

/// Whether a word begins a credential, judged by the text around it: it must not be a parameter.
fn is_scheme(before: Option<u8>, behind: &[u8]) -> bool {
    let next = behind.trim_ascii_start();
    let ends = matches!(next.first(), None | Some(b','));
    let is_spaced = behind.first().is_some_and(u8::is_ascii_whitespace);
    match before {
        Some(b',' | b';') => ends || (is_spaced && next.first() != Some(&b'=')),
        Some(b'=') => false,
        _ => is_spaced && !ends && next.first() != Some(&b'='),
    }
}

/// Returns the text after the end of a quoted string (RFC 9110 section 5.6.4), if it ends.
fn behind_quotes(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text;
    loop {
        rest = match rest {
            [b'"', behind @ ..] => return Some(behind),
            [b'\\', _, behind @ ..] | [_, behind @ ..] => behind,
            [] => return None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::holds_credential;

    fn holds_bearer(value: &[u8]) -> bool {
        holds_credential(value, |word| word.eq_ignore_ascii_case(b"bearer"))
    }

    #[test]
    fn a_bearer_credential_among_others_is_found() {
        for value in [
            "Basic Zm9v, Bearer eyJ.a.b",
            "Basic Zm9v,Bearer eyJ.a.b",
            "Basic Zm9v ,\tbEaReR\teyJ.a.b",
            "Basic Zm9v, , Bearer eyJ.a.b",
            "Basic Zm9v, Bearer",
            "Basic Zm9v, Bearer , x",
            ", Bearer eyJ.a.b",
            ",Bearer eyJ.a.b",
            "Digest username=\"u\", realm=\"r\", Bearer eyJ.a.b",
            "Digest username=\"a\\\"b\", Bearer eyJ.a.b",
            "DPoP eyJ.c.d, Bearer eyJ.a.b",
            "Basic Zm9v; Bearer eyJ.a.b",
            "Basic Zm9v Bearer eyJ.a.b",
            "Basic Zm9v==, Bearer eyJ.a.b",
            "Basic \"Zm9v, Bearer eyJ.a.b\"",
            "Digest username=\"u, Bearer eyJ.a.b",
            "Negotiate YII=, Basic Zm9v, Bearer eyJ.a.b",
        ] {
            assert!(holds_bearer(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn a_value_of_another_scheme_alone_has_no_bearer_credential() {
        for value in [
            "",
            "Basic Zm9v",
            "Basic bearer",
            "Basic Zm9v==",
            "Digest username=\"u\", realm=\"r\", uri=\"/\", response=\"00\"",
            "Digest username=\"a, Bearer b\", realm=\"r\"",
            "Digest username=\"a\\\", Bearer b\", realm=\"r\"",
            "Digest username = \"x, Bearer y\"",
            "Digest bearer=\"x\", realm=\"r\"",
            "Digest realm=\"r\", bearer = x",
            "Digest realm=bearer, a=b",
            "AWS4-HMAC-SHA256 Credential=a/20261129/eu/s3/aws4_request, SignedHeaders=host;bearer;x, Signature=00",
            "Token a.b.c",
            "OAuth realm=\"\", oauth_token=\"bearer\"",
            "Custom BearerX y, XBearer z",
            "Hawk id=\"d\", ts=\"1\", ext=\"Bearer x\", mac=\"m\"",
        ] {
            assert!(!holds_bearer(value.as_bytes()), "{value}");
        }
    }
}
