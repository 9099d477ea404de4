//! The document in which a protected resource says who issues tokens for it (RFC 9728).
//!
//! A client that is refused finds the document's URL in the challenge (`resource_metadata`), reads there which
//! authorization servers and scopes there are, gets a token and comes back. The rules:
//!
//! 1. `resource` is the `https` URL under which clients know the service, exactly as they write it; they compare it
//!    (RFC 9728 section 3.3). Plain `http` is for loopback addresses only.
//! 2. The document is at that URL with `/.well-known/oauth-protected-resource` put between host and path
//!    (section 3.1): [`ResourceMetadata::path`] is where to serve it, [`ResourceMetadata::url`] what to announce.
//! 3. The route must be public. Clients that are pages of other origins need CORS to allow it as well.
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
//! `BearerChallenge::new().resource_metadata(metadata.url())` for the answers.

mod builder;
mod service;
mod url;

use std::sync::Arc;

pub use builder::ResourceMetadataBuilder;
pub use service::ResourceMetadataService;

/// The metadata of a protected resource (RFC 9728 section 2), complete and ready to be served. Cheap to clone.
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
    /// Starts with the one required member: the URL under which clients know the service.
    pub fn builder(resource: impl Into<String>) -> ResourceMetadataBuilder {
        ResourceMetadataBuilder::new(resource.into())
    }

    /// The path under which to serve the document (RFC 9728 section 3.1).
    pub fn path(&self) -> &str {
        &self.document.path
    }

    /// The URL of the document, for challenges (RFC 9728 section 5.1).
    pub fn url(&self) -> &str {
        &self.document.url
    }

    /// The document, a JSON object.
    pub fn json(&self) -> &str {
        &self.document.json
    }

    /// A service that serves the document, with bodies of text: for axum's `route_service`, and for hyper.
    pub fn service(&self) -> ResourceMetadataService {
        self.service_with_body()
    }

    /// The same with another body.
    pub fn service_with_body<B: From<String>>(&self) -> ResourceMetadataService<B> {
        ResourceMetadataService::new(self.clone())
    }
}
