//! [`Conventions`]: how an issuer writes claims that no RFC defines.

use std::{fmt, sync::Arc};

use crate::{
    claims::{ClaimPlace, pointer},
    config_text::exact_text_problem,
};

/// Where an issuer's tokens have roles and the client's id, how they mark applications, and what its scopes imply.
#[derive(Clone)]
pub struct Conventions {
    issuer: Arc<str>,
    client: ClientClaim,
    /// Pointers and values that mark the tokens of applications.
    application_marks: Vec<(Box<str>, Box<str>)>,
    /// Other issuers of whose actors this one's word is taken.
    actors_of: Vec<Box<str>>,
    roles_at: Vec<ClaimPlace>,
    scope_rule: Option<Arc<ScopeRule>>,
}

/// Where an issuer writes the id of the OAuth client that a token was issued to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ClientClaim {
    /// In `client_id`, which is read with the registered claims.
    Registered,
    /// At this JSON pointer.
    At(Box<str>),
    /// Nowhere.
    Nowhere,
}

/// Whether a granted scope, the first argument, covers a needed one, the second.
type ScopeRule = dyn Fn(&str, &str) -> bool + Send + Sync;

impl Conventions {
    /// Returns the conventions of an issuer that writes roles to the claim `roles`, the client's id to `client_id`, and whose scopes are
    /// literal.
    pub fn new(issuer: impl Into<Arc<str>>) -> Self {
        Self {
            issuer: issuer.into(),
            client: ClientClaim::Registered,
            actors_of: Vec::new(),
            application_marks: Vec::new(),
            roles_at: Vec::new(),
            scope_rule: None,
        }
    }

    /// Sets where the client's id is: a JSON pointer (RFC 6901) such as `/azp`. Defaults to `/client_id`.
    ///
    /// See [`TrustedIssuer::client_claim`](crate::TrustedIssuer::client_claim).
    #[must_use]
    pub fn client_claim(mut self, pointer: impl Into<String>) -> Self {
        let pointer = pointer.into();
        self.client = if pointer == "/client_id" { ClientClaim::Registered } else { ClientClaim::At(pointer.into()) };
        self
    }

    /// Declares that this issuer's tokens do not name the client that they were issued to.
    ///
    /// See [`TrustedIssuer::without_client_claim`](crate::TrustedIssuer::without_client_claim).
    #[must_use]
    pub fn without_client_claim(mut self) -> Self {
        self.client = ClientClaim::Nowhere;
        self
    }

    /// Adds a mark of tokens that an application got for itself: exactly this string at that JSON pointer (RFC 6901), alone or in a list
    /// of strings.
    ///
    /// See [`TrustedIssuer::application_if`](crate::TrustedIssuer::application_if).
    #[must_use]
    pub fn application_if(mut self, pointer: impl Into<String>, value: impl Into<String>) -> Self {
        self.application_marks.push((pointer.into().into(), value.into().into()));
        self
    }

    /// Accepts what this issuer says about actors of another issuer.
    ///
    /// See [`TrustedIssuer::actors_of`](crate::TrustedIssuer::actors_of).
    #[must_use]
    pub fn actors_of(mut self, issuer: impl Into<String>) -> Self {
        self.actors_of.push(issuer.into().into());
        self
    }

    pub(crate) fn vouches_for_actors_of(&self, issuer: &str) -> bool {
        issuer == self.issuer() || self.actors_of.iter().any(|known| **known == *issuer)
    }

    /// Adds a place of roles: a JSON pointer (RFC 6901) such as `/realm_access/roles`. In a claim's name, `/` is written `~1` and `~` is
    /// written `~0`: `/https:~1~1ns~1roles`, or [`ClaimPlace::named("https://ns/roles")`](ClaimPlace::named).
    ///
    /// A string there is one role, unless the place has a [delimiter](ClaimPlace::delimited_by). May be called several times. Defaults to
    /// `/roles`.
    #[must_use]
    pub fn roles_at(mut self, place: impl Into<ClaimPlace>) -> Self {
        self.roles_at.push(place.into());
        self
    }

    /// Lets a granted scope cover others: `rule(granted, needed)`.
    ///
    /// A scope always covers itself. By default it covers nothing else (RFC 6749 section 3.3: scopes are opaque).
    #[must_use]
    pub fn scope_rule(mut self, rule: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Self {
        self.scope_rule = Some(Arc::new(rule));
        self
    }

    /// Returns the issuer's name, as in `iss`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(crate) fn client(&self) -> &ClientClaim {
        &self.client
    }

    /// Returns the place of the client's id, if it has one.
    pub(crate) fn client_place(&self) -> Option<&str> {
        match &self.client {
            ClientClaim::Registered => Some("/client_id"),
            ClientClaim::At(pointer) => Some(pointer),
            ClientClaim::Nowhere => None,
        }
    }

    /// Returns the pointers and values that mark the token of an application.
    pub(super) fn application_marks(&self) -> impl Iterator<Item = (&str, &str)> {
        self.application_marks.iter().map(|(pointer, value)| (&**pointer, &**value))
    }

    /// Returns the pointers and delimiters of the places of roles.
    pub(crate) fn role_places(&self) -> impl Iterator<Item = (&str, Option<char>)> {
        let default = self.roles_at.is_empty().then_some((DEFAULT_ROLE_PLACE, None));
        default.into_iter().chain(self.roles_at.iter().map(|place| (place.pointer(), place.delimiter())))
    }

    /// Returns what a developer has to correct.
    pub(crate) fn problems(&self) -> impl Iterator<Item = String> {
        let client = self.client_place().and_then(pointer::problem);
        let marks = self.application_marks().filter_map(|(pointer, value)| {
            let of_value =
                || Some(format!("the mark of an application at `{pointer}`: {}", exact_text_problem(value)?));
            pointer::problem(pointer).or_else(of_value)
        });
        self.roles_at.iter().filter_map(ClaimPlace::problem).chain(client).chain(marks)
    }

    pub(crate) fn covers(&self, granted: &str, needed: &str) -> bool {
        granted == needed || self.scope_rule.as_ref().is_some_and(|rule| rule(granted, needed))
    }
}

const DEFAULT_ROLE_PLACE: &str = "/roles";

impl fmt::Debug for Conventions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conventions")
            .field("issuer", &self.issuer)
            .field("client", &self.client_place())
            .field("application_marks", &self.application_marks)
            .field("actors_of", &self.actors_of)
            .field("roles_at", &self.role_places().map(|(pointer, _)| pointer).collect::<Vec<_>>())
            .field("scope_rule", &self.scope_rule.as_ref().map(|_| "a closure"))
            .finish()
    }
}
