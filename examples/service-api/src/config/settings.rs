//! The settings that are neither secrets nor users.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use portcullis::policy::Leeway;
use tracing::level_filters::LevelFilter;

use super::{
    file::{RotationTable, ServerTable, TokenTable},
    problems::Problems,
};

/// Where to listen, and how much to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) log: LevelFilter,
}

/// What tokens are minted and accepted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TokenRules {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) lifetime: Duration,
    pub(crate) leeway: Leeway,
    /// In bytes.
    pub(crate) size_budget: usize,
}

impl Server {
    /// Defaults to 127.0.0.1:3000, which other machines cannot reach: access from outside has to be configured.
    pub(super) fn from_table(table: &ServerTable, problems: &mut Problems) -> Option<Self> {
        let ip = table.bind.as_deref().unwrap_or("127.0.0.1").parse::<IpAddr>();
        let ip = ip.map_err(|_| "expected an IP address, such as 127.0.0.1 or [::] without its brackets");
        let log = table.log.as_deref().unwrap_or("info").parse::<LevelFilter>();
        let log = log.map_err(|_| "expected off, error, warn, info, debug or trace");

        let ip = problems.accept("server.bind", ip);
        let log = problems.accept("server.log", log);
        Some(Self { address: SocketAddr::new(ip?, table.port.unwrap_or(3000)), log: log? })
    }
}

impl TokenRules {
    pub(super) fn from_table(table: TokenTable, problems: &mut Problems) -> Option<Self> {
        let named = |text: &String| !text.trim().is_empty();
        let issuer = problems.require(
            "token.issuer",
            table.issuer.filter(named),
            "name this service, by its URL for example; it becomes the tokens' `iss`",
        );
        let audience = problems.require(
            "token.audience",
            table.audience.filter(named),
            "name those whom the tokens are for, this service by its URL for example; it becomes their `aud`",
        );
        let lifetime = lifetime(table.lifetime_seconds, problems);
        let leeway = table.leeway_seconds.map_or(Ok(Leeway::default()), Leeway::from_secs);
        let leeway = problems.accept("token.leeway_seconds", leeway);
        let size_budget = size_budget(table.size_budget_bytes, problems);
        Some(Self { issuer: issuer?, audience: audience?, lifetime, leeway: leeway?, size_budget })
    }
}

/// Defaults to a minute: an orchestrator that hands files round may take that long.
pub(super) fn rollout(table: &RotationTable, problems: &mut Problems) -> Duration {
    let seconds = table.rollout_seconds.unwrap_or(60);
    if seconds > DAY {
        problems.add("rotation.rollout_seconds", "more than a day (86400): a rotation would never end");
    }
    Duration::from_secs(seconds)
}

/// Defaults to 15 minutes, so that a token whose theft goes unnoticed soon expires. A day is also what revocations are
/// remembered for.
fn lifetime(seconds: Option<u64>, problems: &mut Problems) -> Duration {
    let seconds = seconds.unwrap_or(900);
    if !(1..=DAY).contains(&seconds) {
        problems.add("token.lifetime_seconds", "expected 1 to 86400 (a day), best no more than 900");
    }
    Duration::from_secs(seconds)
}

/// Defaults to 1 KiB: the token travels with every request. Verifiers accept no more than 16 KiB.
fn size_budget(bytes: Option<usize>, problems: &mut Problems) -> usize {
    let bytes = bytes.unwrap_or(1024);
    if !(320..=16 * 1024).contains(&bytes) {
        problems.add("token.size_budget_bytes", "expected 320 to 16384; an empty token has about 300");
    }
    bytes
}

const DAY: u64 = 24 * 60 * 60;
