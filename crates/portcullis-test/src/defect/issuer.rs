//! `iss` that is not exactly the trusted one (RFC 7519 section 4.1.1).

use super::{Fault, header::swap_case};

pub(super) const MISSING: Fault = Fault::Draft(|draft| draft.claims.remove("iss"));
pub(super) const OTHER: Fault = Fault::Draft(|draft| draft.claims.set("iss", "https://attacker.test"));
pub(super) const EMPTY: Fault = Fault::Draft(|draft| draft.claims.set("iss", ""));
pub(super) const TRAILING_SLASH: Fault = Fault::Draft(|draft| {
    let issuer = &draft.scene.issuer;
    let other = issuer.strip_suffix('/').map_or_else(|| format!("{issuer}/"), str::to_owned);
    draft.claims.set("iss", other);
});
pub(super) const OTHER_CASE: Fault = Fault::Draft(|draft| draft.claims.set("iss", swap_case(&draft.scene.issuer)));
pub(super) const LONGER: Fault =
    Fault::Draft(|draft| draft.claims.set("iss", format!("{}.attacker.test", draft.scene.issuer)));
pub(super) const ARRAY: Fault = Fault::Draft(|draft| draft.claims.set("iss", [&draft.scene.issuer]));
pub(super) const NUMBER: Fault = Fault::Draft(|draft| draft.claims.set("iss", 1));
pub(super) const NULL: Fault = Fault::Draft(|draft| draft.claims.set("iss", ()));
