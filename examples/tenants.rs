//! Tenants that come and go while requests run: each has its own issuer, and none of the others notices.

use std::{error::Error, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header::AUTHORIZATION},
    routing::get,
};
use portcullis::{AuthLayer, Claims, JwtAuthenticator, issuers::Issuers};
use portcullis_test::MockIssuer;
use tokio::task::JoinSet;
use tower_service::Service;

const TENANTS: usize = 50;
const ROUNDS: usize = 20;

async fn me(claims: Claims) -> String {
    format!("you are {} at {}\n", claims.subject().unwrap_or("unknown"), claims.issuer())
}

/// The service, and the list of its tenants: an administrator's endpoint would hold the other half of that handle.
fn service() -> Result<(Router, Issuers), Box<dyn Error>> {
    let issuers = Issuers::new([])?;
    let auth = AuthLayer::new(JwtAuthenticator::issuers(issuers.clone()));
    Ok((Router::new().route("/me", get(me)).layer(auth), issuers))
}

async fn status(app: &mut Router, token: &str) -> Result<StatusCode, Box<dyn Error + Send + Sync>> {
    let request = Request::get("/me").header(AUTHORIZATION, format!("Bearer {token}")).body(Body::empty())?;
    Ok(app.call(request).await?.status())
}

/// A tenant signs up, works, and leaves, again and again. Returns how many requests were answered.
async fn come_and_go(
    mut app: Router,
    issuers: Issuers,
    tenant: MockIssuer,
) -> Result<usize, Box<dyn Error + Send + Sync>> {
    let token = tenant.token().subject("alice").sign();
    let mut requests = 0;
    for round in 0..ROUNDS {
        issuers.insert(tenant.trusted())?;
        // The second one is remembered.
        for _ in 0..2 {
            assert_eq!(status(&mut app, &token).await?, StatusCode::OK, "round {round}");
        }
        issuers.remove(tenant.name());
        assert_eq!(status(&mut app, &token).await?, StatusCode::UNAUTHORIZED, "round {round}");
        requests += 3;
        tokio::task::yield_now().await;
    }
    Ok(requests)
}

/// A tenant that stays, and is never refused.
async fn stay(mut app: Router, tenant: MockIssuer) -> Result<usize, Box<dyn Error + Send + Sync>> {
    for requests in 0.. {
        let token =
            tenant.token().subject(&format!("user-{}", requests % 10)).expires_in(Duration::from_secs(60)).sign();
        assert_eq!(status(&mut app, &token).await?, StatusCode::OK);
        tokio::task::yield_now().await;
    }
    Ok(0)
}

async fn run() -> Result<usize, Box<dyn Error>> {
    let (app, issuers) = service()?;
    let permanent = MockIssuer::new().named("https://permanent.example.com");
    issuers.insert(permanent.trusted())?;
    let mut staying = JoinSet::new();
    staying.spawn(stay(app.clone(), permanent));
    let mut tenants = JoinSet::new();
    for number in 0..TENANTS {
        let tenant = MockIssuer::new().named(format!("https://tenant-{number}.example.com"));
        tenants.spawn(come_and_go(app.clone(), issuers.clone(), tenant));
    }
    let mut requests = 0;
    loop {
        tokio::select! {
            // It ends by a failure alone.
            failed = staying.join_next() => return Err(format!("a tenant that stays was refused: {failed:?}").into()),
            done = tenants.join_next() => match done {
                Some(answered) => requests += answered?.map_err(|error| error.to_string())?,
                None => break,
            },
        }
    }
    assert_eq!(issuers.names(), ["https://permanent.example.com"]);
    Ok(requests)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let requests = run().await?;
    println!(
        "{TENANTS} tenants came and went {ROUNDS} times each: {requests} requests, each answered by the list of its moment"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn fifty_tenants_come_and_go_while_requests_run() {
        assert_eq!(super::run().await.unwrap(), super::TENANTS * super::ROUNDS * 3);
    }
}
