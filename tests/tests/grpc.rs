//! The layers in front of a tonic server: a real client over a real socket, answered in gRPC's words.
#![cfg(test)]

use std::net::SocketAddr;

use portcullis::{
    Admission, AuthLayer, JwtAuthenticator, RequireLayer, TrustedIssuer,
    admission::IntoAdmission,
    clock::UnixTime,
    keys::{KeyHint, KeySource, KeySourceError, KeySourceErrorKind, Resolved},
    rejection::GrpcStatus,
    requirement::scope,
};
use portcullis_test::{Defect, MockIssuer};
use tokio::{net::TcpListener, task::JoinSet};
use tonic::{
    Code, Request, Status,
    transport::{Channel, Server, server::TcpIncoming},
};
use tonic_health::{
    pb::{HealthCheckRequest, health_client::HealthClient},
    server::health_reporter,
};
use tower::ServiceBuilder;

#[tokio::test]
async fn a_caller_with_the_scope_is_let_in() {
    let issuer = MockIssuer::new();
    let server = GrpcServer::start(issuer.admission()).await;
    let token = issuer.token().scope("health:read").bearer();
    assert!(server.check(Some(&token)).await.is_ok());
}

#[tokio::test]
async fn others_get_the_status_that_says_why() {
    let issuer = MockIssuer::new();
    let server = GrpcServer::start(issuer.admission()).await;
    let token = issuer.token().scope("health:read");
    let without_scope = issuer.token().scope("health:write").bearer();
    for (name, token, code, message) in [
        ("no credential", None, Code::Unauthenticated, "credential_missing"),
        ("expired", Some(token.defect(Defect::Expired).bearer()), Code::Unauthenticated, "token_expired"),
        ("malformed", Some("Bearer a b".to_owned()), Code::InvalidArgument, "credential_malformed"),
        ("without the scope", Some(without_scope), Code::PermissionDenied, "scope_missing"),
    ] {
        let status = server.check(token.as_deref()).await.unwrap_err();
        assert_eq!(status.code(), code, "{name}");
        assert!(status.message().starts_with(message), "{name}: {}", status.message());
    }
}

#[tokio::test]
async fn keys_that_cannot_be_had_are_no_verdict_about_the_caller() {
    let issuer = MockIssuer::new();
    let trusted = TrustedIssuer::new(MockIssuer::DEFAULT_NAME, Unreachable).audience(MockIssuer::DEFAULT_AUDIENCE);
    let server = GrpcServer::start(Admission::new(JwtAuthenticator::new(trusted).unwrap())).await;
    let token = issuer.token().scope("health:read").bearer();
    let status = server.check(Some(&token)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().starts_with("keys_unavailable"), "{}", status.message());
}

/// A source of keys that are elsewhere, and elsewhere does not answer.
#[derive(Debug)]
struct Unreachable;

impl KeySource for Unreachable {
    fn resolve(&self, _: KeyHint<'_>, _: UnixTime) -> Resolved {
        Resolved::Fault(KeySourceError::new(KeySourceErrorKind::Unavailable, "no answer"))
    }
}

/// tonic's own health service behind the layers.
struct GrpcServer {
    address: SocketAddr,
    _tasks: JoinSet<Result<(), tonic::transport::Error>>,
}

impl GrpcServer {
    async fn start(admission: impl IntoAdmission) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let layers = ServiceBuilder::new()
            .layer(AuthLayer::new(admission).rejection(GrpcStatus::new()))
            .layer(RequireLayer::new(scope("health:read")).rejection(GrpcStatus::new()));
        let server = Server::builder().layer(layers.into_inner()).add_service(health_reporter().1);
        let mut tasks = JoinSet::new();
        tasks.spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        Self { address, _tasks: tasks }
    }

    /// What a client hears that asks whether the server is in good health.
    async fn check(&self, authorization: Option<&str>) -> Result<(), Status> {
        let channel = Channel::from_shared(format!("http://{}", self.address)).unwrap().connect().await.unwrap();
        let mut request = Request::new(HealthCheckRequest { service: String::new() });
        if let Some(value) = authorization {
            request.metadata_mut().insert("authorization", value.parse().unwrap());
        }
        HealthClient::new(channel).check(request).await.map(drop)
    }
}
