//! The claims type that an application has of its own, the same for every contender.

use serde::Deserialize;
use serde_json::{Value, json};

/// Six claims that an application reads.
#[derive(Clone, Debug, Deserialize)]
pub struct Member {
    /// The caller's name to the service; also a registered claim.
    pub sub: String,
    /// For people to read.
    pub name: String,
    /// Where to write to.
    pub email: String,
    /// Whether the address was confirmed.
    pub email_verified: bool,
    /// The organisation that the caller acts for.
    pub tenant: String,
    /// How many seats the organisation has.
    pub seats: u32,
}

impl Member {
    /// The claims that a token needs beside `sub`.
    pub fn claims() -> [(&'static str, Value); 5] {
        [
            ("name", json!("Alice Liddell")),
            ("email", json!("alice@example.com")),
            ("email_verified", json!(true)),
            ("tenant", json!("acme")),
            ("seats", json!(42)),
        ]
    }
}
