//! Builds a token in stages, from its members to the compact form, so that a fault can be put in at any stage.

use std::sync::Arc;

use portcullis_core::UnixTime;

use crate::{
    Defect, base64url,
    defect::Fault,
    json::Members,
    key::{Signer, SigningKey},
};

/// The correct values, whatever the token says.
pub(crate) struct Scene {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) now: UnixTime,
    pub(crate) key: Arc<SigningKey>,
}

/// The members, and the signer.
pub(crate) struct Draft {
    pub(crate) scene: Scene,
    pub(crate) signer: Signer,
    pub(crate) header: Members,
    pub(crate) claims: Members,
    pub(crate) header_text: Option<Vec<u8>>,
    pub(crate) claims_text: Option<Vec<u8>>,
}

/// JSON text, or other text in its place.
pub(crate) struct Texts {
    pub(crate) header: Vec<u8>,
    pub(crate) claims: Vec<u8>,
    signer: Signer,
}

/// The two parts of the signing input.
pub(crate) struct Encoded {
    pub(crate) header: String,
    pub(crate) claims: String,
    signer: Signer,
}

/// The token after signing; later changes are not covered by the signature.
pub(crate) struct Signed {
    pub(crate) header: String,
    pub(crate) claims: String,
    pub(crate) signature: Vec<u8>,
    pub(crate) signer: Signer,
}

impl Draft {
    /// Returns the compact token, with one defect or none.
    pub(crate) fn seal(mut self, defect: Option<Defect>) -> String {
        let fault = defect.map(Defect::fault);
        if let Some(Fault::Draft(spoil)) = fault {
            spoil(&mut self);
        }
        let mut texts = self.write();
        if let Some(Fault::Texts(spoil)) = fault {
            spoil(&mut texts);
        }
        let mut encoded = texts.encode();
        if let Some(Fault::Encoded(spoil)) = fault {
            spoil(&mut encoded);
        }
        let mut signed = encoded.sign();
        if let Some(Fault::Signed(spoil)) = fault {
            spoil(&mut signed);
        }
        let mut token = signed.join();
        if let Some(Fault::Token(spoil)) = fault {
            spoil(&mut token);
        }
        token
    }

    fn write(self) -> Texts {
        let header = self.header_text.unwrap_or_else(|| self.header.text().into_bytes());
        let claims = self.claims_text.unwrap_or_else(|| self.claims.text().into_bytes());
        Texts { header, claims, signer: self.signer }
    }
}

impl Texts {
    fn encode(self) -> Encoded {
        let Self { header, claims, signer } = self;
        Encoded { header: base64url::encode(header), claims: base64url::encode(claims), signer }
    }
}

impl Encoded {
    fn sign(self) -> Signed {
        let Self { header, claims, signer } = self;
        let signature = signer.sign(&format!("{header}.{claims}"));
        Signed { header, claims, signature, signer }
    }
}

impl Signed {
    fn join(self) -> String {
        format!("{}.{}.{}", self.header, self.claims, base64url::encode(self.signature))
    }
}
