//! [`Access`]: address and credentials of the server.

use std::{fmt, time::Duration};

use portcullis_core::revocation::LogError;
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
    ProtocolVersion, RedisConnectionInfo, RedisResult, TlsCertificates,
    aio::MultiplexedConnection,
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};
use rustls::crypto::{CryptoProvider, aws_lc_rs};

use zeroize::Zeroizing;

use crate::secrecy;

/// A server, and the credentials for it. `Debug` does not show the credentials.
#[derive(Clone)]
pub(crate) struct Access {
    /// Without the password.
    info: ConnectionInfo,
    /// Zeroized when it is dropped. (The client copies it for each connection; these copies are not zeroized.)
    password: Option<Zeroizing<String>>,
    certificates: TlsCertificates,
}

impl Access {
    /// Parses a URL. The error does not contain any part of it, because it may have a password in it.
    pub(crate) fn parse(url: &str) -> Result<Self, LogError> {
        let scheme = url.split_once("://").map(|(scheme, _)| scheme);
        if !matches!(scheme, Some("redis" | "rediss" | "valkey" | "valkeys")) {
            return Err(LogError::misconfigured(
                "the URL of the Redis server has to begin with redis:// or rediss:// (or valkey://, valkeys://)",
            ));
        }
        // The client's error repeats parts of the URL.
        let info = url.into_connection_info().map_err(|_| {
            LogError::misconfigured(
                "the URL of the Redis server is none: it is redis://[user:password@]host[:port][/database], with %-escapes for \
                 characters of user and password that mean something in a URL",
            )
        })?;
        if matches!(info.addr(), ConnectionAddr::TcpTls { insecure: true, .. }) {
            return Err(LogError::misconfigured(
                "the URL of the Redis server asks for TLS without certificates (#insecure): take that away, and name the server's \
                 own authority with `root_certificates`",
            ));
        }
        // The older protocol, which every server speaks, without optional commands that need a permission.
        let password = info.redis_settings().password().map(|password| password.to_owned().into());
        let settings = without_password(info.redis_settings());
        let settings = settings.set_protocol(ProtocolVersion::RESP2).set_skip_set_lib_name();
        // There may be hours between appends; routers forget idle connections without telling either side.
        let keepalive = TcpKeepalive::new().with_time(KEEPALIVE);
        let tcp = TcpSettings::default().set_nodelay(true).set_keepalive(keepalive);
        let info = info.set_redis_settings(settings).set_tcp_settings(tcp);
        Ok(Self { info, password, certificates: TlsCertificates { client_tls: None, root_cert: None } })
    }

    /// Logs in as another user.
    pub(crate) fn with_credentials(mut self, user: &str, password: &str) -> Self {
        let settings = self.info.redis_settings().clone().set_username(user);
        self.info = self.info.set_redis_settings(settings);
        self.password = Some(password.to_owned().into());
        self
    }

    /// Trusts these certificates instead of the system's.
    pub(crate) fn with_roots(mut self, pem: &[u8]) -> Result<Self, LogError> {
        if !pem.windows(BEGIN.len()).any(|window| window == BEGIN) {
            return Err(LogError::misconfigured("the root certificates for the Redis server are not in PEM format"));
        }
        self.certificates.root_cert = Some(pem.to_vec());
        self.checked(
            "the root certificates for the Redis server cannot be read: they have to be certificates in PEM format",
        )
    }

    /// Identifies with a client certificate.
    pub(crate) fn with_identity(mut self, certificates: &[u8], key: &[u8]) -> Result<Self, LogError> {
        self.certificates.client_tls =
            Some(ClientTlsConfig { client_cert: certificates.to_vec(), client_key: key.to_vec() });
        self.checked(
            "the client certificate for the Redis server, or its key, cannot be read: both have to be in PEM format",
        )
    }

