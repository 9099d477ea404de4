//! What the services of `ContentDigestLayer` and `FormBodyLayer` pass on and return: both read bodies.

mod body;
mod future;

pub use body::ReadBody;
pub use future::ReadBodyFuture;
