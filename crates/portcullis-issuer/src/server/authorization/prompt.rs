//! [`Prompt`]: which pages a client wants, or does not want.

use crate::space_separated::space_separated;

/// Which page a client wants the user to see (`prompt`, OpenID Connect Core section 3.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Prompt {
    /// None. If the user has to log in or to be asked, [deny](super::AuthorizationRequest::deny) the request.
    None,
    /// That for logging in, also if the user is logged in.
    Login,
    /// That which asks the user, also if the user has allowed all of it before.
    Consent,
    /// That for choosing an account.
    SelectAccount,
}

impl Prompt {
    const ALL: [Self; 4] = [Self::None, Self::Login, Self::Consent, Self::SelectAccount];

    /// Returns its name in a request.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Login => "login",
            Self::Consent => "consent",
            Self::SelectAccount => "select_account",
        }
    }

    /// Reads a list of them. Names that are not known are an error, and so is `none` beside another.
    pub(super) fn parse(text: &str) -> Option<Vec<Self>> {
        let find = |name| Self::ALL.into_iter().find(|prompt| prompt.name() == name);
        let prompts: Vec<_> = space_separated(text).map(find).collect::<Option<_>>()?;
        let is_contradiction = prompts.contains(&Self::None) && prompts.len() > 1;
        (!is_contradiction).then_some(prompts)
    }
}
