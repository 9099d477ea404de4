//! The layer.

pub use portcullis_core::*;

mod challenge;
pub mod codes;
mod context;
#[cfg(feature = "axum")]
pub mod extract;
pub mod key_file;
pub mod layer;
pub mod location;
pub mod metadata;
pub mod rejection;
mod telemetry;

pub use challenge::Challenge;
pub use context::AuthContext;
#[cfg(feature = "axum")]
pub use extract::{Claims, FromContext, FromState, GrantedScopes, RawToken, Require};
pub use key_file::{KeyFile, Reload};
pub use layer::{AuthFuture, AuthLayer, AuthService};
#[cfg(feature = "form")]
pub use location::{FormBody, FormBodyLayer};
pub use location::{
    BearerHeader, BearerMethod, Caching, Cookie, CustomHeader, Found, LocationInfo, QueryParameter, RequestHead,
    RequestHeadMut, TokenLocation, WebSocketSubprotocol,
};
pub use metadata::ResourceMetadata;
#[cfg(feature = "axum")]
pub use rejection::AuthRejection;
pub use rejection::{BearerChallenge, GrpcStatus, MakeRejection};
