//! An authenticator for another scheme than `Bearer`.

use portcullis::{
    JwtAuthenticator,
    authenticator::{Attempt, Authenticator, Credential, Proven, Scheme},
    verified::NoCustom,
};

/// Takes the issuer's tokens under `DPoP`, without asking for a proof.
#[derive(Debug)]
pub(crate) struct UnderDpop(pub(crate) JwtAuthenticator);

impl Authenticator for UnderDpop {
    type Custom = NoCustom;

    fn verify(&self, credential: Credential<'_>) -> Attempt<Proven> {
        self.0.verify(credential)
    }

    fn schemes(&self) -> Vec<Scheme> {
        vec![Scheme::DPoP]
    }
}
