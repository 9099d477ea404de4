//! Identities without cryptography.

use std::sync::Arc;

use portcullis_core::{
    Verified,
    verified::{AnyVerified, CredentialKind, Facts},
};
use serde::de::DeserializeOwned;

use super::TokenBuilder;
use crate::must::must;

impl TokenBuilder {
    /// Returns the identity that this token would prove, without signing or checking anything.
    ///
    /// For unit tests of handlers and guards, which work as usual, because a guard does not care where an identity comes from. Roles and
    /// scopes follow the issuer's conventions. There is no [`Facts::algorithm`] and no [`Facts::key_id`], because there was no signature.
    ///
    /// ```
    /// use portcullis_test::MockIssuer;
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize)]
    /// struct Tenant {
    ///     tenant: String,
    /// }
    ///
    /// let issuer = MockIssuer::new();
    /// let alice = issuer.token().subject("alice").scope("orders:read").claim("tenant", "acme").verified::<Tenant>();
    /// assert!(alice.has_scope("orders:read") && !alice.has_scope("orders:write"));
    /// assert_eq!(alice.custom.tenant, "acme");
    /// ```
    ///
    /// # Panics
    ///
    /// If the claims are malformed or do not fit `C`, or if there is a [`defect`](Self::defect): a refused token proves no identity.
    pub fn verified<C: DeserializeOwned>(&self) -> Verified<C> {
        assert!(self.defect.is_none(), "portcullis-test: a token with a defect proves no identity");
        let claims = self.claims_json();
        let custom = custom(&claims);
        let facts = must(
            Facts::assertion(claims, Arc::clone(self.issuer.trusted().conventions())),
            "there is no such identity",
        );
        // As if the token had been signed and verified.
        Verified::assertion(facts.with_credential(CredentialKind::Jwt), custom)
    }

    /// Returns the identity with its type erased and without custom claims, as a layer puts it into a request. With custom claims, use
    /// `AnyVerified::from(token.verified::<C>())`.
    ///
    /// # Panics
    ///
    /// See [`verified`](Self::verified).
    pub fn any_verified(&self) -> AnyVerified {
        self.verified::<portcullis_core::verified::NoCustom>().into()
    }
}

fn custom<C: DeserializeOwned>(claims: &str) -> C {
    // Not `from_str`, which fails if `C` does not read the text, like `NoCustom`.
    let custom = C::deserialize(&mut serde_json::Deserializer::from_str(claims));
    must(custom, "the claims do not have the form of the custom type")
}
