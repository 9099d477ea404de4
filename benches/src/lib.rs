//! What the benchmarks share: routers in several guises, requests to them, clocks and tables.

mod by_hand;
mod options;
mod request;
mod routers;
mod timing;

pub use by_hand::Hand;
pub use options::Options;
pub use request::{requests, requests_with_body};
pub use routers::{authenticator, extension, guarded, layered, plain, uncached, with_state};
pub use timing::{Contender, Samples, measure, median};
