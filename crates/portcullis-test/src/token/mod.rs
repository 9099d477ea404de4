//! Builds tokens.

mod builder;
mod identity;
pub(crate) mod stages;

pub use builder::TokenBuilder;
