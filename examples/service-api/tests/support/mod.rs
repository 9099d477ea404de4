//! What the tests need: configuration files, instances of the program, and a client.

#![allow(dead_code, reason = "each test uses its part")]

pub(crate) mod client;
pub(crate) mod events;
pub(crate) mod files;
pub(crate) mod instance;
pub(crate) mod instances;
pub(crate) mod load;
pub(crate) mod pair;
pub(crate) mod server;
pub(crate) mod token;
pub(crate) mod waiting;

pub(crate) use client::Client;
pub(crate) use files::{Fleet, PASSWORD};
pub(crate) use instance::Instance;