    fn checked(self, otherwise: &'static str) -> Result<Self, LogError> {
        if !self.is_tls() {
            return Err(LogError::misconfigured(
                "certificates are of use only with TLS: the URL of the Redis server has to begin with rediss://",
            ));
        }
        // The client's message contains none of them, but does not help either.
        self.client().map_err(|_| LogError::misconfigured(otherwise))?;
        Ok(self)
    }

    /// Returns another server of the same cluster; without a host, on this server's host.
    pub(crate) fn at(&self, host: &str, port: u16) -> Self {
        let host = if host.is_empty() { self.host() } else { host };
        let address = match self.info.addr() {
            ConnectionAddr::TcpTls { insecure, tls_params, .. } => ConnectionAddr::TcpTls {
                host: host.to_owned(),
                port,
                insecure: *insecure,
                tls_params: tls_params.clone(),
            },
            _ => ConnectionAddr::Tcp(host.to_owned(), port),
        };
        Self {
            info: self.info.clone().set_addr(address),
            password: self.password.clone(),
            certificates: self.certificates.clone(),
        }
    }

    fn host(&self) -> &str {
        match self.info.addr() {
            ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => host,
            // No accepted URL leads here.
            _ => "",
        }
    }

    /// Connects and logs in, without a time limit.
    pub(crate) async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        let client = self.client()?;
        // The client's own limit is half a second, but an answer that waits for new entries takes longer. Callers set
        // their own limits.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        client.get_multiplexed_async_connection_with_config(&config).await
    }

    fn client(&self) -> RedisResult<Client> {
        let mut info = self.info.clone();
        if let Some(password) = &self.password {
            let settings = info.redis_settings().clone().set_password(password.as_str());
            info = info.set_redis_settings(settings);
        }
        if !self.is_tls() {
            return Client::open(info);
        }
        // The client builds its TLS settings with the crypto provider of the process, and panics if there is none and
        // the features of all crates together leave a choice. It does not accept settings from us, so there has to be a
        // provider. If the application has installed one, it stays.
        if CryptoProvider::get_default().is_none() {
            let _ = aws_lc_rs::default_provider().install_default();
        }
        Client::build_with_tls(info, self.certificates.clone())
    }

    /// Returns a warning for the operator about the connection.
    pub(crate) fn warning(&self) -> Option<String> {
        if self.is_tls() { None } else { secrecy::warning(self.host(), "rediss://") }
    }

    fn is_tls(&self) -> bool {
        matches!(self.info.addr(), ConnectionAddr::TcpTls { .. })
    }
}

/// Returns the settings of a connection without the password. (It cannot be removed.)
fn without_password(settings: &RedisConnectionInfo) -> RedisConnectionInfo {
    let others = RedisConnectionInfo::default().set_db(settings.db());
    settings.username().map_or_else(|| others.clone(), |user| others.clone().set_username(user))
}

/// How long a connection may be silent before the system checks it: shorter than the shortest memory of common routers.
const KEEPALIVE: Duration = Duration::from_secs(20);

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// Shows host and port.
impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.info.addr().fmt(f)
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}{}", if self.is_tls() { " (TLS)" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_kept_apart_and_zeroized_when_it_is_dropped() {
        fn is_zeroized(_: &impl zeroize::ZeroizeOnDrop) {}
        let by_url = Access::parse("redis://user:s3cret@a.test:1/2").unwrap();
        let by_credentials = Access::parse("redis://a.test:1/2").unwrap().with_credentials("user", "s3cret");
        let elsewhere = by_url.at("b.test", 2);
        for access in [by_url, by_credentials, elsewhere] {
            assert_eq!(access.info.redis_settings().password(), None);
            is_zeroized(access.password.as_ref().unwrap());
            let client = access.client().unwrap();
            let settings = client.get_connection_info().redis_settings();
            assert_eq!((settings.username(), settings.password(), settings.db()), (Some("user"), Some("s3cret"), 2));
        }
    }
}
