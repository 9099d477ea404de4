//! What both services do in the same way: they listen, check proofs, and end.

use std::{
    io::{self, Read},
    sync::Arc,
};

use axum::{Router, extract::MatchedPath};
use portcullis::{
    AccessTable, Admission, AuthLayer,
    body_limit::BodyLimitLayer,
    content_digest::ContentDigestLayer,
    nonce::{NonceHeader, NonceLayer},
};
use portcullis_nats::{
    TrustChain, TrustChainBuilder, accounts::AccountResolver, nkey::OperatorKey, proof::ProofVerifier,
};
use tokio::{net::TcpListener, signal::unix::SignalKind, task};

use crate::{
    Failure, say,
    settings::{self, Settings},
};

/// Listens on this port of the machine itself; 0 is any free one. `variable` is how to choose another. Returns the origin, too, for which clients make their
/// proofs.
pub(crate) async fn listen(port: u16, variable: &str) -> Result<(TcpListener, String), Failure> {
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|error| format!("cannot listen on port {port} ({error}): choose another with {variable}"))?;
    let origin = format!("http://localhost:{}", listener.local_addr()?.port());
    Ok((listener, origin))
}

/// Returns the start of a trust chain, with the operator's keys that a service was told.
pub(crate) fn chain(settings: &Settings) -> Result<TrustChainBuilder, Failure> {
    let keys = settings::told(settings.operator.as_ref(), "OPERATOR")?.split_whitespace();
    keys.map(str::parse::<OperatorKey>).try_fold(TrustChain::builder(), |chain, key| Ok(chain.operator_key(key?)))
}

/// Puts the layers around the routes. From the outside: nonces, who is it, who may, how long is the body, and was it signed?
pub(crate) fn guarded<R: AccountResolver>(
    routes: Router,
    chain: TrustChain<R>,
    access: &AccessTable,
) -> Result<Router, Failure> {
    let proofs = chain.proofs().ok_or("nothing checks proofs")?;
    let nonces = NonceLayer::new(NonceHeader::nats(), proofs.nonce_issuer(), proofs.origin().to_owned());
    let guard = access.layer_with(|extensions| extensions.get::<MatchedPath>().map(MatchedPath::as_str))?;
    Ok(routes
        .route_layer(ContentDigestLayer::required())
        .route_layer(BodyLimitLayer::from_claim("/nats/payload")?.limit(LONGEST_BODY))
        .route_layer(guard)
        .route_layer(AuthLayer::new(Admission::new(chain)))
        .layer(nonces))
}

/// The limit of the services themselves. Accounts and users may have smaller ones.
const LONGEST_BODY: usize = 16 * 1024;

pub(crate) fn proofs(origin: &str) -> Result<ProofVerifier, Failure> {
    Ok(ProofVerifier::new(Arc::<str>::from(origin))?)
}

/// Serves until the operator of the machine ends it, or the process that started it has ended.
pub(crate) async fn serve(
    name: &str,
    listener: TcpListener,
    origin: &str,
    app: Router,
    settings: &Settings,
) -> Result<(), Failure> {
    say(&format!("{name} is at {origin}"))?;
    let server =
        async { axum::serve(listener, app).with_graceful_shutdown(shutdown_signal()?).await.map_err(Failure::from) };
    tokio::select! {
        outcome = server => outcome,
        () = end_of_input(), if settings.until_input_ends => Ok(()),
    }
}

/// The operator of the machine ends the program.
pub(crate) fn shutdown_signal() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    let mut terminate = tokio::signal::unix::signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    })
}

/// The process that started this one has ended, perhaps by a crash.
async fn end_of_input() {
    let read = task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new()));
    // It has ended in any case.
    let _ = read.await;
}
