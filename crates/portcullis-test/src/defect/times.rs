//! Times that have passed, are in the future, or are invalid (RFC 7519 sections 2 and 4.1.4 to 4.1.6).

use std::time::Duration;

use super::Fault;

/// Much longer than any leeway (five minutes at most) and than the time between signing and checking.
const HOUR: Duration = Duration::from_secs(3600);

pub(super) const EXP_MISSING: Fault = Fault::Draft(|draft| draft.claims.remove("exp"));
pub(super) const EXPIRED: Fault = Fault::Draft(|draft| {
    draft.claims.set("iat", draft.scene.now.minus(2 * HOUR).as_secs());
    draft.claims.set("exp", draft.scene.now.minus(HOUR).as_secs());
});
pub(super) const EXP_ZERO: Fault = Fault::Draft(|draft| draft.claims.set("exp", 0));
pub(super) const EXP_STRING: Fault =
    Fault::Draft(|draft| draft.claims.set("exp", draft.scene.now.plus(HOUR).to_string()));
pub(super) const EXP_NULL: Fault = Fault::Draft(|draft| draft.claims.set("exp", ()));
pub(super) const EXP_BOOLEAN: Fault = Fault::Draft(|draft| draft.claims.set("exp", true));
pub(super) const EXP_ARRAY: Fault =
    Fault::Draft(|draft| draft.claims.set("exp", [draft.scene.now.plus(HOUR).as_secs()]));
pub(super) const EXP_NEGATIVE: Fault = Fault::Draft(|draft| draft.claims.set("exp", -1));
pub(super) const EXP_MILLISECONDS: Fault =
    Fault::Draft(|draft| draft.claims.set("exp", draft.scene.now.plus(HOUR).as_secs().saturating_mul(1000)));
pub(super) const EXP_HUGE: Fault = Fault::Draft(|draft| draft.claims.set("exp", u64::MAX));
pub(super) const EXP_HUGE_FLOAT: Fault = Fault::Draft(|draft| draft.claims.set_text("exp", "1e300"));
pub(super) const EXP_INFINITE: Fault = Fault::Draft(|draft| draft.claims.set_text("exp", "1e999"));
pub(super) const NBF_FUTURE: Fault = Fault::Draft(|draft| {
    draft.claims.set("nbf", draft.scene.now.plus(HOUR).as_secs());
    draft.claims.set("exp", draft.scene.now.plus(2 * HOUR).as_secs());
});
pub(super) const NBF_STRING: Fault = Fault::Draft(|draft| draft.claims.set("nbf", draft.scene.now.to_string()));
pub(super) const NBF_NULL: Fault = Fault::Draft(|draft| draft.claims.set("nbf", ()));
pub(super) const IAT_FUTURE: Fault = Fault::Draft(|draft| {
    draft.claims.set("iat", draft.scene.now.plus(HOUR).as_secs());
    draft.claims.set("exp", draft.scene.now.plus(2 * HOUR).as_secs());
});
pub(super) const IAT_STRING: Fault = Fault::Draft(|draft| draft.claims.set("iat", draft.scene.now.to_string()));
pub(super) const IAT_NEGATIVE: Fault = Fault::Draft(|draft| draft.claims.set("iat", -1));
