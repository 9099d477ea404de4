//! The `security` part of an OpenAPI document made with [utoipa].
//!
//! [`OpenApiSecurity`] adds the security scheme of a service to its document. From an [`AccessTable`] it also takes which route needs a
//! credential, and with which scopes, so that the document always matches what is enforced.
//!
//! ```
//! use http::Method;
//! use portcullis::{AccessTable, openapi::OpenApiSecurity, requirement::scope};
//! use utoipa::{Modify, openapi::{OpenApiBuilder, PathItem, PathsBuilder, path::{HttpMethod, Operation}}};
//!
//! // With utoipa's macros: `#[derive(OpenApi)]` makes the document.
//! let paths = PathsBuilder::new()
//!     .path("/orders/{id}", PathItem::new(HttpMethod::Get, Operation::new()))
//!     .path("/health", PathItem::new(HttpMethod::Get, Operation::new()));
//! let mut document = OpenApiBuilder::new().paths(paths).build();
//!
//! let table = AccessTable::new()
//!     .public(Method::GET, "/health")
//!     .require(Method::GET, "/orders/{id}", scope("orders:read"));
//! OpenApiSecurity::open_id_connect("https://login.example.com").table(&table).modify(&mut document);
//!
//! let document = serde_json::to_value(&document)?;
//! assert_eq!(document["paths"]["/orders/{id}"]["get"]["security"], serde_json::json!([{ "oidc": ["orders:read"] }]));
//! assert_eq!(document["paths"]["/health"]["get"]["security"], serde_json::json!([]));
//! assert_eq!(document["components"]["securitySchemes"]["oidc"]["type"], "openIdConnect");
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! [utoipa]: https://docs.rs/utoipa

use std::fmt;

use http::Method;
use utoipa::{
    Modify,
    openapi::{
        OpenApi, PathItem,
        path::Operation,
        security::{
            ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, OpenIdConnect, SecurityRequirement, SecurityScheme,
        },
    },
};

use crate::{
    AccessTable, Requirement,
    access_table::{Access, ListedRoute},
};

/// Adds a security scheme to a document, and what each listed route requires. It is utoipa's [`Modify`].
///
/// OpenAPI can say which scopes an operation needs. It has no words for roles and claims, so the `security` of an operation may be less than
/// the route requires; it is never more: of alternatives, only the scopes that are in each of them are listed.
#[derive(Clone)]
pub struct OpenApiSecurity {
    name: String,
    scheme: SecurityScheme,
    routes: Vec<ListedRoute>,
}

impl OpenApiSecurity {
    /// Describes bearer tokens that are JSON Web Tokens, and does not say where clients get them. The scheme's name is `bearer`.
    pub fn bearer() -> Self {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        Self { name: "bearer".to_owned(), scheme: SecurityScheme::Http(scheme), routes: Vec::new() }
    }

    /// Describes tokens of an OpenID provider, whose metadata tells clients where they get them (OpenID Connect Discovery 1.0 section
    /// 4). `issuer` is the provider's name, as in [`oidc`](https://docs.rs/portcullis/latest/portcullis/fn.oidc.html). The scheme's name is
    /// `oidc`.
    pub fn open_id_connect(issuer: &str) -> Self {
        let issuer = issuer.strip_suffix('/').unwrap_or(issuer);
        let scheme = OpenIdConnect::new(format!("{issuer}/.well-known/openid-configuration"));
        Self { name: "oidc".to_owned(), scheme: SecurityScheme::OpenIdConnect(scheme), routes: Vec::new() }
    }

    /// Describes opaque tokens in an HTTP header of their own, such as `x-api-key`. The scheme's name is `api_key`. For API tokens in `Authorization`, use
    /// [`opaque_bearer`](Self::opaque_bearer).
    pub fn api_key(header: &str) -> Self {
        let scheme = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new(header)));
        Self { name: "api_key".to_owned(), scheme, routes: Vec::new() }
    }

    /// Describes bearer tokens that only the service can read, such as API tokens: `format` says how they look (`acme_…`). The scheme's name is
    /// `api_token`.
    ///
    /// A service that takes access tokens in the same header, too, modifies the document with [`bearer`](Self::bearer) as well, without a table.
    pub fn opaque_bearer(format: &str) -> Self {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format(format).build();
        Self { name: "api_token".to_owned(), scheme: SecurityScheme::Http(scheme), routes: Vec::new() }
    }

    /// Sets the name of the scheme in the document.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// Sets the `security` of every operation whose route is in the table: none for a public route, otherwise the scopes that all callers
    /// need. Operations that are not in the table stay as they are; an [`AccessLayer`](crate::access_table::AccessLayer) refuses them.
    ///
    /// Defaults to no table: only the scheme is added.
    #[must_use]
    pub fn table(self, table: &AccessTable) -> Self {
        Self { routes: table.routes().cloned().collect(), ..self }
    }

    /// Returns the `security` of an operation that has this requirement, for documents without a table.
    pub fn requirement(&self, requirement: &Requirement) -> SecurityRequirement {
        SecurityRequirement::new(&self.name, requirement.needed_scopes())
    }

    /// Returns the `security` of an operation, if the table lists its route. The method is looked up as the layer looks it up.
    fn of_route(&self, method: &Method, path: &str) -> Option<Vec<SecurityRequirement>> {
        let routes: Vec<_> = self.routes.iter().filter(|route| has_same_form(route.path(), path)).collect();
        let listed = |wanted: Option<&Method>| routes.iter().find(|route| route.method().method() == wanted);
        let route = listed(Some(method));
        let route = route.or_else(|| (*method == Method::HEAD).then(|| listed(Some(&Method::GET))).flatten());
        Some(match route.or_else(|| listed(None))?.access() {
            Access::Public => Vec::new(),
            Access::Authenticated => vec![SecurityRequirement::new(&self.name, [""; 0])],
            Access::Require(requirement) => vec![self.requirement(requirement)],
        })
    }
}

impl Modify for OpenApiSecurity {
    fn modify(&self, document: &mut OpenApi) {
        document.components.get_or_insert_default().add_security_scheme(&self.name, self.scheme.clone());
        for (path, item) in &mut document.paths.paths {
            for (method, operation) in operations(item) {
                if let Some(security) = self.of_route(&method, path) {
                    operation.security = Some(security);
                }
            }
        }
    }
}

/// Whether a route's template and a path of the document are the same but for the names of their parameters. The document has no wild cards:
/// `{*rest}` is `{rest}` there.
fn has_same_form(route: &str, path: &str) -> bool {
    let is_parameter = |segment: &str| segment.starts_with('{') && segment.ends_with('}');
    let (route, path): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
    let mut pairs = route.iter().zip(&path);
    route.len() == path.len() && pairs.all(|(one, other)| one == other || (is_parameter(one) && is_parameter(other)))
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let PathItem { get, put, post, delete, options, head, patch, trace, .. } = item;
    let all = [
        (Method::GET, get),
        (Method::PUT, put),
        (Method::POST, post),
        (Method::DELETE, delete),
        (Method::OPTIONS, options),
        (Method::HEAD, head),
        (Method::PATCH, patch),
        (Method::TRACE, trace),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

impl fmt::Debug for OpenApiSecurity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenApiSecurity")
            .field("name", &self.name)
            .field("routes", &self.routes.len())
            .finish_non_exhaustive()
    }
}
