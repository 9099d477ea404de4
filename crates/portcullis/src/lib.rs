//! The layer.

pub use portcullis_core::*;

pub mod access_table;
mod challenge;
pub mod codes;
mod context;
#[cfg(feature = "axum")]
pub mod extract;
pub mod guard;
pub mod key_file;
pub mod layer;
pub mod location;
pub mod metadata;
pub mod rejection;
pub mod requirement;
mod telemetry;

pub use access_table::{Access, AccessLayer, AccessTable, ListedRoute, RouteMethod};
pub use challenge::Challenge;
pub use context::AuthContext;
#[cfg(feature = "axum")]
pub use extract::{Claims, FromContext, FromState, GrantedScopes, RawToken, Require};
pub use guard::{Guard, RequireLayer};
pub use key_file::{KeyFile, Reload};
pub use layer::{AuthFuture, AuthLayer, AuthService};
pub use location::{
    BearerHeader, BearerMethod, Caching, Cookie, CustomHeader, Found, LocationInfo, QueryParameter, RequestHead,
    RequestHeadMut, TokenLocation, WebSocketSubprotocol,
};
#[cfg(feature = "form")]
pub use location::{FormBody, FormBodyLayer};
pub use metadata::ResourceMetadata;
#[cfg(feature = "axum")]
pub use rejection::AuthRejection;
pub use rejection::{BearerChallenge, GrpcStatus, MakeRejection};
pub use requirement::{Circumstances, Decision, PathParams, Requirement};
