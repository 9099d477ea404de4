//! [`JwtAuthenticator`]: verifies JSON Web Tokens with the keys of their issuers.

mod recipe;

use std::{fmt, marker::PhantomData, sync::Arc};

use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use self::recipe::{Recipe, Step};
use super::{Attempt, Authenticator, Credential, Edition, Explain, Explaining, Proven};
use crate::{
    ConfigError, Issuers, TrustedIssuer, UnixTime,
    issuers::{IssuerId, Row, Table, Trusted},
    judge::{Check, Recorder, Strict},
    token::UnverifiedToken,
    verified::{Conventions, NoCustom},
    verifier::Verifier,
};

/// Verifies JSON Web Tokens of the trusted issuers and returns their claims, custom ones as `C`.
///
/// It identifies the caller; the [`Admission`](crate::Admission) around it checks revocation and caches. Cheap to clone; clones share
/// keys and policy.
///
/// ```
/// use portcullis_core::{Admission, Algorithm, Code, JwtAuthenticator, KeySet, Secret, TrustedIssuer};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Tenant {
///     tenant: String,
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let secret = Secret::new("2026-11", Algorithm::Hs256, *b"a secret of at least 32 bytes, ok")?;
/// let issuer = TrustedIssuer::new("https://login.example.com", KeySet::from(secret)).audience("orders");
/// let admission = Admission::new(JwtAuthenticator::new(issuer)?.claims::<Tenant>());
///
/// let outcome = admission.verify("not.a.token").ready().expect("the key is at hand");
/// assert_eq!(outcome.unwrap_err().code(), Code::TokenMalformed);
/// # Ok(())
/// # }
/// ```
#[doc(alias = "JwtVerifier")]
#[doc(alias = "JwtDecoder")]
#[doc(alias = "validator")]
pub struct JwtAuthenticator<C = NoCustom> {
    recipe: Arc<Recipe>,
    claims: PhantomData<fn() -> C>,
}

impl JwtAuthenticator {
    /// Trusts one issuer.
    ///
    /// # Errors
    ///
    /// If the configuration cannot be used. The error lists all problems.
    pub fn new(issuer: TrustedIssuer) -> Result<Self, ConfigError> {
        Self::trusting([issuer])
    }

    /// Trusts several issuers. A token's `iss` selects one of them; a token of any other issuer is refused before a key is looked up.
    ///
    /// # Errors
    ///
    /// If the configuration cannot be used (no issuer, two issuers with one name, …). The error lists all problems.
    pub fn trusting(issuers: impl IntoIterator<Item = TrustedIssuer>) -> Result<Self, ConfigError> {
        let table = Table::of(issuers)?;
        if table.len() == 0 {
            let problem = "no issuer is trusted, so every token would be refused: add a TrustedIssuer";
            return Err(ConfigError::new(problem));
        }
        Ok(Self::of(Trusted::Fixed(Arc::new(table))))
    }

    /// Trusts the issuers of a list that changes while the service runs: see [`Issuers`].
    pub fn issuers(issuers: Issuers) -> Self {
        Self::of(Trusted::Live(issuers))
    }

    fn of(trusted: Trusted) -> Self {
        let verifier = Arc::new(Verifier::new(trusted));
        let recipe = Recipe { verifier, max_token_bytes: UnverifiedToken::MAX_LEN };
        Self { recipe: Arc::new(recipe), claims: PhantomData }
    }
}

