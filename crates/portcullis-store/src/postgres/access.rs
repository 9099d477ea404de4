//! [`Access`]: address and credentials of the server.

use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use portcullis_core::revocation::LogError;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio_postgres::{
    Config,
    config::{Host, SslMode, SslNegotiation, TargetSessionAttrs},
};

use zeroize::Zeroizing;

use crate::secrecy::is_this_machine;

/// How long one address may take to connect: an unreachable server must not use up the time for a reachable one.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// How long a connection may be silent before the system checks it: shorter than the time after which firewalls forget
/// connections.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// The default of tokio-postgres, which does not tell whether it was set.
const KEEP_ALIVE_OF_CLIENT: Duration = Duration::from_secs(2 * 60 * 60);

/// The servers, and the credentials for them.
#[derive(Clone)]
pub(crate) struct Access {
    /// Without the password.
    config: Config,
    /// Zeroized when it is dropped. (The client copies it for each connection; these copies are not zeroized.)
    password: Option<Zeroizing<Vec<u8>>>,
    roots: OnceLock<Arc<RootCertStore>>,
}

impl Access {
    pub(crate) fn parse(url: &str) -> Result<Self, LogError> {
        // The parser's error can repeat a part of the URL.
        let Ok(mut config) = url.parse::<Config>() else {
            return Err(LogError::misconfigured(unreadable(url)));
        };
        let (hosts, addresses) = (config.get_hosts().len(), config.get_hostaddrs().len());
        let count = hosts.max(addresses);
        if count == 0 {
            return Err(LogError::misconfigured("the URL of PostgreSQL names no host"));
        }
        if (hosts > 0 && addresses > 0 && hosts != addresses) || ![0, 1, count].contains(&config.get_ports().len()) {
            return Err(LogError::misconfigured(
                "the URL of PostgreSQL must name a port or none, or one for each host",
            ));
        }
        if hosts == 0 && config.get_ssl_mode() == SslMode::Require {
            return Err(LogError::misconfigured(
                "the URL of PostgreSQL has a `hostaddr` only: TLS needs the `host` that the certificate is for",
            ));
        }
        complete(&mut config, count);
        let password = config.get_password().map(|password| password.to_vec().into());
        if password.is_some() {
            config.password(""); // it cannot be removed
        }
        Ok(Self { config, password, roots: OnceLock::new() })
    }

    pub(crate) fn credentials(&mut self, user: &str, password: &str) {
        self.config.user(user);
        self.password = Some(password.as_bytes().to_vec().into());
    }

    pub(crate) fn trust(&mut self, pem: &[u8]) -> Result<(), LogError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let added = certificate.ok().and_then(|certificate| roots.add(certificate).ok());
            added.ok_or_else(|| LogError::misconfigured(NO_CERTIFICATE))?;
        }
        if roots.is_empty() {
            return Err(LogError::misconfigured(NO_CERTIFICATE));
        }
        self.roots = OnceLock::from(Arc::new(roots));
        Ok(())
    }

    /// Returns the settings of a connection, to be dropped once it is open.
    pub(crate) fn config(&self) -> Config {
        let mut config = self.config.clone();
        if let Some(password) = &self.password {
            config.password(password.as_slice());
        }
        config
    }

    /// Whether everything that is sent stays on this machine.
    pub(crate) fn is_here(&self) -> bool {
        is_here(&self.config)
    }

    /// Returns the TLS configuration, if TLS is used.
    pub(crate) fn tls(&self) -> Result<Option<ClientConfig>, LogError> {
        if self.config.get_ssl_mode() == SslMode::Disable {
            return Ok(None);
        }
        let roots = self.roots.get_or_init(|| Arc::new(roots_of_the_machine()));
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().map_err(|error| {
            LogError::misconfigured("TLS cannot be set up to speak to PostgreSQL").with_source(error)
        })?;
        let mut tls = builder.with_root_certificates(Arc::clone(roots)).with_no_client_auth();
        if self.config.get_ssl_negotiation() == SslNegotiation::Direct {
            tls.alpn_protocols = vec![b"postgresql".to_vec()];
        }
        Ok(Some(tls))
    }
}

