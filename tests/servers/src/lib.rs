//! Real servers for tests: each on a free port of 127.0.0.1, with a data folder of its own, killed when its test ends.
//!
//! `cargo xtask test servers` installs them. A test begins with [`is_missing`], so that it passes where there is nothing
//! and is listed as not run, which fails under `CI=true`.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a server that cannot be set up is a test that has failed, and tasks end with their proxy"
)]

mod nats;
mod nats_program;
mod nginx;
mod pgbouncer;
mod postgres;
mod process;
mod proxy;
mod redis;
mod sentinel;
mod skip;

pub use nats::NatsServer;
pub use nats_program::NatsProgram;
pub use nginx::NginxCache;
pub use pgbouncer::PgBouncer;
pub use postgres::PostgresServer;
pub use process::{ReservedPort, is_missing};
pub use proxy::Proxy;
pub use redis::RedisServer;
pub use sentinel::RedisSentinel;
pub use skip::skip;
