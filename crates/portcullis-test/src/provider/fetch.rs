//! The provider without a network.

use std::{future::pending, io};

use http::{Request, Response};
use portcullis_jwks::{Fetch, FetchError};
use tokio::time::sleep;

use super::{ScriptedProvider, answer::Answer};

impl Fetch for ScriptedProvider {
    /// Answers by script, according to the path of the request only. Time is the runtime's.
    async fn fetch(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
        match self.answer_to(&request) {
            None => {
                let mut missing = Response::new(Vec::new());
                *missing.status_mut() = http::StatusCode::NOT_FOUND;
                Ok(missing)
            }
            Some(Answer::Never) => pending().await,
            Some(Answer::Refused) => Err(FetchError::unreachable(io::Error::from(io::ErrorKind::ConnectionRefused))),
            Some(Answer::After(time, response)) => {
                if !time.is_zero() {
                    sleep(time).await;
                }
                Ok(response)
            }
            Some(Answer::Cut(mut response, length)) => {
                response.body_mut().truncate(length);
                Ok(response)
            }
        }
    }
}
