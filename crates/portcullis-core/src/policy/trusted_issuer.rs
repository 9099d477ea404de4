//! [`TrustedIssuer`]: the configuration of one issuer.

use std::{sync::Arc, time::Duration};

use super::{Leeway, Policy, Profile, RequiredClaim};
use crate::{
    claims::ClaimPlace,
    keys::{AlgorithmSet, KeySource},
    verified::Conventions,
};

/// One trusted issuer: its name, the audience of its tokens, its keys, and further requirements.
///
/// Everything is checked when an authenticator is made from it, and the error lists all problems.
///
/// ```
/// use portcullis_core::{Algorithm, KeySet, Secret, TrustedIssuer};
/// use portcullis_core::policy::Profile;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let secret = Secret::new("2026-11", Algorithm::Hs256, *b"a secret of at least 32 bytes, ok")?;
/// let issuer = TrustedIssuer::new("https://login.example.com", KeySet::from(secret)).audience("https://orders.example.com")
///     .audience("orders")
///     .profile(Profile::AccessToken);
/// # Ok(())
/// # }
/// ```
#[doc(alias = "Validation")]
#[doc(alias = "IssuerConfig")]
#[derive(Clone, Debug)]
pub struct TrustedIssuer {
    policy: Policy,
    keys: Arc<dyn KeySource>,
}

impl TrustedIssuer {
    /// Trusts tokens whose `iss` is exactly `issuer`, and that one of `keys` signed. Set the expected audience with
    /// [`audience`](Self::audience); without one, making an authenticator fails.
    pub fn new(issuer: impl Into<String>, keys: impl KeySource) -> Self {
        let conventions = Arc::new(Conventions::new(issuer.into()));
        Self { policy: Policy::new(conventions), keys: Arc::new(keys) }
    }

