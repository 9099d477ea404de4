//! Tokens of another kind, and extensions that are not supported.

use super::Fault;

pub(super) const CRIT_KNOWN_NAME: Fault = Fault::Draft(|draft| {
    draft.header.set("crit", ["exp"]);
    draft.header.set("exp", draft.scene.now.as_secs() + 600);
});
pub(super) const CRIT_UNKNOWN_NAME: Fault = Fault::Draft(|draft| {
    draft.header.set("crit", ["https://attacker.test/extension"]);
    draft.header.set("https://attacker.test/extension", true);
});
pub(super) const CRIT_EMPTY: Fault = Fault::Draft(|draft| draft.header.set_text("crit", "[]"));
pub(super) const CRIT_NULL: Fault = Fault::Draft(|draft| draft.header.set("crit", ()));
pub(super) const CRIT_B64: Fault = Fault::Draft(|draft| {
    draft.header.set("b64", true);
    draft.header.set("crit", ["b64"]);
});
pub(super) const B64_FALSE: Fault = Fault::Draft(|draft| draft.header.set("b64", false));
pub(super) const B64_STRING: Fault = Fault::Draft(|draft| draft.header.set("b64", "false"));

pub(super) const TYP_DPOP: Fault = Fault::Draft(|draft| draft.header.set("typ", "dpop+jwt"));
pub(super) const TYP_LOGOUT: Fault = Fault::Draft(|draft| draft.header.set("typ", "logout+jwt"));
pub(super) const TYP_SECURITY_EVENT: Fault = Fault::Draft(|draft| draft.header.set("typ", "secevent+jwt"));
pub(super) const TYP_STATUS_LIST: Fault = Fault::Draft(|draft| draft.header.set("typ", "statuslist+jwt"));
pub(super) const TYP_ID_TOKEN: Fault = Fault::Draft(|draft| draft.header.set("typ", "id_token+jwt"));
pub(super) const TYP_REFRESH_TOKEN: Fault = Fault::Draft(|draft| draft.header.set("typ", "rt+jwt"));
pub(super) const TYP_AUTHORIZATION_REQUEST: Fault =
    Fault::Draft(|draft| draft.header.set("typ", "oauth-authz-req+jwt"));
pub(super) const TYP_INTROSPECTION: Fault = Fault::Draft(|draft| draft.header.set("typ", "token-introspection+jwt"));
pub(super) const TYP_CLIENT_AUTHENTICATION: Fault =
    Fault::Draft(|draft| draft.header.set("typ", "client-authentication+jwt"));
pub(super) const TYP_EMPTY: Fault = Fault::Draft(|draft| draft.header.set("typ", ""));
pub(super) const TYP_NULL: Fault = Fault::Draft(|draft| draft.header.set("typ", ()));
pub(super) const TYP_ARRAY: Fault = Fault::Draft(|draft| draft.header.set("typ", ["at+jwt"]));
