//! Headers with wrong content or wrong syntax (RFC 7515 section 4).

use super::Fault;

pub(super) const ALG_MISSING: Fault = Fault::Draft(|draft| draft.header.remove("alg"));
pub(super) const ALG_NUMBER: Fault = Fault::Draft(|draft| draft.header.set("alg", 256));
pub(super) const ALG_ARRAY: Fault = Fault::Draft(|draft| draft.header.set("alg", [draft.scene.key.algorithm().name()]));
pub(super) const ALG_EMPTY: Fault = Fault::Draft(|draft| draft.header.set("alg", ""));
pub(super) const ALG_OTHER_CASE: Fault =
    Fault::Draft(|draft| draft.header.set("alg", swap_case(draft.scene.key.algorithm().name())));
pub(super) const ALG_SHA1: Fault = Fault::Draft(|draft| draft.header.set("alg", "RS1"));

pub(super) const ARRAY: Fault = Fault::Draft(|draft| {
    // The order of typ and alg in jsonwebtoken's header type.
    let name = |name| draft.header.text_of(name).unwrap_or("null");
    draft.header_text = Some(format!("[{},{}]", name("typ"), name("alg")).into_bytes());
});
pub(super) const NOT_JSON: Fault = Fault::Texts(|texts| texts.header.truncate(texts.header.len() - 1));
pub(super) const TRAILING_GARBAGE: Fault = Fault::Texts(|texts| texts.header.extend(b"{}"));
pub(super) const BYTE_ORDER_MARK: Fault = Fault::Texts(|texts| mark(&mut texts.header));
pub(super) const INVALID_UTF8: Fault = Fault::Texts(|texts| spoil_utf8(&mut texts.header));
pub(super) const DUPLICATE_ALG: Fault = Fault::Draft(|draft| {
    let alg = draft.header.text_of("alg").unwrap_or_default().to_owned();
    draft.header.set("alg", "none");
    draft.header.push_text(r#""alg""#, alg);
});
pub(super) const DUPLICATE_ESCAPED: Fault = Fault::Draft(|draft| draft.header.push_text(r#""\u0061lg""#, r#""none""#));
pub(super) const DUPLICATE_UNKNOWN: Fault = Fault::Draft(|draft| {
    draft.header.push_text(r#""x-unknown""#, "1");
    draft.header.push_text(r#""x-unknown""#, "2");
});
pub(super) const NESTED_DUPLICATE: Fault =
    Fault::Draft(|draft| draft.header.set_text("x-unknown", r#"[{"a":1,"a":1}]"#));
pub(super) const TOO_DEEP: Fault = Fault::Draft(|draft| draft.header.set_text("x-unknown", deep()));

pub(super) const KID_UNKNOWN: Fault = Fault::Draft(|draft| draft.header.set("kid", "unknown-key"));
pub(super) const KID_EMPTY: Fault = Fault::Draft(|draft| draft.header.set("kid", ""));
pub(super) const KID_WITH_SPACE: Fault =
    Fault::Draft(|draft| draft.header.set("kid", format!("{} ", draft.scene.key.id())));
pub(super) const KID_WITH_NUL: Fault =
    Fault::Draft(|draft| draft.header.set("kid", format!("{}\0", draft.scene.key.id())));
pub(super) const KID_PATH_TRAVERSAL: Fault =
    Fault::Draft(|draft| draft.header.set("kid", "../../../../../../dev/null"));
pub(super) const KID_SQL_INJECTION: Fault = Fault::Draft(|draft| draft.header.set("kid", "x' UNION SELECT 'AA' -- "));
pub(super) const KID_URL: Fault = Fault::Draft(|draft| draft.header.set("kid", "https://attacker.test/jwks.json"));
pub(super) const KID_NUMBER: Fault = Fault::Draft(|draft| draft.header.set("kid", 1));
pub(super) const KID_NULL: Fault = Fault::Draft(|draft| draft.header.set("kid", ()));
pub(super) const KID_TOO_LONG: Fault = Fault::Draft(|draft| draft.header.set("kid", "k".repeat(513)));

/// Returns every letter in the other case.
pub(super) fn swap_case(text: &str) -> String {
    let swap = |c: char| if c.is_ascii_uppercase() { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() };
    text.chars().map(swap).collect()
}

/// Returns arrays nested too deeply for Portcullis, but not for the JSON parser, which stops at 128.
pub(super) fn deep() -> String {
    format!("{}{}", "[".repeat(64), "]".repeat(64))
}

/// Puts a byte order mark in front.
pub(super) fn mark(text: &mut Vec<u8>) {
    text.splice(..0, *b"\xef\xbb\xbf");
}

/// Adds a member whose value is a byte that never occurs in UTF-8.
pub(super) fn spoil_utf8(text: &mut Vec<u8>) {
    text.splice(..1, *b"{\"x-unknown\":\"\xff\",");
}
