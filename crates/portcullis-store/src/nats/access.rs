//! [`Access`]: addresses and credentials of the servers.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use async_nats::{
    Client, ConnectOptions, ServerAddr,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, pem::PemObject},
    },
};
use portcullis_core::revocation::LogError;
use tokio::{sync::watch, time::timeout};
use zeroize::Zeroizing;

use super::error::{Brief, in_words, not_let_in};
use crate::secrecy;

/// How long the connection to one server may take, including authentication. There is time for a second address within
/// [`CONNECT`].
const CONNECT_TO_ONE: Duration = Duration::from_secs(2);

/// How long all of them together may take. A call has to answer within about five seconds.
const CONNECT: Duration = Duration::from_secs(4);

/// How often an idle connection is checked. The client closes a connection after two of these without an answer; calls
/// do so earlier.
const PING: Duration = Duration::from_secs(5);

/// The servers, and the credentials for them.
#[derive(Clone)]
pub(crate) struct Access {
    servers: Vec<ServerAddr>,
    is_tls: bool,
    pub(crate) credentials: Credentials,
    /// The authorities that may sign the servers' certificates; `None` for those that the system trusts.
    roots: Option<RootCertStore>,
}

/// The credentials. Never shown; zeroized when they are dropped. (The client copies them for each connection; these
/// copies are not zeroized.)
#[derive(Clone)]
pub(crate) enum Credentials {
    None,
    Password {
        user: String,
        password: Zeroizing<String>,
    },
    Token(Zeroizing<String>),
    /// The content of a `.creds` file.
    Creds(Zeroizing<String>),
    /// A file, read at every connect, so that it can be replaced.
    CredsFile(PathBuf),
}

impl Access {
    /// Parses `nats://[user:password@]host:port[,…]` or the same with `tls://`.
    pub(crate) fn parse(urls: &str) -> Result<Self, LogError> {
        let mut access = Self { servers: Vec::new(), is_tls: false, credentials: Credentials::None, roots: None };
        for url in urls.split(',') {
            let (server, credentials) = address(url.trim())?;
            let is_tls = server.tls_required();
            if !access.servers.is_empty() && access.is_tls != is_tls {
                return Err(LogError::misconfigured(
                    "some URLs of NATS begin with tls:// and some with nats://: use the same for all, or an attacker can choose",
                ));
            }
            access.is_tls = is_tls;
            access.servers.push(server);
            if !matches!(credentials, Credentials::None) {
                access.credentials = credentials;
            }
        }
        Ok(access)
    }

    /// Trusts these authorities instead of the system's.
    pub(crate) fn trust(&mut self, pem: &[u8]) -> Result<(), LogError> {
        if !self.is_tls {
            return Err(LogError::misconfigured("root certificates are for URLs of NATS that begin with tls://"));
        }
        let none = || LogError::misconfigured("the root certificates for NATS are no certificates in PEM form");
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

    /// Opens a new connection under this name, which reports later problems to `trouble`.
    pub(crate) async fn connect(
        &self,
        name: &str,
        trouble: Arc<watch::Sender<Option<LogError>>>,
    ) -> Result<Client, LogError> {
        let options = self.options().await?.name(name).event_callback(move |event| {
            if let Some(error) = in_words(&event) {
                trouble.send_if_modified(|known| known.is_none().then(|| *known = Some(error)).is_some());
            }
            std::future::ready(())
        });
        match timeout(CONNECT, options.connect(self.servers.as_slice())).await {
            Ok(connected) => connected.map_err(|error| not_let_in(&error)),
            Err(_) => Err(LogError::unavailable("NATS does not answer")),
        }
    }

    async fn options(&self) -> Result<ConnectOptions, LogError> {
        let options = ConnectOptions::new()
            .connection_timeout(CONNECT_TO_ONE)
            .ping_interval(PING)
            // A broken connection is dropped: the client can take seconds to reconnect, and the feeds on the connection
            // would have to be created again anyway. (The client has no setting for "never": it tries each server once,
            // and ends when it notices that the connection is no longer used.)
            .max_reconnects(self.servers.len())
            .reconnect_delay_callback(|_| Duration::ZERO)
            // Only the configured servers: others may not be reachable from here.
            .ignore_discovered_servers()
            .require_tls(self.is_tls);
        let options = options.tls_client_config(self.tls()?);
        let unreadable =
            |error| LogError::misconfigured("the NATS credentials are not valid").with_source(Brief::of(&error));
        match &self.credentials {
            Credentials::None => Ok(options),
            Credentials::Password { user, password } => {
                Ok(options.user_and_password(user.clone(), password.to_string()))
            }
            Credentials::Token(token) => Ok(options.token(token.to_string())),
            Credentials::Creds(text) => options.credentials(text).map_err(unreadable),
            Credentials::CredsFile(path) => options.credentials_file(path).await.map_err(|error| {
                let detail = format!("the NATS credentials file {} cannot be used", path.display());
                LogError::misconfigured(detail).with_source(Brief::of(&error))
            }),
        }
    }

    /// Returns a warning for the operator about the connection.
    pub(crate) fn warning(&self) -> Option<String> {
        if self.is_tls {
            None
        } else {
            self.servers.iter().find_map(|server| secrecy::warning(server.host(), "tls://"))
        }
    }

    /// Uses aws-lc-rs, whatever the process uses. By default the client would use the crypto provider of the process,
    /// and panic if there is none and the build has two to choose from.
    fn tls(&self) -> Result<ClientConfig, LogError> {
        let roots = match &self.roots {
            Some(roots) => roots.clone(),
            None if self.is_tls => roots_of_the_machine()?,
            None => RootCertStore::empty(),
        };
        // Without roots no certificate is trusted: a server that requires TLS although the URL does not say so is
        // refused.
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| LogError::misconfigured("TLS cannot be set up").with_source(error))?;
        Ok(config.with_root_certificates(roots).with_no_client_auth())
    }
}

