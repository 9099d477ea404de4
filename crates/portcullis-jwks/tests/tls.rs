//! The client over TLS trusts only the configured certificate authorities.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{net::SocketAddr, sync::Arc};

use portcullis_jwks::{Fetch, FetchErrorKind, HttpClient};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinSet,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

/// A server whose certificate, for that name, an authority of its own has signed.
struct Server {
    address: SocketAddr,
    authority: String,
    _task: JoinSet<()>,
}

impl Server {
    async fn start(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut task = JoinSet::new();
        task.spawn(serve(listener, TlsAcceptor::from(Arc::new(config))));
        Self { address, authority: authority.pem(), _task: task }
    }

    async fn fetch(&self, host: &str, client: HttpClient) -> Result<Vec<u8>, FetchErrorKind> {
        let request = http::Request::get(format!("https://{host}:{}/", self.address.port())).body(Vec::new()).unwrap();
        client.fetch(request).await.map(http::Response::into_body).map_err(|error| error.kind())
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor) {
    loop {
        let (connection, _) = listener.accept().await.unwrap();
        let Ok(mut connection) = acceptor.accept(connection).await else { continue };
        let _head = connection.read(&mut [0; 1024]).await;
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
        let _sent = connection.write_all(answer).await;
        let _closed = connection.shutdown().await;
    }
}

#[tokio::test]
async fn an_authority_of_ones_own_is_believed_if_it_is_named() {
    let server = Server::start("localhost").await;
    let client = HttpClient::with_root_certificates(&server.authority).unwrap();
    assert_eq!(server.fetch("localhost", client).await.unwrap(), b"{}");
}

#[tokio::test]
async fn an_authority_that_was_not_configured_is_not_trusted() {
    let (server, other) = (Server::start("localhost").await, Server::start("localhost").await);
    assert_eq!(server.fetch("localhost", HttpClient::new().unwrap()).await, Err(FetchErrorKind::Unreachable));
    let client = HttpClient::with_root_certificates(&other.authority).unwrap();
    assert_eq!(server.fetch("localhost", client).await, Err(FetchErrorKind::Unreachable));
    let url = format!("https://localhost:{}/", server.address.port());
    let error = HttpClient::new().unwrap().fetch(http::Request::get(url).body(Vec::new()).unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("with_root_certificates"), "what helps is said: {error}");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_believed() {
    let server = Server::start("elsewhere.test").await;
    let client = HttpClient::with_root_certificates(&server.authority).unwrap();
    assert_eq!(server.fetch("localhost", client).await, Err(FetchErrorKind::Unreachable));
}
