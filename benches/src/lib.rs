//! What the benchmarks share: routers in several guises, requests to them, clocks and tables.

mod allocations;
mod budgets;
mod by_hand;
mod difference;
mod member;
mod memory;
mod options;
mod processor;
mod request;
mod routers;
mod scaling;
mod timing;

pub use allocations::{Allocations, allocations};
pub use budgets::Budgets;
pub use by_hand::Hand;
pub use difference::Difference;
pub use member::Member;
pub use memory::{memory_access_ns, resident_bytes};
pub use options::Options;
pub use processor::{pin, thread_time};
pub use request::{requests, requests_with_body};
pub use routers::{
    admission, counted, extension, guarded, layered, member_layered, member_with_state, plain, state, two_places,
    uncached, with_state,
};
pub use scaling::{Scaling, Work, scaling};
pub use timing::{Contender, Samples, measure, median};