impl<C> JwtAuthenticator<C> {
    /// Parses custom claims of type `D` from every token. A token whose claims do not fit the type is refused
    /// ([`Code::CustomClaimsMalformed`](crate::Code::CustomClaimsMalformed)). Defaults to no custom claims.
    ///
    /// ```
    /// use portcullis_core::{Admission, JwtAuthenticator};
    /// use portcullis_test::MockIssuer;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Custom {
    ///     tenant: String,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let issuer = MockIssuer::new();
    /// let admission = Admission::new(JwtAuthenticator::new(issuer.trusted())?.claims::<Custom>());
    ///
    /// let claims = admission.verify(&issuer.token().claim("tenant", "acme").sign()).outcome().await?;
    /// assert_eq!(claims.custom.tenant, "acme");
    /// assert!(admission.verify(&issuer.token().sign()).outcome().await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn claims<D: DeserializeOwned + Send + Sync + 'static>(self) -> JwtAuthenticator<D> {
        JwtAuthenticator { recipe: self.recipe, claims: PhantomData }
    }

    /// Sets the maximum length of a token in bytes, from 1 KiB to 64 KiB. Longer tokens are refused before anything is decoded.
    ///
    /// Defaults to 16 KiB ([`UnverifiedToken::MAX_LEN`]). Raise it for issuers that write hundreds of groups into their tokens. Every
    /// client can then make this service decode and parse that much. Servers and proxies have their own limits for HTTP headers, many of
    /// them below 16 KiB, and `FormBodyLayer` has one for forms. A long token takes the place of several in the cache.
    ///
    /// # Errors
    ///
    /// If the limit is out of this range.
    pub fn max_token_bytes(self, bytes: usize) -> Result<Self, ConfigError> {
        if !(1024..=UnverifiedToken::HIGHEST_MAX_LEN).contains(&bytes) {
            let highest = UnverifiedToken::HIGHEST_MAX_LEN;
            return Err(ConfigError::new(format!(
                "a limit of {bytes} bytes for tokens: give one from 1024 to {highest}"
            )));
        }
        let recipe = Recipe { max_token_bytes: bytes, ..Arc::unwrap_or_clone(self.recipe) };
        Ok(Self { recipe: Arc::new(recipe), ..self })
    }
}

impl<C: DeserializeOwned + Send + Sync + 'static> Authenticator for JwtAuthenticator<C> {
    type Custom = C;

    fn verify(&self, credential: Credential<'_>) -> Attempt<Proven<C>> {
        match self.recipe.verify(credential.token(), credential.now(), &|| credential.clock(), &mut Strict) {
            Ok(Step::Proven(proven)) => Attempt::Done(Ok(proven)),
            Ok(step) => {
                let (recipe, token) = (Arc::clone(&self.recipe), Zeroizing::new(credential.token().to_owned()));
                let clock = credential.clock();
                Attempt::waiting(async move { recipe.finish(&token, step, &clock, &mut Strict).await })
            }
            Err(error) => Attempt::Done(Err(error)),
        }
    }

    fn is_current(&self, edition: Edition, now: UnixTime) -> bool {
        let id = IssuerId::from_packed(edition.part());
        let is_current = |issuer: &Row| {
            let is_current = issuer.keys.edition(now) == Some(edition.number());
            if is_current {
                issuer.keys.note_verified();
            }
            Some(is_current)
        };
        self.recipe.verifier.trusted().of_id(id, now, is_current) == Some(true)
    }

    fn max_len(&self) -> usize {
        self.recipe.max_token_bytes
    }

    fn conventions(&self, issuer: &str) -> Option<Arc<Conventions>> {
        self.recipe.verifier.trusted().find(issuer).map(|issuer| Arc::clone(issuer.policy.conventions()))
    }

    fn issuers(&self) -> Vec<Arc<Conventions>> {
        self.recipe.verifier.trusted().table().rows().map(|row| Arc::clone(row.policy.conventions())).collect()
    }
}

impl<C: DeserializeOwned + Send + Sync + 'static> Explain for JwtAuthenticator<C> {
    fn explain<'a>(&'a self, credential: Credential<'a>, recorder: &'a mut Recorder) -> Explaining<'a, C> {
        recorder.plan(Check::of_jwt());
        Box::pin(async move {
            let step = self.recipe.verify(credential.token(), credential.now(), &|| credential.clock(), recorder)?;
            self.recipe.finish(credential.token(), step, &credential.clock(), recorder).await
        })
    }
}

impl<C> Clone for JwtAuthenticator<C> {
    fn clone(&self) -> Self {
        Self { recipe: Arc::clone(&self.recipe), claims: PhantomData }
    }
}

impl<C> fmt::Debug for JwtAuthenticator<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtAuthenticator")
            .field("trusts", self.recipe.verifier.trusted())
            .field("claims", &std::any::type_name::<C>())
            .finish_non_exhaustive()
    }
}
