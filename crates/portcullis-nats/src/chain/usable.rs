//! What makes terms unusable for every user, so that they must not be minted.

use super::{
    admitted::CONNECTION_TYPES,
    conditions::Conditions,
    refusal::{Refusal, RefusalKind},
    template,
};
use crate::{claims::Terms, token::TokenErrorKind};

/// Refuses terms with which no user would be let in: unreadable networks and times, kinds of connection of which none is known.
///
/// # Errors
///
/// What is wrong with them.
pub(crate) fn require_usable(terms: &Terms) -> Result<(), Refusal> {
    Conditions::new(terms)?;
    let is_known = |name: &String| CONNECTION_TYPES.iter().any(|known| known.eq_ignore_ascii_case(name));
    if !terms.connection_types.is_empty() && !terms.connection_types.iter().any(is_known) {
        let why =
            "the claim allowed_connection_types names no kind of connection that is known, such as STANDARD or HTTP";
        return Err(Refusal::new(RefusalKind::User(TokenErrorKind::Invalid), why));
    }
    Ok(())
}

/// Refuses a template with which no user would be let in.
///
/// # Errors
///
/// As [`require_usable`], and a function that is not known.
pub(crate) fn require_usable_template(terms: &Terms) -> Result<(), Refusal> {
    require_usable(terms)?;
    template::require_known_functions(&terms.permissions)
}
