//! Tests rules that no other test would notice being weakened. See `cargo xtask weaken`.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::convert::Infallible;

use http::{Request, Response};
use portcullis::{Admission, AuthLayer, JwtAuthenticator, location::Cookie};
use portcullis_test::MockIssuer;
use tower::{Layer, ServiceExt, service_fn};

/// Returns the `Cache-Control` of a response that has `directives` itself, to a request with a token in a cookie.
async fn caching_of(directives: &'static str) -> Vec<String> {
    let issuer = MockIssuer::new();
    let admission = Admission::new(JwtAuthenticator::new(issuer.trusted()).unwrap());
    let layer = AuthLayer::at(Cookie::new("session").unwrap(), admission);
    let inner = service_fn(async |_: Request<()>| {
        let response = Response::builder().header("content-type", "text/plain").header("cache-control", directives);
        Ok::<_, Infallible>(response.body(String::new()).unwrap())
    });
    let request = Request::get("/").header("cookie", format!("session={}", issuer.token().sign()));
    let response = layer.layer(inner).oneshot(request.body(()).unwrap()).await.unwrap();
    response.headers().get_all("cache-control").iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_response_is_private_whatever_its_other_directives() {
    assert_eq!(caching_of("max-age=60").await, ["max-age=60", "private"]);
    assert_eq!(caching_of("public, max-age=60").await, ["public, max-age=60", "private"]);
    assert_eq!(caching_of("max-age=60, Private").await, ["max-age=60, Private"]);
    assert_eq!(caching_of("no-store").await, ["no-store"]);
}

#[cfg(feature = "form")]
mod forms {
    use std::{
        convert::Infallible,
        future::{Ready, ready},
        mem,
        task::{Context, Poll},
    };

    use axum::body::Body;
    use http::{Request, Response};
    use portcullis::{location::FormBodyLayer, read_body::ReadBody};
    use tower::{Layer, Service, ServiceExt};

    /// A service that is ready once it was polled. Its clones have to be polled again.
    #[derive(Debug, Default)]
    struct Inner {
        ready: bool,
    }

    impl Clone for Inner {
        fn clone(&self) -> Self {
            Self::default()
        }
    }

    impl Service<Request<ReadBody<Body>>> for Inner {
        type Response = Response<String>;
        type Error = Infallible;
        type Future = Ready<Result<Response<String>, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            self.ready = true;
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<ReadBody<Body>>) -> Self::Future {
            assert!(mem::take(&mut self.ready), "called a service that was not polled");
            ready(Ok(Response::new(String::new())))
        }
    }

    #[tokio::test]
    async fn the_service_that_was_polled_is_the_one_that_is_called() {
        let mut service = FormBodyLayer::new().layer(Inner::default());
        for content_type in ["application/x-www-form-urlencoded", "text/plain", "application/x-www-form-urlencoded"] {
            let request = Request::post("/").header("content-type", content_type);
            let request = request.body(Body::from("access_token=a.b.c")).unwrap();
            assert!(service.ready().await.unwrap().call(request).await.unwrap().status().is_success());
        }
    }
}
