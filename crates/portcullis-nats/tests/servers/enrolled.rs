//! A user that was enrolled for a caller over HTTP.

use std::sync::Arc;

use portcullis_core::{
    authenticator::{Channel, Header, RequestView},
    verified::{Conventions, CredentialKind, Facts},
};
use portcullis_nats::{
    creds::Creds,
    enrol::{Enrolment, EnrolmentPolicy, EnrolmentRequest, tag},
    nkey::{KeyPair, Role},
    proof::{Proof, ProofVerifier, RequestId, Signed},
    token::Token,
};

use crate::{
    ours::{World, log_in, revoke, with_folder},
    programs,
};

const ORIGIN: &str = "https://api.example.com";

/// A request with this proof.
#[derive(Debug)]
struct Request(String);

impl RequestView for Request {
    fn method(&self) -> &'static str {
        "POST"
    }

    fn target(&self) -> &'static str {
        "/nats/users"
    }

    fn header(&self, name: &str) -> Header<'_> {
        if name == "Nats-Proof" { Header::One(self.0.as_bytes()) } else { Header::Absent }
    }

    fn channel(&self) -> Channel<'_> {
        Channel::default()
    }
}

/// Enrols a new key for the session `S1` of `alice`.
async fn enrol(world: &World) -> Creds {
    let proofs = ProofVerifier::new(ORIGIN).unwrap();
    let policy = EnrolmentPolicy::new(Token::read(&world.orders).unwrap()).unwrap();
    let policy = policy.rule(|facts| facts.subject() == Some("alice"), world.scoped.clone()).unwrap();
    let key = KeyPair::generate(Role::User).unwrap();
    let (id, nonce) = (RequestId::random().unwrap(), proofs.nonce_issuer().issue(ORIGIN, world.now));
    let signed = Signed::new(ORIGIN, "POST", "/nats/users", world.now, id.as_str()).with_nonce(nonce.as_str());
    let public = key.public_key().as_str();
    let proof = Proof::new(&signed, key.sign(&signed.octets_of_enrolment("credential", public)));
    let conventions = Arc::new(Conventions::new("https://login.example.com"));
    let caller =
        Facts::assertion(r#"{"sub":"alice","sid":"S1"}"#, conventions).unwrap().with_credential(CredentialKind::Jwt);
    let request = Request(proof.to_string());
    let request = EnrolmentRequest::new(&caller, "credential", public, &request);
    let enrolled = Enrolment::new(policy, proofs).enrol(request, world.now).await.unwrap();
    assert!(enrolled.user.token().nats.tags.contains(&tag("sid", "S1")));
    Creds::new(enrolled.user.into_string(), key).unwrap()
}

#[tokio::test]
async fn an_enrolled_user_connects_within_the_scope_and_is_disconnected_after_the_log_out() {
    let world = World::new().await;
    for program in programs() {
        let (server, _folder) = with_folder(&world, &program);
        let creds = enrol(&world).await;
        let mut connection = log_in(&server, &creds).unwrap();
        let name = Token::<portcullis_nats::claims::User>::read(creds.token()).unwrap().registered.name;
        assert_eq!(connection.send(&format!("PUB own.{name}.x 0\r\n\r\n")), Ok(()));
        assert!(connection.send("PUB own.bob.x 0\r\n\r\n").unwrap_err().contains("Permissions Violation"));
        revoke(&world, &server, &creds).await;
        assert!(connection.wait_for_end().contains("Authentication Revoked"));
        assert!(log_in(&server, &creds).is_err());
    }
}
