//! Several instances, each with its own way to one log of revocations.

use std::net::SocketAddr;

use super::{
    Client, Fleet, Instance, PASSWORD, client::Answer, client::request, events::EventStream, instance::program, token,
    waiting::until,
};

/// The shortest staleness that there is, so that tests do not wait long for it; and all that is ever logged.
const SETTINGS: &str = "
    [server]
    log = \"trace\"
    [token]
    issuer = \"https://service.test\"
    audience = \"https://orders.test\"
    [revocation]
    max_staleness_seconds = 3
";

/// What they have in common: their files, and a client.
#[derive(Debug)]
pub(crate) struct Instances {
    pub(crate) fleet: Fleet,
    pub(crate) client: Client,
}

impl Instances {
    pub(crate) fn new() -> Self {
        Self { fleet: Fleet::new(SETTINGS), client: Client::new() }
    }

    /// One that listens, and may not have read the log.
    pub(crate) async fn spawn(&self, name: &str, log: &str) -> Instance {
        let config = self.fleet.write(name, &[("2026-11", "active", 1)]);
        Instance::spawn(program().arg(config).env("PORT", "0").env("SERVICE_REVOCATION_LOG", log)).await
    }

    /// One that has read the log.
    pub(crate) async fn start(&self, name: &str, log: &str) -> Instance {
        let instance = self.spawn(name, log).await;
        until("it is ready", async || self.client.get(instance.address, "/ready", None).await.status == 200).await;
        instance
    }

    pub(crate) async fn login(&self, at: SocketAddr) -> String {
        self.client.login(at, "reader", PASSWORD).await.token()
    }

    pub(crate) async fn logins(&self, at: SocketAddr, count: usize) -> Vec<String> {
        let mut tokens = Vec::new();
        for _ in 0..count {
            tokens.push(self.login(at).await);
        }
        tokens
    }

    pub(crate) async fn status(&self, at: SocketAddr, path: &str, token: &str) -> u16 {
        self.client.get(at, path, Some(token)).await.status.as_u16()
    }

    pub(crate) async fn log_out(&self, at: SocketAddr, token: &str) -> Answer {
        self.client.send(request("POST", at, "/logout", Some(token), None)).await
    }

    /// Asserts that a token is known to be revoked.
    pub(crate) async fn refused(&self, at: SocketAddr, path: &str, token: &str) {
        let refused = self.client.get(at, path, Some(token)).await;
        assert_eq!(refused.status, 401, "{path}: {refused:?}");
        assert_eq!(refused.json()["code"], "token_revoked", "{path}");
    }

    /// Asserts that the stream's next event is its end, for this reason.
    pub(crate) async fn revoked(&self, stream: &mut EventStream, level: &str) {
        let (name, why) = stream.next().await.unwrap();
        assert_eq!((name.as_str(), &why["reason"], &why["level"]), ("end", &"revoked".into(), &level.into()));
    }
}

/// The session of a token.
pub(crate) fn session(token: &str) -> String {
    token::claims(token)["sid"].as_str().unwrap().to_owned()
}
