//! [`Jwk`]: JSON Web Keys (RFC 7517), parsed here because a key's `alg`, `use` and `key_ops` limit its use.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::{
    Algorithm, AlgorithmSet, KeyError, KeyErrorKind, VerifyingKey,
    certificate::Certificate,
    ed25519, elliptic,
    elliptic::{P256, P384},
    error::quoted,
    material::Material,
    members::{Members, malformed},
    rsa, secret,
};

/// A JWK as written, not checked yet.
pub(crate) struct Jwk<'a>(Members<'a>);

impl<'a> Jwk<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, KeyError> {
        Members::parse(text).map(Self)
    }

    /// Returns the key id, if it can be read. For messages about an unusable key.
    pub(crate) fn id(&self) -> Option<String> {
        self.0.text("kid").ok().flatten().map(String::from)
    }

    /// Whether it contains a shared secret, whatever else may be wrong with it.
    pub(crate) fn shows_secret(&self) -> bool {
        self.0.has("k") && self.0.text("kty").is_ok_and(|kind| kind.as_deref() == Some("oct"))
    }

    /// Returns the prepared key; a secret if it is one. A private key is refused.
    pub(crate) fn prepare(&self) -> Result<VerifyingKey, KeyError> {
        self.check_public()?;
        self.check_use()?;
        let key = VerifyingKey::new(self.material(self.algorithms()?)?).certified(self.certificate());
        match self.0.text("kid")? {
            Some(id) => key.with_id_as_published(id),
            None => Ok(key),
        }
    }

    /// Returns the certificate that names the key. A malformed member is ignored; the key can still be used.
    fn certificate(&self) -> Option<Certificate> {
        let [x5t, x5t_s256] = ["x5t", "x5t#S256"].map(|name| self.0.text(name).ok().flatten());
        let chain = self.0.texts("x5c").ok().flatten();
        let x5c = chain.as_ref().and_then(|chain| chain.first()).map(String::as_str);
        Certificate::of_members(x5t.as_deref(), x5t_s256.as_deref(), x5c)
    }

    /// RFC 7518 sections 6.2.2 and 6.3.2: the members that are private; one of them is enough to sign.
    fn check_public(&self) -> Result<(), KeyError> {
        if ["d", "p", "q", "dp", "dq", "qi", "oth"].iter().any(|name| self.0.has(name)) {
            return Err(KeyError::new(
                KeyErrorKind::PrivateKey,
                "private key: remove the members d, p, q, dp, dq, qi and oth, and replace the key if it was published",
            ));
        }
        Ok(())
    }

    /// RFC 7517 sections 4.2 and 4.3.
    fn check_use(&self) -> Result<(), KeyError> {
        let refuse = |message| Err(KeyError::new(KeyErrorKind::WrongUse, message));
        if let Some(purpose) = self.0.text("use")?
            && purpose != "sig"
        {
            return refuse(format!("the key's use is {}, not \"sig\"", quoted(&purpose)));
        }
        if let Some(operations) = self.0.texts("key_ops")?
            && !operations.iter().any(|operation| operation == "verify")
        {
            return refuse("the key's key_ops do not name \"verify\"".to_owned());
        }
        Ok(())
    }

    /// Returns the algorithms that `alg` allows; all if it is absent.
    fn algorithms(&self) -> Result<AlgorithmSet, KeyError> {
        let Some(name) = self.0.text("alg")? else {
            return Ok(AlgorithmSet::ALL);
        };
        match Algorithm::from_name(&name) {
            // Two names of one algorithm (RFC 9864): issuers may write either in the key, whichever their tokens have.
            Some(Algorithm::EdDsa | Algorithm::Ed25519) => {
                Ok(AlgorithmSet::of(&[Algorithm::EdDsa, Algorithm::Ed25519]))
            }
            Some(algorithm) => Ok(algorithm.into()),
            None => Err(unsupported("alg", &name)),
        }
    }

    fn material(&self, wanted: AlgorithmSet) -> Result<Material, KeyError> {
        let kind = self.required("kty")?;
        match &*kind {
            "RSA" => rsa::prepare(&self.octets("n")?, &self.octets("e")?, wanted),
            "EC" => {
                let curve = match &*self.required("crv")? {
                    "P-256" => &P256,
                    "P-384" => &P384,
                    other => return Err(unsupported("crv", other)),
                };
                elliptic::from_coordinates(curve, &self.octets("x")?, &self.octets("y")?, wanted)
            }
            "OKP" => match &*self.required("crv")? {
                "Ed25519" => ed25519::prepare(&self.octets("x")?, wanted),
                other => Err(unsupported("crv", other)),
            },
            "oct" => secret::prepare(&self.octets("k")?, wanted),
            other => Err(unsupported("kty", other)),
        }
    }

    fn required(&self, name: &str) -> Result<std::borrow::Cow<'a, str>, KeyError> {
        self.0.text(name)?.ok_or_else(|| malformed(format!("{name} is missing")))
    }

    fn octets(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let text = self.required(name)?;
        // Strict (RFC 7515 section 2): no padding, no white space, no bits beyond the last byte.
        let octets = URL_SAFE_NO_PAD.decode(text.as_bytes());
        octets.map(Zeroizing::new).map_err(|_| malformed(format!("{name} must be base64url without padding")))
    }
}

fn unsupported(member: &str, value: &str) -> KeyError {
    KeyError::new(KeyErrorKind::Unsupported, format!("{member} {} is not supported", quoted(value)))
}

#[cfg(test)]
mod tests;
