//! [`Access`]: addresses and credentials of the servers.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use async_nats::{
    ConnectOptions, ServerAddr,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, pem::PemObject},
    },
};
use portcullis_core::ConfigError;
use zeroize::Zeroizing;

use super::link::Brief;
use crate::accounts::ResolverError;

/// How long the connection to one server may take, including authentication.
const CONNECT_TO_ONE: Duration = Duration::from_secs(2);

/// How often an idle connection is checked.
const PING: Duration = Duration::from_secs(5);

/// The servers, and the credentials for them.
pub(super) struct Access {
    servers: Vec<ServerAddr>,
    is_tls: bool,
    pub(super) credentials: Credentials,
    /// The authorities that may sign the servers' certificates; `None` for those that the machine trusts.
    roots: Option<RootCertStore>,
}

/// The credentials. Never shown; zeroized when they are dropped. (The client copies them; these copies are not zeroized.)
pub(super) enum Credentials {
    None,
    /// The content of a `.creds` file.
    Creds(Zeroizing<String>),
    /// A file, read at each connect.
    File(PathBuf),
}

impl Access {
    pub(super) fn parse(urls: &str) -> Result<Self, ConfigError> {
        let servers = urls.split(',').map(|url| address(url.trim())).collect::<Result<Vec<_>, _>>()?;
        let is_tls = servers.iter().all(ServerAddr::tls_required);
        if !is_tls && servers.iter().any(ServerAddr::tls_required) {
            return Err(ConfigError::new(
                "some URLs of NATS begin with tls:// and some with nats://: use the same for all, or an attacker can choose",
            ));
        }
        Ok(Self { servers, is_tls, credentials: Credentials::None, roots: None })
    }

    pub(super) fn servers(&self) -> &[ServerAddr] {
        &self.servers
    }

    /// Trusts these authorities instead of the machine's.
    pub(super) fn trust(&mut self, pem: &[u8]) -> Result<(), ConfigError> {
        if !self.is_tls {
            return Err(ConfigError::new("root certificates are for URLs of NATS that begin with tls://"));
        }
        let none = || ConfigError::new("the root certificates for NATS are no certificates in PEM form");
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            roots.add(certificate.map_err(|_| none())?).map_err(|_| none())?;
        }
        if roots.is_empty() {
            return Err(none());
        }
        self.roots = Some(roots);
        Ok(())
    }

    pub(super) async fn options(&self) -> Result<ConnectOptions, ResolverError> {
        let options = ConnectOptions::new()
            .connection_timeout(CONNECT_TO_ONE)
            .ping_interval(PING)
            // A broken connection is dropped, so that the next one reads the credentials again.
            .max_reconnects(self.servers.len())
            .reconnect_delay_callback(|_| Duration::ZERO)
            // Only the configured servers: others may not be reachable from here.
            .ignore_discovered_servers()
            .require_tls(self.is_tls)
            .tls_client_config(self.tls()?);
        match &self.credentials {
            Credentials::None => Ok(options),
            Credentials::Creds(text) => {
                let invalid =
                    |error| ResolverError::new("the NATS credentials are not valid").with_source(Brief::of(&error));
                options.credentials(text).map_err(invalid)
            }
            Credentials::File(path) => {
                let detail = format!("the NATS credentials file {} cannot be used", path.display());
                let invalid = |error| ResolverError::new(detail).with_source(Brief::of(&error));
                options.credentials_file(path).await.map_err(invalid)
            }
        }
    }

    /// Uses aws-lc-rs, whatever the process uses: by default the client would use the provider of the process, and panic if there is none and
    /// the build has two to choose from.
    fn tls(&self) -> Result<ClientConfig, ResolverError> {
        let roots = match &self.roots {
            Some(roots) => roots.clone(),
            None if self.is_tls => roots_of_the_machine()?,
            // Without roots no certificate is trusted: a server that requires TLS although the URL does not say so is refused.
            None => RootCertStore::empty(),
        };
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| ResolverError::new("TLS cannot be set up").with_source(error))?;
        Ok(config.with_root_certificates(roots).with_no_client_auth())
    }
}

fn roots_of_the_machine() -> Result<RootCertStore, ResolverError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(ResolverError::new(
            "this machine has no root certificates, so no server of NATS is trusted: install some (Debian: ca-certificates), or give yours \
             by `.root_certificates(..)`",
        ));
    }
    Ok(roots)
}

fn address(url: &str) -> Result<ServerAddr, ConfigError> {
    // No error contains the text: it may have a password in it.
    let none = || {
        ConfigError::new(
            "a URL of NATS looks like nats://host:4222 or tls://host:4222, without credentials, several of them with commas between: a user \
             of the system account signs in by `.creds(..)` or `.creds_file(..)`",
        )
    };
    let url = url.parse::<ServerAddr>().map_err(|_| none())?.into_inner();
    let is_bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    let has_credentials = !url.username().is_empty() || url.password().is_some();
    if !matches!(url.scheme(), "nats" | "tls") || !url.has_host() || !is_bare || has_credentials {
        return Err(none());
    }
    ServerAddr::from_url(url).map_err(|_| none())
}

/// Shows only hosts and ports.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "tls" } else { "nats" };
        let servers = self.servers.iter().map(|server| format!("{scheme}://{}:{}", server.host(), server.port()));
        f.debug_list().entries(servers).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_url_of_nats_is_refused_without_repeating_it() {
        for url in [
            "",
            "http://a",
            "nats://",
            "nats://u:s3cret@a",
            "nats://s3cret@a",
            "nats://a/s3cret",
            "nats://a,tls://b",
            "ws://a",
        ] {
            let error = Access::parse(url).map(drop).unwrap_err();
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
        let access = Access::parse("nats://a.test:1, nats://b.test").unwrap();
        assert_eq!(format!("{access:?}"), r#"["nats://a.test:1", "nats://b.test:4222"]"#);
    }
}
