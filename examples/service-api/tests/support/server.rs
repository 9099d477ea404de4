//! The servers in which several instances keep their revocations.

use real_servers::{NatsServer, PostgresServer, RedisServer, is_missing};

/// One of them.
#[derive(Debug)]
pub(crate) enum Server {
    Redis(RedisServer),
    Nats(NatsServer),
    Postgres(PostgresServer),
}

impl Server {
    pub(crate) fn redis() -> Option<Self> {
        (!is_missing("redis-server")).then(|| Self::Redis(RedisServer::start()))
    }

    pub(crate) fn nats() -> Option<Self> {
        (!is_missing("nats-server")).then(|| Self::Nats(NatsServer::start()))
    }

    pub(crate) fn postgres() -> Option<Self> {
        (!is_missing("postgres")).then(|| Self::Postgres(PostgresServer::start()))
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Redis(_) => "redis",
            Self::Nats(_) => "nats",
            Self::Postgres(_) => "postgres",
        }
    }

    pub(crate) fn port(&self) -> u16 {
        match self {
            Self::Redis(server) => server.port(),
            Self::Nats(server) => server.port(),
            Self::Postgres(server) => server.port(),
        }
    }

    pub(crate) fn url(&self) -> String {
        self.url_by(self.port())
    }

    /// The same by another port, behind which a proxy stands.
    pub(crate) fn url_by(&self, port: u16) -> String {
        match self {
            Self::Redis(_) => format!("redis://127.0.0.1:{port}"),
            Self::Nats(_) => format!("nats://127.0.0.1:{port}"),
            Self::Postgres(_) => PostgresServer::url_by(port),
        }
    }

    /// As `kill -9` does.
    pub(crate) fn kill(&mut self) {
        match self {
            Self::Redis(server) => server.kill(),
            Self::Nats(server) => server.kill(),
            Self::Postgres(server) => server.kill(),
        }
    }

    /// Starts it again, with what it has on its disk.
    pub(crate) fn restart(&mut self) {
        match self {
            Self::Redis(server) => server.restart(),
            Self::Nats(server) => server.restart(),
            Self::Postgres(server) => server.restart(),
        }
    }
}
