//! [`ReadBody`] and [`ReadBodyFuture`]: the request body and the response future of the layers that read bodies, `ContentDigestLayer` and `FormBodyLayer`.

mod body;
mod future;

pub use body::ReadBody;
pub use future::ReadBodyFuture;
