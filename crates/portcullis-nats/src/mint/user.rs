//! The token of a user.

use portcullis_core::{UnixTime, signing::Signer};

use super::{Mint, MintError, MintErrorKind, Minted, in_lower_case, seal};
use crate::{
    chain::require_usable,
    claims::{Account, Terms, User},
    nkey::{AccountKey, PublicKey, Role, UserKey},
    token::Token,
};

/// A user whose own token says what the user may do.
#[derive(Clone, Debug)]
pub struct OwnTerms(Draft);

/// A user for whom the scope of the signing key says what the user may do.
#[derive(Clone, Debug)]
pub struct ScopedTerms(Draft);

#[derive(Clone, Debug, Default)]
struct Draft {
    claims: User,
    account: Option<Token<Account>>,
}

impl Mint<OwnTerms> {
    /// A user with this key, whose own token says what the user may do. Defaults to everything: set [`terms`](Self::terms).
    pub fn user(key: UserKey, name: impl Into<String>) -> Self {
        Self::new(key, name, OwnTerms(Draft::default()))
    }

    /// Sets what the user may do. Defaults to everything that the account may, unless the account has default permissions.
    pub fn terms(mut self, terms: Terms) -> Self {
        self.kind.0.claims.terms = terms;
        self
    }

    /// Sets the account, which has to be known if one of its signing keys signs. Defaults to the signer's own key.
    pub fn of(mut self, account: AccountKey) -> Self {
        self.kind.0.claims.issuer_account = Some(account);
        self
    }
}

impl Mint<ScopedTerms> {
    /// A user with this key of this account, for whom the scope of the signing key says what the user may do. A server refuses such a user if the
    /// token has any terms, so there is no method to set them.
    pub fn scoped_user(key: UserKey, name: impl Into<String>, account: AccountKey) -> Self {
        let mut draft = Draft::default();
        draft.claims.terms = Terms::nothing();
        draft.claims.issuer_account = Some(account);
        Self::new(key, name, ScopedTerms(draft))
    }
}

macro_rules! both {
    ($kind:ident, $scoped:literal) => {
        impl Mint<$kind> {
            /// Sets the tags, which templates can use. Tools of NATS write them in lower case, and so does this.
            pub fn tags<S: Into<String>>(mut self, tags: impl IntoIterator<Item = S>) -> Self {
                self.kind.0.claims.tags = in_lower_case(tags);
                self
            }

            /// Sets the account, and checks that the signer signs for it, with a scope or without one as this user needs it.
            pub fn within(mut self, account: &Token<Account>) -> Self {
                self.kind.0.account = Some(account.clone());
                self
            }

            /// Signs it with a key of the account.
            ///
            /// # Errors
            ///
            /// See [`MintErrorKind`].
            pub async fn sign<S: Signer + ?Sized>(self, signer: &S, now: UnixTime) -> Result<Minted<User>, MintError> {
                let issuer = seal::issuer_of(signer, Role::Account)?;
                let user = self.kind.0.settle(&issuer, $scoped)?;
                let claims = self.claims("user", &user, &issuer, now)?;
                seal::seal(&claims, signer).await
            }
        }
    };
}

both!(OwnTerms, false);
both!(ScopedTerms, true);

impl Draft {
    /// Returns the claims to sign with this key.
    fn settle(&self, issuer: &PublicKey, is_scoped: bool) -> Result<User, MintError> {
        let mut user = self.claims.clone();
        require_usable(&user.terms).map_err(|refusal| MintError::claims(refusal.explanation().to_owned()))?;
        if let Some(account) = &self.account {
            user.issuer_account = Some(require_signer(account, user.issuer_account, issuer, is_scoped)?);
        }
        if is_scoped && user.issuer_account.is_some_and(|account| account.public_key() == issuer) {
            return Err(MintError::new(
                MintErrorKind::Scope,
                "the account's own key has no scope: use a scoped signing key, or Mint::user",
            ));
        }
        // Where the account signs with its own key, `iss` says it.
        user.issuer_account = user.issuer_account.filter(|account| account.public_key() != issuer);
        Ok(user)
    }
}

/// Returns the id of the account for which this key signs such users.
fn require_signer(
    account: &Token<Account>,
    named: Option<AccountKey>,
    issuer: &PublicKey,
    is_scoped: bool,
) -> Result<AccountKey, MintError> {
    let refused = |kind, why: &'static str| Err(MintError::new(kind, why));
    let id = account.registered.subject;
    if named.is_some_and(|named| *named.public_key() != id) {
        return refused(MintErrorKind::NotAllowed, "the user is one of another account");
    }
    let has_scope = match account.nats.signing_key(issuer) {
        Some(key) => key.scope.is_some(),
        None if *issuer == id => false,
        None => return refused(MintErrorKind::NotAllowed, "the signing key is not one of the account"),
    };
    match (has_scope, is_scoped) {
        (true, false) => refused(
            MintErrorKind::Scope,
            "the signing key has a scope, which says what its users may do: use Mint::scoped_user",
        ),
        (false, true) => refused(
            MintErrorKind::Scope,
            "the signing key has no scope, so its users would be able to do nothing: use Mint::user",
        ),
        _ => AccountKey::try_from(id).map_err(|error| MintError::new(MintErrorKind::SigningKey, error.to_string())),
    }
}
