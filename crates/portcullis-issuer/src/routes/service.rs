//! [`ServerRoutes`]: answers the requests to an authorization server.

use std::{collections::HashMap, error::Error, fmt, sync::Arc};

use http::{Request, Response};
use http_body::Body;

use super::{answer, document, form::EndpointForm, serve::serve};
use crate::server::{AuthorizationServer, Endpoint, OAuthError};

/// Answers the requests to an authorization server, at [its paths](Self::paths), and any other path with 404. Made by
/// [`AuthorizationServer::routes`]; see the [module docs](super). Cheap to clone.
#[derive(Clone)]
pub struct ServerRoutes(Arc<Table>);

struct Table {
    server: AuthorizationServer,
    routes: HashMap<String, Route>,
}

#[derive(Clone, Copy)]
enum Route {
    Metadata,
    KeySet,
    Endpoint(Endpoint),
}

impl AuthorizationServer {
    /// Returns ready routes: the metadata at all of its paths, the key set if there is one, and the endpoints. See
    /// [`routes`](crate::routes).
    pub fn routes(&self) -> ServerRoutes {
        let endpoints = self.endpoints().map(|endpoint| (self.path(endpoint), Route::Endpoint(endpoint)));
        let metadata = self.metadata_paths().map(|path| (path.to_owned(), Route::Metadata));
        // One that is not known at the moment is there all the same.
        let has_key_set = !matches!(self.key_set(), Ok(None));
        let key_set = has_key_set.then(|| (self.key_set_path().to_owned(), Route::KeySet));
        let routes = endpoints.chain(metadata).chain(key_set).collect();
        ServerRoutes(Arc::new(Table { server: self.clone(), routes }))
    }

    /// Answers at an endpoint.
    async fn answer_at(&self, endpoint: Endpoint, form: &EndpointForm) -> Result<Response<String>, OAuthError> {
        let request = form.request();
        match endpoint {
            Endpoint::Token => self.token(&request).await.map(|response| answer::token(&response)),
            Endpoint::DeviceAuthorization => {
                self.device_authorization(&request).await.map(|response| answer::json(response.to_json().to_string()))
            }
            Endpoint::Introspection => self.introspect(&request).await.map(|answer| answer::json(answer.to_json())),
            Endpoint::Revocation => self.revoke(&request).await.map(|()| answer::done()),
        }
    }
}

impl ServerRoutes {
    /// Returns the paths that are answered, to mount each of them.
    pub fn paths(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.routes.keys().map(String::as_str)
    }

    async fn answer<B>(&self, request: Request<B>) -> Response<String>
    where
        B: Body,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let server = &self.0.server;
        match self.0.routes.get(request.uri().path()) {
            None => answer::not_found(),
            Some(Route::Metadata) => document::serve(server.metadata(), &request.into_parts().0),
            Some(Route::KeySet) => match server.key_set() {
                Ok(Some(key_set)) => document::serve(&key_set, &request.into_parts().0),
                Ok(None) => answer::not_found(),
                Err(error) => answer::error(&error.into()),
            },
            Some(Route::Endpoint(endpoint)) => match EndpointForm::read(request).await {
                Ok(form) => server.answer_at(*endpoint, &form).await.unwrap_or_else(|error| answer::error(&error)),
                Err(misfit) => misfit.answer(),
            },
        }
    }
}

serve!(ServerRoutes);

impl fmt::Debug for ServerRoutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerRoutes").field("paths", &self.0.routes.keys()).finish_non_exhaustive()
    }
}
