//! What both tests need: configuration files, instances of the program, and a client.

#![allow(dead_code, reason = "each test uses its part")]

pub mod client;
pub mod files;
pub mod instance;

pub use client::{Answer, Client};
pub use files::{Fleet, Listed, PASSWORD};
pub use instance::Instance;
