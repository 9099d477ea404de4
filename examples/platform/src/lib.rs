//! A platform: a dashboard that is the identity provider, and a second service that knows only the issuer's URL. See README.md.
//!
//! Read `dashboard/issuer.rs` first (what the issuer is made of), then `dashboard/mod.rs` (routes), `orders.rs` (the second service). It is a library, so that
//! other examples can be tested with this identity provider.

pub mod dashboard;
pub mod orders;
pub mod settings;

use std::{
    error::Error,
    io::{self, Write},
};

/// Why the program ends.
pub type Failure = Box<dyn Error + Send + Sync>;

/// Writes a line to the standard output.
///
/// # Errors
///
/// If it is closed.
pub fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}
