//! Claims that are not one strict object with members of the right types (RFC 7519 section 4).

use super::{
    Fault,
    header::{deep, mark, spoil_utf8},
};

pub(super) const NOT_JSON: Fault = Fault::Texts(|texts| texts.claims.truncate(texts.claims.len() - 1));
pub(super) const ARRAY: Fault = Fault::Draft(|draft| draft.claims_text = Some(draft.claims.positional().into_bytes()));
pub(super) const STRING: Fault = Fault::Draft(|draft| {
    let text = serde_json::Value::from(draft.claims.text()).to_string();
    draft.claims_text = Some(text.into_bytes());
});
pub(super) const NULL: Fault = Fault::Draft(|draft| draft.claims_text = Some(b"null".to_vec()));
pub(super) const NESTED_TOKEN: Fault = Fault::Draft(|draft| {
    let inner =
        format!("{}.{}", crate::base64url::encode(draft.header.text()), crate::base64url::encode(draft.claims.text()));
    let signature = crate::base64url::encode(draft.signer.sign(&inner));
    draft.claims_text = Some(format!("{inner}.{signature}").into_bytes());
    draft.header.set("cty", "JWT");
});
pub(super) const TRAILING_GARBAGE: Fault = Fault::Texts(|texts| texts.claims.extend(b"{}"));
pub(super) const BYTE_ORDER_MARK: Fault = Fault::Texts(|texts| mark(&mut texts.claims));
pub(super) const INVALID_UTF8: Fault = Fault::Texts(|texts| spoil_utf8(&mut texts.claims));
pub(super) const LONE_SURROGATE: Fault = Fault::Draft(|draft| draft.claims.set_text("x-unknown", r#""\ud800""#));
pub(super) const DUPLICATE_SUB: Fault = Fault::Draft(|draft| {
    draft.claims.remove("sub");
    draft.claims.push_text(r#""sub""#, r#""test-user""#);
    draft.claims.push_text(r#""sub""#, r#""admin""#);
});
pub(super) const DUPLICATE_EXP: Fault = Fault::Draft(|draft| {
    let exp = draft.claims.text_of("exp").unwrap_or("0").to_owned();
    draft.claims.set("exp", 1);
    draft.claims.push_text(r#""exp""#, exp);
});
pub(super) const DUPLICATE_ESCAPED: Fault = Fault::Draft(|draft| {
    draft.claims.set("sub", "test-user");
    draft.claims.push_text(r#""\u0073ub""#, r#""admin""#);
});
pub(super) const DUPLICATE_UNKNOWN: Fault = Fault::Draft(|draft| {
    draft.claims.push_text(r#""x-unknown""#, "1");
    draft.claims.push_text(r#""x-unknown""#, "2");
});
pub(super) const NESTED_DUPLICATE: Fault =
    Fault::Draft(|draft| draft.claims.set_text("x-unknown", r#"{"a":{"b":1,"b":1}}"#));
pub(super) const TOO_DEEP: Fault = Fault::Draft(|draft| draft.claims.set_text("x-unknown", deep()));
pub(super) const SCOPE_TOO_DEEP: Fault = Fault::Draft(|draft| draft.claims.set_text("scope", deep()));
pub(super) const SCP_TOO_DEEP: Fault = Fault::Draft(|draft| draft.claims.set_text("scp", deep()));
pub(super) const PRETENDED_NUMBER: Fault =
    Fault::Draft(|draft| draft.claims.set_text("ver", r#"{"$serde_json::private::Number":"5"}"#));

pub(super) const SUB_NUMBER: Fault = Fault::Draft(|draft| draft.claims.set("sub", 1));
pub(super) const SUB_NULL: Fault = Fault::Draft(|draft| draft.claims.set("sub", ()));
pub(super) const SUB_ARRAY: Fault = Fault::Draft(|draft| draft.claims.set("sub", [draft.claims.string("sub")]));
pub(super) const CNF_JKT: Fault = Fault::Draft(|draft| {
    draft.claims.set("cnf", serde_json::json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }));
});
pub(super) const CNF_CERTIFICATE: Fault = Fault::Draft(|draft| {
    draft.claims.set("cnf", serde_json::json!({ "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" }));
});
pub(super) const CNF_NULL: Fault = Fault::Draft(|draft| draft.claims.set("cnf", ()));
