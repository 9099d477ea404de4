//! [`serve!`]: a type that answers requests, as a service of tower.

/// Makes a type a service, by its method `answer`. Parameters of the type follow it, each with its bound.
macro_rules! serve {
    ($routes:ty $(; $($parameter:ident: $bound:path),+)?) => {
        impl<$($($parameter,)+)? B> tower_service::Service<http::Request<B>> for $routes
        where
            $($($parameter: $bound,)+)?
            B: http_body::Body + Send + 'static,
            B::Data: Send,
            B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
        {
            type Response = http::Response<String>;
            type Error = std::convert::Infallible;
            type Future = crate::routes::RoutesFuture;

            fn poll_ready(
                &mut self,
                _: &mut std::task::Context<'_>,
            ) -> std::task::Poll<Result<(), std::convert::Infallible>> {
                std::task::Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: http::Request<B>) -> Self::Future {
                // It is always ready, so the clone may answer.
                let routes = self.clone();
                crate::routes::RoutesFuture::new(async move { routes.answer(request).await })
            }
        }
    };
}

pub(super) use serve;