/// Shows hosts and ports, and no other part of the URL.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("hosts", &self.config.get_hosts())
            .field("addresses", &self.config.get_hostaddrs())
            .field("ports", &self.config.get_ports())
            .field("tls", &self.config.get_ssl_mode())
            .finish_non_exhaustive()
    }
}

const NO_CERTIFICATE: &str = "the root certificates for PostgreSQL: there is something in them that is no certificate, or \
                              nothing; PEM is wanted, as in `-----BEGIN CERTIFICATE-----`";

fn unreadable(url: &str) -> &'static str {
    if url.contains("sslmode=verify") || url.contains("sslmode=allow") {
        return "the URL of PostgreSQL: `sslmode` is `disable`, `prefer` or `require`, which verifies the certificate and the \
                host name as `verify-full` does elsewhere";
    }
    if url.contains("sslrootcert") || url.contains("sslcert") {
        return "the URL of PostgreSQL: certificates are not named there; use `root_certificates`";
    }
    "the URL of PostgreSQL cannot be read: `postgres://user:password@host:port/database` is wanted, with special characters in \
     the password written as in `%40`, or `host=.. user=.. password=.. dbname=..`"
}

/// Sets what the URL does not specify.
fn complete(config: &mut Config, hosts: usize) {
    if config.get_application_name().is_none() {
        config.application_name("portcullis");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_LIMIT);
    }
    if config.get_keepalives_idle() == KEEP_ALIVE_OF_CLIENT {
        config.keepalives_idle(KEEP_ALIVE).keepalives_interval(KEEP_ALIVE / 4).keepalives_retries(3);
    }
    // Of several servers, use the one that is not a standby.
    if hosts > 1 && config.get_target_session_attrs() == TargetSessionAttrs::Any {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    // On this machine there is no one to encrypt for, and Debian's initial certificate is not trusted by anyone.
    // Anywhere else, an attacker on the way could claim that the server does not support TLS.
    if config.get_ssl_mode() == SslMode::Prefer {
        config.ssl_mode(if is_here(config) { SslMode::Disable } else { SslMode::Require });
    }
}

fn is_here(config: &Config) -> bool {
    let by_name = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => is_this_machine(name),
        #[cfg(unix)]
        Host::Unix(_) => true,
    });
    by_name && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

/// Without any roots, no certificate is trusted, and the error says what to do.
fn roots_of_the_machine() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_kept_apart_and_zeroized_when_it_is_dropped() {
        fn is_zeroized(_: &impl zeroize::ZeroizeOnDrop) {}
        let by_url = Access::parse("postgres://user:s3cret@localhost/service").unwrap();
        let mut by_credentials = Access::parse("postgres://localhost/service").unwrap();
        by_credentials.credentials("user", "s3cret");
        for access in [by_url, by_credentials] {
            assert!(access.config.get_password().is_none_or(<[u8]>::is_empty));
            is_zeroized(access.password.as_ref().unwrap());
            assert_eq!(access.config().get_password(), Some(&b"s3cret"[..]));
            assert_eq!(access.config().get_user(), Some("user"));
        }
        let without = Access::parse("postgres://localhost/service").unwrap();
        assert_eq!(without.config().get_password(), None);
    }

    #[test]
    fn without_a_word_about_tls_only_this_machine_is_spoken_to_without() {
        let mode = |url| Access::parse(url).unwrap().config.get_ssl_mode();
        for here in ["postgres://localhost/a", "postgres://127.0.0.1/a", "host=/run/postgresql", "hostaddr=::1"] {
            assert_eq!(mode(here), SslMode::Disable, "{here}");
        }
        for elsewhere in ["postgres://db.test/a", "host=localhost hostaddr=10.0.0.7", "host=localhost,db.test"] {
            assert_eq!(mode(elsewhere), SslMode::Require, "{elsewhere}");
        }
        assert_eq!(mode("postgres://db.test/a?sslmode=disable"), SslMode::Disable, "as it says");
    }
}
