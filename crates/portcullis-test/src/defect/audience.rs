//! `aud` that does not name the service (RFC 7519 section 4.1.3).

use serde_json::{Value, json};

use super::{Fault, header::swap_case};

pub(super) const MISSING: Fault = Fault::Draft(|draft| draft.claims.remove("aud"));
pub(super) const OTHER: Fault = Fault::Draft(|draft| draft.claims.set("aud", "https://other.test"));
pub(super) const EMPTY: Fault = Fault::Draft(|draft| draft.claims.set("aud", ""));
pub(super) const EMPTY_ARRAY: Fault = Fault::Draft(|draft| draft.claims.set("aud", json!([])));
pub(super) const OTHER_CASE: Fault = Fault::Draft(|draft| draft.claims.set("aud", swap_case(&draft.scene.audience)));
pub(super) const LONGER: Fault =
    Fault::Draft(|draft| draft.claims.set("aud", format!("{}.attacker.test", draft.scene.audience)));
pub(super) const DELIMITED: Fault =
    Fault::Draft(|draft| draft.claims.set("aud", format!("https://other.test {}", draft.scene.audience)));
pub(super) const NUMBER: Fault = Fault::Draft(|draft| draft.claims.set("aud", 1));
pub(super) const NULL: Fault = Fault::Draft(|draft| draft.claims.set("aud", Value::Null));
pub(super) const OBJECT: Fault = Fault::Draft(|draft| {
    let mut object = crate::json::Members::default();
    object.set(&draft.scene.audience, true);
    draft.claims.set_text("aud", object.text());
});
pub(super) const NESTED: Fault = Fault::Draft(|draft| draft.claims.set("aud", [[&draft.scene.audience]]));
pub(super) const MIXED_ARRAY: Fault = Fault::Draft(|draft| draft.claims.set("aud", json!([draft.scene.audience, 1])));