    /// Accepts tokens with this audience: their `aud` is exactly this value, or an array that contains it. The audience is the issuer's
    /// name for this service (RFC 7519 section 4.1.3). If called several times, a token for any of the audiences is accepted.
    #[doc(alias = "aud")]
    #[doc(alias = "set_audience")]
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.policy.audiences.push(audience.into().into());
        self
    }

    /// Accepts only these algorithms (each only with a key that is bound to it).
    ///
    /// Defaults to all: the key decides which of them a token may use, never the token.
    #[doc(alias = "alg")]
    #[must_use]
    pub fn algorithms(mut self, algorithms: impl Into<AlgorithmSet>) -> Self {
        self.policy.algorithms = algorithms.into();
        self
    }

    /// Also accepts tokens with this `typ`: the issuer's own type, such as `vnd.example+jwt`. Compared without case, and with or without
    /// a leading `application/` (RFC 7515 section 4.1.9). May be called several times.
    ///
    /// With [`Profile::Jwt`] it is accepted in addition to the types of that profile. With [`Profile::AccessToken`] it is accepted in
    /// addition to `at+jwt`, and the claims that the profile requires are still required. [`Profile::LogoutToken`] accepts none of them.
    ///
    /// Defaults to none. The types of other kinds of tokens (`dpop+jwt`, `logout+jwt`, `secevent+jwt`, `id+jwt`, `kb+jwt`, …) cannot be
    /// added.
    #[must_use]
    pub fn token_type(mut self, name: impl Into<String>) -> Self {
        self.policy.token_types.push(name.into());
        self
    }

    /// Accepts this kind of token. Defaults to [`Profile::Jwt`].
    #[must_use]
    pub fn profile(mut self, profile: Profile) -> Self {
        self.policy.profile = profile;
        self
    }

    /// Sets the allowed clock skew. Defaults to 30 s.
    #[doc(alias = "clock_skew")]
    #[doc(alias = "tolerance")]
    #[must_use]
    pub fn leeway(mut self, leeway: Leeway) -> Self {
        self.policy.leeway = leeway;
        self
    }

    /// Refuses tokens issued longer ago than this, whatever their `exp`; `iat` is then required.
    ///
    /// Defaults to no limit.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.policy.max_age = Some(age);
        self
    }

    /// Refuses tokens whose `exp` is later than their `iat` by more than this; `iat` is then required.
    ///
    /// Defaults to no limit.
    #[must_use]
    pub fn max_lifetime(mut self, lifetime: Duration) -> Self {
        self.policy.max_lifetime = Some(lifetime);
        self
    }

    /// Requires a claim, given as a JSON pointer (RFC 6901) such as `/tenant`. It may have any value except `null` (and `sub`, `jti`,
    /// `sid` and `client_id` must not be empty). In a claim's name, `/` is written `~1` and `~` is written `~0`: `/https:~1~1ns~1tenant`.
    #[must_use]
    pub fn require_claim(mut self, pointer: impl Into<String>) -> Self {
        self.policy.required.push(RequiredClaim::of_any_value(pointer.into()));
        self
    }

    /// Requires a claim, given as a JSON pointer (RFC 6901), to be exactly this string: for example `/token_use` to be `access`.
    ///
    /// For issuers that mark the purpose of a token with a claim instead of `typ`. A number, a boolean or an array is not a string. In a
    /// claim's name, `/` is written `~1` and `~` is written `~0`.
    #[must_use]
    pub fn require_claim_value(mut self, pointer: impl Into<String>, value: impl Into<String>) -> Self {
        self.policy.required.push(RequiredClaim::of_value(pointer.into(), value.into()));
        self
    }

    /// Requires a claim to be exactly this string in tokens that have it: for example a session's `/sts` to be `active`. A token without
    /// it, or with `null`, is accepted.
    ///
    /// For issuers that write a status only if it restricts the token. Logout tokens ([`Profile::LogoutToken`]) need not meet it.
    /// Otherwise like [`require_claim_value`](Self::require_claim_value).
    #[must_use]
    pub fn access_token_claim_value_if_present(mut self, pointer: impl Into<String>, value: impl Into<String>) -> Self {
        let required = RequiredClaim::of_value(pointer.into(), value.into()).if_present().of_access_tokens();
        self.policy.required.push(required);
        self
    }

    /// Requires a claim of *access tokens*, given as a JSON pointer (RFC 6901): one that distinguishes this issuer's access tokens from
    /// its ID tokens, such as `/azp` or `/cid`.
    ///
    /// Like [`require_claim`](Self::require_claim), but logout tokens ([`Profile::LogoutToken`]) need not have it, because they have
    /// their own distinguishing claims.
    #[must_use]
    pub fn access_token_claim(mut self, pointer: impl Into<String>) -> Self {
        self.policy.required.push(RequiredClaim::of_any_value(pointer.into()).of_access_tokens());
        self
    }

    /// Requires a claim of *access tokens* to be exactly this string: for example `/token_use` to be `access`.
    ///
    /// Like [`require_claim_value`](Self::require_claim_value), but logout tokens ([`Profile::LogoutToken`]) need not have it, because
    /// they have their own distinguishing claims.
    #[must_use]
    pub fn access_token_claim_value(mut self, pointer: impl Into<String>, value: impl Into<String>) -> Self {
        self.policy.required.push(RequiredClaim::of_value(pointer.into(), value.into()).of_access_tokens());
        self
    }

    /// Accepts **logout tokens without `exp`** ([`Profile::LogoutToken`]) for `max_age` after they were issued (`iat`), without leeway.
    ///
    /// For providers that follow drafts of OpenID Connect Back-Channel Logout, in which `exp` was optional: Ory Hydra. Access tokens
    /// still need `exp`. A few minutes are enough, because the provider posts the token as soon as the user logs out.
    ///
    /// Defaults to requiring `exp` (section 2.4). This is weaker: you decide how long a stolen token can be presented, instead of the
    /// provider. Keep `max_age` short.
    #[must_use]
    pub fn danger_logout_tokens_without_expiry(mut self, max_age: Duration) -> Self {
        self.policy.logout_without_expiry = Some(max_age);
        self
    }

    /// Lets another claim replace an **`aud` that is absent or empty** (`[]`): its value has to be a string, and one of the audiences. If
    /// `aud` has any value, it is checked as usual.
    ///
    /// Takes a JSON pointer (RFC 6901): `/azp` or `/client_id`. For issuers that write no `aud` into access tokens: Clerk, `WorkOS`,
    /// Kinde, Amazon Cognito, Keycloak without an audience mapper. Logout tokens need `aud` in any case.
    ///
    /// Defaults to requiring `aud`.
    ///
    /// This is weaker: such a token does not say which service it is for, only which client got it. Every service that accepts that
    /// client accepts the token, and each of them can use it at all the others. So
    ///
    /// - make the issuer write `aud`, if it can, instead of using this setting;
    /// - name a claim that only the issuer decides, such as `azp`, `client_id` or `appid`, and never one that users or clients can write,
    ///   such as `sub`, `name` or `scope`;
    /// - use only your own clients as audiences, and never one that another party's service also accepts;
    /// - distinguish ID tokens from access tokens: [`require_claim_value("/token_use", "access")`](Self::require_claim_value), or
    ///   [`token_type`](Self::token_type);
    /// - on every route, require a scope that only this service uses;
    /// - do not use it where a client may choose its own id.
    #[must_use]
    pub fn danger_claim_as_audience(mut self, pointer: impl Into<String>) -> Self {
        self.policy.audience_claim = Some(pointer.into());
        self
    }

    /// Accepts tokens that are **bound to a key** (`cnf`: RFC 7800, RFC 8705 section 3.1, RFC 9449 section 6) as plain bearer
    /// tokens, without a proof of that key.
    ///
    /// Defaults to refusing them with [`Code::ProofMissing`](crate::Code::ProofMissing), whatever `cnf` contains. (RFC 9449 section 7.2
    /// leaves the choice to the resource server.)
    ///
    /// This is weaker: the issuer bound the token so that a stolen copy is useless, and with this setting the copy is valid. So
    ///
    /// - check the proof yourself, in front of or behind the layer: that the client certificate of the connection has the
    ///   thumbprint `/cnf/x5t#S256`, or that the `DPoP` proof was signed by the key `/cnf/jkt`
    ///   (see [`Facts::claim`](crate::verified::Facts::claim)), and refuse the request otherwise;
    /// - or use it only where a proxy in front of this service checks the proof, and nothing else can reach the service.
    #[must_use]
    pub fn danger_bound_tokens_as_bearer(mut self) -> Self {
        self.policy.bound_as_bearer = true;
        self
    }

    /// Adds a place where this issuer writes roles: a JSON pointer (RFC 6901) such as `/realm_access/roles`. In a claim's name, `/` is
    /// written `~1` and `~` is written `~0`: `/https:~1~1ns~1roles`, or [`ClaimPlace::named("https://ns/roles")`](ClaimPlace::named).
    ///
    /// A string there is one role, unless the place has a [delimiter](ClaimPlace::delimited_by). May be called several times. Defaults to
    /// `/roles`.
    #[must_use]
    pub fn roles_at(self, place: impl Into<ClaimPlace>) -> Self {
        self.with_conventions(|conventions| conventions.roles_at(place))
    }

    /// Sets where this issuer writes the id of the OAuth client that a token was issued to: a JSON pointer such as `/azp` (Keycloak,
    /// Entra ID), `/cid` (Okta) or `/appid` (Entra ID, version 1.0).
    ///
    /// [`Facts::client_id`](crate::verified::Facts::client_id) returns it, and a revoked client
    /// ([`Revocation::client`](crate::revocation::Revocation::client)) is compared with it: with the wrong place, revoking a client has
    /// no effect. A token without a string there names no client; if clients can be revoked, a token with another type there is refused.
    ///
    /// Defaults to `/client_id` (RFC 9068 section 2.2). [`Profile::AccessToken`] requires `client_id` in any case.
    #[must_use]
    #[doc(alias = "azp")]
    #[doc(alias = "client_id")]
    pub fn client_claim(self, pointer: impl Into<String>) -> Self {
        self.with_conventions(|conventions| conventions.client_claim(pointer))
    }

    /// Declares that this issuer's tokens do not name the client that they were issued to.
    ///
    /// Revoking a client of this issuer is then an error instead of having no effect: see
    /// [`RevocationView::problem_with`](crate::revocation::RevocationView::problem_with).
    #[must_use]
    pub fn without_client_claim(self) -> Self {
        self.with_conventions(Conventions::without_client_claim)
    }

    /// Sets how this issuer marks tokens that an application got for itself: with exactly this string at that JSON pointer (RFC 6901),
    /// alone or in a list of strings. May be called several times.
    ///
    /// [`Facts::principal`](crate::verified::Facts::principal) uses it, and so do the requirements for users and applications. A token
    /// with anything else than a string or a list of strings there counts as neither; a token without the claim, or with `null`, is not
    /// marked.
    ///
    /// Defaults to no mark: an application is then recognised by a `sub` that is absent or is the client's own id (RFC 9068 section 2.2).
    ///
    /// ```
    /// # use portcullis_core::TrustedIssuer;
    /// # fn example(entra: TrustedIssuer, keycloak: TrustedIssuer, pipelines: TrustedIssuer) {
    /// entra.application_if("/idtyp", "app"); // an optional claim that has to be enabled
    /// keycloak.application_if("/azp", "nightly-billing"); // a client without login
    /// pipelines.application_if("/iss", "https://ci.example.com"); // all of its tokens
    /// # }
    /// ```
    #[must_use]
    pub fn application_if(self, pointer: impl Into<String>, value: impl Into<String>) -> Self {
        self.with_conventions(|conventions| conventions.application_if(pointer, value))
    }

    /// Takes this issuer's word about actors of another issuer: tokens in which `act` has that `iss` (RFC 8693 section 4.1). Several add up.
    ///
    /// It is what the requirement `actor_of` goes by. Nothing but this issuer's signature proves who acts, so with it an issuer can name any of the
    /// other's actors: say it of an issuer that exchanges tokens on behalf of the other, and of no tenant.
    ///
    /// Defaults to its own actors alone.
    #[must_use]
    pub fn actors_of(mut self, issuer: impl Into<String>) -> Self {
        let conventions = Arc::unwrap_or_clone(self.policy.conventions).actors_of(issuer);
        self.policy.conventions = Arc::new(conventions);
        self
    }

    /// Lets a granted scope cover others, `rule(granted, needed)`: for hierarchies such as `orders` over
    /// `orders:read`.
    ///
    /// Defaults to literal scopes.
    #[must_use]
    pub fn scope_rule(self, rule: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Self {
        self.with_conventions(|conventions| conventions.scope_rule(rule))
    }

    /// Returns how this issuer writes roles, scopes and clients, and marks applications.
    pub fn conventions(&self) -> &Arc<Conventions> {
        &self.policy.conventions
    }

    fn with_conventions(mut self, change: impl FnOnce(Conventions) -> Conventions) -> Self {
        self.policy.conventions = Arc::new(change(Arc::unwrap_or_clone(self.policy.conventions)));
        self
    }

    pub(crate) fn into_parts(self) -> (Policy, Arc<dyn KeySource>) {
        (self.policy, self.keys)
    }
}
