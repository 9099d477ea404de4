//! Users of a Redis server who may do what the documentation says, and no more.

use real_servers::RedisServer;

/// The source of the store of sessions, whose documentation says what an issuer has to be allowed.
pub const OF_ISSUER: &str = include_str!("../../src/refresh/redis/mod.rs");

/// The source of the store of used proofs.
pub const OF_PROOFS: &str = include_str!("../../src/replay/redis/mod.rs");

/// Adds the user whom a documentation describes, with the password `secret`.
pub fn add_documented_user(server: &RedisServer, documentation: &str) {
    let (_, user) = documentation.split_once("ACL SETUSER ").unwrap();
    let (user, _) = user.split_once("```").unwrap();
    let user = user.replace("///", " ").replace("PASSWORD", "secret");
    assert_eq!(server.cli(&["ACL", "SETUSER"].into_iter().chain(user.split_whitespace()).collect::<Vec<_>>()), "OK");
}