/// Shows only hosts and ports.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "tls" } else { "nats" };
        let servers = self.servers.iter().map(|server| format!("{scheme}://{}:{}", server.host(), server.port()));
        f.debug_list().entries(servers).finish()
    }
}

fn roots_of_the_machine() -> Result<RootCertStore, LogError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(LogError::misconfigured(
            "this machine has no root certificates, so no server of NATS is trusted: install some (Debian: \
             ca-certificates), or give yours by `.root_certificates(..)`",
        ));
    }
    Ok(roots)
}

/// Parses a server's address; returns it without user and password, and these separately.
fn address(url: &str) -> Result<(ServerAddr, Credentials), LogError> {
    // No error contains the text: it may have a password in it.
    let none = || {
        LogError::misconfigured(
            "a URL of NATS looks like nats://host:4222, nats://user:password@host:4222 or tls://host:4222, several of them with \
             commas between; odd characters of a password are percent-encoded",
        )
    };
    let mut url = url.parse::<ServerAddr>().map_err(|_| none())?.into_inner();
    let is_bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    if !matches!(url.scheme(), "nats" | "tls") || !url.has_host() || !is_bare {
        return Err(none());
    }
    let user = percent_decoded(url.username()).ok_or_else(none)?;
    let password = url.password().map(percent_decoded).map(|password| password.ok_or_else(none)).transpose()?;
    url.set_username("").map_err(|()| none())?;
    url.set_password(None).map_err(|()| none())?;
    let credentials = match (user, password) {
        (user, Some(password)) => Credentials::Password { user, password: password.into() },
        (user, None) if user.is_empty() => Credentials::None,
        (token, None) => Credentials::Token(token.into()),
    };
    Ok((ServerAddr::from_url(url).map_err(|_| none())?, credentials))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_and_a_password_are_taken_out_of_the_url() {
        let access = Access::parse("nats://al%40ice:p%3Aw%2F%25@a.test:1, nats://b.test").unwrap();
        assert!(matches!(&access.credentials,
            Credentials::Password { user, password } if user == "al@ice" && **password == "p:w/%"));
        assert_eq!(format!("{access:?}"), r#"["nats://a.test:1", "nats://b.test:4222"]"#);
        assert!(access.servers.iter().all(|server| !server.as_url_str().contains('@')));
    }

    #[test]
    fn secrets_are_zeroized_when_they_are_dropped() {
        fn is_zeroized(_: &impl zeroize::ZeroizeOnDrop) {}
        for url in ["nats://user:s3cret@a.test", "nats://s3cret@a.test"] {
            match &Access::parse(url).unwrap().credentials {
                Credentials::Password { password: secret, .. }
                | Credentials::Token(secret)
                | Credentials::Creds(secret) => is_zeroized(secret),
                Credentials::None | Credentials::CredsFile(_) => panic!("{url}"),
            }
        }
    }

    #[test]
    fn a_user_alone_is_a_token() {
        let access = Access::parse("tls://s3cret@[::1]:4222").unwrap();
        assert!(matches!(&access.credentials, Credentials::Token(token) if **token == "s3cret"));
        assert!(access.is_tls);
    }

    #[test]
    fn what_is_no_url_of_nats_is_refused_without_repeating_it() {
        for url in [
            "",
            "http://s3cret@a",
            "nats://",
            "nats://u:s3cret%zz@a",
            "nats://a/s3cret",
            "nats://a,tls://s3cret@b",
            "ws://a",
        ] {
            let error = Access::parse(url).err().unwrap_or_else(|| panic!("{url}"));
            assert_eq!(error.kind(), portcullis_core::revocation::LogErrorKind::Misconfigured);
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }
}
