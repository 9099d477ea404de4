//! What both tests need: configuration files, instances of the program, and a client.

#![allow(dead_code, reason = "each test uses its part")]

pub(crate) mod client;
pub(crate) mod files;
pub(crate) mod instance;
pub(crate) mod load;
pub(crate) mod pair;
pub(crate) mod token;

pub(crate) use client::Client;
pub(crate) use files::{Fleet, PASSWORD};
pub(crate) use instance::Instance;
