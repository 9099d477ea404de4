//! What a provider publishes, served to a preset, and tokens as it issues them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use http::{Request, Response};
use portcullis_core::{
    Admission, Algorithm, Clock, Code, JwtAuthenticator, TrustedIssuer, Verified, clock::SystemClock,
};
use portcullis_jwks::{Fetch, FetchError, provider::Provider};
use portcullis_test::MockIssuer;
use serde_json::{Value, json};

/// Answers with the documents of one file, and notes what was asked for.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) documents: BTreeMap<String, String>,
    pub(crate) asked: Mutex<BTreeSet<String>>,
}

impl Fetch for Published {
    async fn fetch(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
        let url = request.uri().to_string();
        let document = self.documents.get(&url);
        self.asked.lock().unwrap().insert(url);
        let response = Response::builder().status(if document.is_some() { 200 } else { 404 });
        let response = response.header("content-type", "application/json; charset=utf-8");
        Ok(response.body(document.cloned().unwrap_or_default().into_bytes()).unwrap())
    }
}

/// One provider: its file, and the key that signs.
pub(crate) struct Scene {
    pub(crate) file: Value,
    pub(crate) signer: MockIssuer,
    pub(crate) published: Arc<Published>,
}

impl Scene {
    pub(crate) fn new(file: &str, algorithm: Algorithm) -> Self {
        let file: Value = serde_json::from_str(file).unwrap();
        let signer = MockIssuer::with_algorithm(algorithm);
        let key: Value = serde_json::from_str::<Value>(&signer.jwks()).unwrap()["keys"][0].take();
        let documents = file["documents"].as_object().unwrap().clone();
        let documents = documents.into_iter().map(|(url, mut document)| {
            let keys = document.get_mut("keys").and_then(Value::as_array_mut);
            keys.into_iter().flatten().for_each(|published| fill_in(published, &key));
            (url, document.to_string())
        });
        let published = Published { documents: documents.collect(), asked: Mutex::default() };
        Self { file, signer, published: Arc::new(published) }
    }

    pub(crate) fn rs256(file: &str) -> Self {
        Self::new(file, Algorithm::Rs256)
    }

    /// A token of the file, signed, as if it had been issued now.
    pub(crate) fn token(&self, name: &str, change: impl FnOnce(&mut Value)) -> String {
        let token = &self.file["tokens"][name];
        let mut claims = token["claims"].clone();
        let (now, issued_at) = (SystemClock.now().as_secs(), claims["iat"].as_u64().unwrap());
        for time in ["iat", "exp", "nbf", "auth_time"] {
            if let Some(seconds) = claims[time].as_u64() {
                claims[time] = (now + seconds - issued_at).into();
            }
        }
        change(&mut claims);
        self.signer.token().raw_header(token["header"].to_string()).raw_claims(claims.to_string()).sign()
    }

    pub(crate) fn accepted(&self, change: impl FnOnce(&mut Value)) -> String {
        self.token("accepted", change)
    }

    pub(crate) fn trusted(&self, provider: &Provider, audience: &str) -> TrustedIssuer {
        let keys = provider.keys().fetch(Arc::clone(&self.published)).start().unwrap();
        provider.trust_with(audience, keys)
    }

    /// What is so with each of them; gives the token that was accepted.
    pub(crate) async fn common(&self, provider: &Provider, audience: &str) -> Verified {
        self.common_where(provider, audience, |issuer| issuer).await
    }

    /// The same of an issuer to which something is added.
    pub(crate) async fn common_where(
        &self,
        provider: &Provider,
        audience: &str,
        add: impl Fn(TrustedIssuer) -> TrustedIssuer,
    ) -> Verified {
        let issuer = || add(self.trusted(provider, audience));
        let verified = judge(issuer(), &self.accepted(|_| {})).await.unwrap();
        assert_eq!(*self.published.asked.lock().unwrap(), self.published.documents.keys().cloned().collect());
        assert_eq!(verified.audience(), Some(audience));
        assert_eq!(verified.issuer(), self.file["tokens"]["accepted"]["claims"]["iss"]);

        let iss = provider.issuer();
        let toggled = iss.strip_suffix('/').map_or_else(|| format!("{iss}/"), str::to_owned);
        for other in
            [toggled, iss.replace("https://", "https://other-"), iss.to_uppercase(), iss.replace("https", "http")]
        {
            if other == iss {
                continue; // a name that is no URL has no scheme to change
            }
            let token = self.accepted(|claims| claims["iss"] = other.as_str().into());
            assert_eq!(judge(issuer(), &token).await.unwrap_err(), Code::IssuerNotTrusted, "{other}");
        }
        let token = self.accepted(|claims| claims["aud"] = json!(["https://bills.example.com"]));
        assert_eq!(judge(issuer(), &token).await.unwrap_err(), Code::AudienceMismatch);

        let (file, published) = (self.file.clone(), Arc::clone(&self.published));
        let forger = Self { file, published, signer: MockIssuer::new() };
        assert_eq!(judge(issuer(), &forger.accepted(|_| {})).await.unwrap_err(), Code::SignatureInvalid);
        verified
    }
}

/// Gives the published key that has no material the test's.
fn fill_in(published: &mut Value, key: &Value) {
    if published.get("n").or(published.get("x")).is_none() {
        for member in ["n", "e", "x", "y"] {
            if let Some(value) = key.get(member) {
                published[member] = value.clone();
            }
        }
    }
}

pub(crate) async fn judge(issuer: TrustedIssuer, token: &str) -> Result<Verified, Code> {
    let admission = Admission::new(JwtAuthenticator::new(issuer).unwrap());
    admission.verify(token).outcome().await.map_err(|error| error.code())
}
