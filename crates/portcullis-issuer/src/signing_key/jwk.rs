//! JSON Web Keys: reading private ones, writing public ones, and thumbprints.

use std::collections::BTreeMap;

use aws_lc_rs::{
    digest,
    rsa::{KeyPair as RsaKeyPair, KeyPairComponents, PublicKeyComponents},
    signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaPublicKeyComponents},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_core::Algorithm;
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    SigningKey, SigningKeyError,
    material::{Curve, Kind, Material, not_a_key_for},
};

/// The members that are read. Others are ignored (RFC 7517 section 4).
#[derive(Deserialize)]
struct PrivateJwk {
    kty: String,
    alg: Option<String>,
    kid: Option<String>,
    crv: Option<String>,
    k: Option<Member>,
    n: Option<Member>,
    e: Option<Member>,
    d: Option<Member>,
    p: Option<Member>,
    q: Option<Member>,
    dp: Option<Member>,
    dq: Option<Member>,
    qi: Option<Member>,
    oth: Option<serde::de::IgnoredAny>,
    x: Option<Member>,
    y: Option<Member>,
}

/// A member in base64url, erased from memory on drop.
struct Member(Zeroizing<Vec<u8>>);

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        // The decoder's own message would show a byte of the key.
        let decoded = URL_SAFE_NO_PAD.decode(text.as_bytes()).map_err(|_| serde::de::Error::custom("not base64url"))?;
        Ok(Self(Zeroizing::new(decoded)))
    }
}

pub(super) fn read(text: &str) -> Result<SigningKey, SigningKeyError> {
    // serde's own message could quote a member's value.
    let key: PrivateJwk = serde_json::from_str(text).map_err(|error| {
        SigningKeyError::malformed(format!(
            "this is not a private JSON Web Key, line {} column {}: an object with `kty` and members in base64url is expected",
            error.line(),
            error.column()
        ))
    })?;
    let algorithm = key.algorithm()?;
    if key.kty == "oct" {
        let id = key.kid.as_deref().ok_or_else(|| missing("kid"))?;
        return SigningKey::secret(id, algorithm, &required(key.k.as_ref(), "k")?.0);
    }
    let material = key.material(algorithm)?;
    let id = key.kid.clone().unwrap_or_else(|| thumbprint(&material));
    SigningKey::with_id(material, algorithm, id)
}

impl PrivateJwk {
    fn algorithm(&self) -> Result<Algorithm, SigningKeyError> {
        if let Some(name) = &self.alg {
            return Algorithm::from_name(name).ok_or_else(|| {
                SigningKeyError::mismatch(
                    "the JSON Web Key has an `alg` that is not supported: use RS256, ES256 or EdDSA, for example",
                )
            });
        }
        let of_curve = match (&*self.kty, self.crv.as_deref()) {
            ("OKP", Some("Ed25519")) => Some(Algorithm::EdDsa),
            ("EC", Some(name)) => Curve::ALL.into_iter().find(|curve| curve.name() == name).map(Curve::algorithm),
            _ => None,
        };
        of_curve.ok_or_else(|| missing("alg"))
    }

    fn material(&self, algorithm: Algorithm) -> Result<Material, SigningKeyError> {
        let unfit = || not_a_key_for(algorithm, "a JSON Web Key");
        let member = |member: &Option<Member>, name| -> Result<Zeroizing<Vec<u8>>, SigningKeyError> {
            Ok(required(member.as_ref(), name)?.0.clone())
        };
        match (Kind::of(algorithm)?, &*self.kty, self.crv.as_deref()) {
            (Kind::Ecdsa(curve), "EC", Some(name)) if name == curve.name() => {
                let (x, y, d) = (member(&self.x, "x")?, member(&self.y, "y")?, member(&self.d, "d")?);
                // An uncompressed point: 4, x, y (SEC 1 section 2.3.3).
                let point = [&[4], &**x, &**y].concat();
                let pair = EcdsaKeyPair::from_private_key_and_public_key(curve.signing(), &d, &point);
                Ok(Material::Ecdsa(curve, Box::new(pair.map_err(|_| unfit())?)))
            }
            (Kind::Ed25519, "OKP", Some("Ed25519")) => {
                let (x, d) = (member(&self.x, "x")?, member(&self.d, "d")?);
                let pair = Ed25519KeyPair::from_seed_and_public_key(&d, &x).map_err(|_| unfit())?;
                Ok(Material::Ed25519(Box::new(pair)))
            }
            (Kind::Rsa(encoding), "RSA", _) => {
                if self.oth.is_some() {
                    return Err(SigningKeyError::malformed(
                        "an RSA key of more than two primes (`oth`) is not supported",
                    ));
                }
                let components = KeyPairComponents {
                    public_key: PublicKeyComponents { n: member(&self.n, "n")?, e: member(&self.e, "e")? },
                    d: member(&self.d, "d")?,
                    p: member(&self.p, "p")?,
                    q: member(&self.q, "q")?,
                    dP: member(&self.dp, "dp")?,
                    dQ: member(&self.dq, "dq")?,
                    qInv: member(&self.qi, "qi")?,
                };
                Ok(Material::rsa(RsaKeyPair::from_components(&components).map_err(|_| unfit())?, encoding))
            }
            _ => Err(unfit()),
        }
    }
}

fn required<'a>(member: Option<&'a Member>, name: &str) -> Result<&'a Member, SigningKeyError> {
    member.ok_or_else(|| missing(name))
}

fn missing(name: &str) -> SigningKeyError {
    SigningKeyError::malformed(format!("the JSON Web Key has no `{name}`, which a private key needs"))
}

/// Returns the public key as a JSON Web Key.
pub(super) fn public(material: &Material, id: &str, algorithm: Algorithm) -> Value {
    let mut jwk = required_members(material);
    jwk["kid"] = json!(id);
    jwk["alg"] = json!(algorithm.name());
    jwk["use"] = json!("sig");
    jwk
}

/// Returns the thumbprint of the public key (RFC 7638), in base64url.
pub(super) fn thumbprint(material: &Material) -> String {
    // In the order of their names, and without white space, as section 3.3 prescribes. A `Value` may have another order: another crate in the
    // program can enable `preserve_order` of `serde_json`.
    let members = required_members(material);
    let sorted: BTreeMap<_, _> = members.as_object().into_iter().flatten().collect();
    let canonical = json!(sorted).to_string();
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes()))
}

/// Returns the members that make up the public key (RFC 7638 section 3.2). A secret has none.
fn required_members(material: &Material) -> Value {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    match material {
        Material::Secret(_) => json!({}),
        Material::Rsa(pair, _) => {
            let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
            json!({ "kty": "RSA", "n": text(&public.n), "e": text(&public.e) })
        }
        Material::Ecdsa(curve, pair) => {
            let point = &pair.public_key().as_ref()[1..];
            let (x, y) = point.split_at(point.len() / 2);
            json!({ "kty": "EC", "crv": curve.name(), "x": text(x), "y": text(y) })
        }
        Material::Ed25519(pair) => json!({ "kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref()) }),
    }
}
