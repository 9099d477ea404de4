//! [`ResourceMetadata`]: the document in which a protected resource names its authorization servers (RFC 9728).
//!
//! A client that is refused finds the document's URL in the challenge (`resource_metadata`). There it reads which authorization servers
//! and scopes exist, gets a token and tries again. The rules:
//!
//! 1. `resource` is the `https` URL under which clients know the service, exactly as they write it, because they compare it (RFC 9728
//!    section 3.3). Plain `http` is allowed only for loopback addresses.
//! 2. The document's URL is that URL with `/.well-known/oauth-protected-resource` inserted between host and path (section 3.1): serve it
//!    at [`ResourceMetadata::path`], and announce [`ResourceMetadata::url`].
//! 3. The route must be public. For clients that are web pages of other origins, CORS has to allow it as well.
//!
//! # Example
//!
//! ```
//! use portcullis::metadata::ResourceMetadata;
//!
//! let metadata = ResourceMetadata::builder("https://api.example.com/orders")
//!     .authorization_server("https://login.example.com")
//!     .scopes(["orders:read", "orders:write"])
//!     .build()?;
//! assert_eq!(metadata.path(), "/.well-known/oauth-protected-resource/orders");
//! assert_eq!(metadata.url(), "https://api.example.com/.well-known/oauth-protected-resource/orders");
//!
//! let refused = ResourceMetadata::builder("http://api.example.com").build();
//! assert!(refused.is_err());
//! # Ok::<(), portcullis::ConfigError>(())
//! ```
//!
//! With axum: `router.route_service(metadata.path(), metadata.service())`, and
//! `AuthLayer::resource_metadata(metadata.url())` for the answers; `AuthLayer::scope` names the scopes that clients ask for first.

mod builder;
mod service;
mod url;

use std::sync::Arc;

pub use builder::ResourceMetadataBuilder;
pub use service::ResourceMetadataService;

/// The metadata of a protected resource (RFC 9728 section 2), ready to be served. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ResourceMetadata {
    document: Arc<Document>,
}

#[derive(Debug)]
struct Document {
    json: String,
    path: String,
    url: String,
}

impl ResourceMetadata {
    /// Starts with the one required member, the URL under which clients know the service.
    pub fn builder(resource: impl Into<String>) -> ResourceMetadataBuilder {
        ResourceMetadataBuilder::new(resource.into())
    }

    /// Returns the path at which to serve the document (RFC 9728 section 3.1).
    pub fn path(&self) -> &str {
        &self.document.path
    }

    /// Returns the URL of the document, for challenges (RFC 9728 section 5.1).
    pub fn url(&self) -> &str {
        &self.document.url
    }

    /// Returns the document, a JSON object.
    pub fn json(&self) -> &str {
        &self.document.json
    }

    /// Returns a service for the document, with text bodies, for axum's `route_service` and for hyper.
    pub fn service(&self) -> ResourceMetadataService {
        self.service_with_body()
    }

    /// Returns a service for the document, with another body type.
    pub fn service_with_body<B: From<String>>(&self) -> ResourceMetadataService<B> {
        ResourceMetadataService::new(self.clone())
    }
}
