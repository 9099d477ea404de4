//! [`Token`]: a token whose signature is that of the key in `iss`.

use portcullis_core::Algorithm;

use super::{Json, Object, Read, Registered, TokenError, TokenErrorKind, parts::Parts, registered};
use crate::nkey::{PublicKey, Role};

/// A version of the claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Version {
    /// The old form: `alg` is `ed25519`, and the signature covers the claims only.
    V1,
    /// `alg` is `ed25519-nkey`, and `nats.version` is 2.
    V2,
}

/// A kind of token: the claims in `nats`, and who may sign them.
///
/// Implemented by [`Operator`](crate::claims::Operator), [`Account`](crate::claims::Account), [`User`](crate::claims::User) and
/// [`Activation`](crate::claims::Activation). It cannot be implemented elsewhere.
pub trait Kind: Sized + sealed::Sealed {
    /// The name in `nats.type`.
    const NAME: &'static str;

    /// The role of the subject.
    const SUBJECT: Role;

    /// The roles whose keys sign tokens of this kind.
    const ISSUERS: &'static [Role];

    #[doc(hidden)]
    fn read(source: sealed::Source<'_>) -> Result<Self, TokenError>;
}

pub(crate) mod sealed {
    //! What only this crate can name.
    use super::{Object, Registered, Version};

    #[expect(unnameable_types, reason = "it seals the trait")]
    pub trait Sealed {}

    /// What the claims of a kind are read from.
    #[derive(Clone, Debug)]
    #[expect(unnameable_types, reason = "it seals the trait")]
    pub struct Source<'a> {
        /// All claims.
        pub(crate) claims: Object<'a>,
        /// Those in `nats`.
        pub(crate) nats: Object<'a>,
        pub(crate) version: Version,
        pub(crate) registered: &'a Registered,
    }
}

/// A token whose signature was made by the key in `iss`. Nothing is trusted yet: anyone can make such a key.
///
/// ```
/// use portcullis_nats::claims::User;
/// use portcullis_nats::token::{Token, TokenErrorKind};
///
/// let error = Token::<User>::read("e30.e30.e30").unwrap_err();
/// assert_eq!(error.kind(), TokenErrorKind::Header);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Token<K> {
    /// The claims beside `nats`.
    pub registered: Registered,
    /// The version.
    pub version: Version,
    /// The claims in `nats`.
    pub nats: K,
}

impl<K: Kind> Token<K> {
    /// Reads a token of this kind.
    ///
    /// # Errors
    ///
    /// If it is not one, or the key in `iss` has not signed it: see [`TokenErrorKind`].
    pub fn read(text: &str) -> Result<Self, TokenError> {
        let token = Self::read_if(text, |_| true)?;
        token.ok_or_else(|| TokenError::new(TokenErrorKind::Signature, "the token was not read"))
    }

    /// Reads a token if the key in `iss` is one of these; `None` if it is not. A token by an unknown key costs no signature check.
    pub(crate) fn read_if(text: &str, is_wanted: impl FnOnce(&PublicKey) -> bool) -> Result<Option<Self>, TokenError> {
        let parts = Parts::read(text)?;
        let claims = Object::new("", &parts.claims, registered::NAMES)?;
        let nats = nats_of(&claims)?;
        let name = type_of(&claims, &nats, parts.version)?;
        if name != K::NAME {
            return Err(TokenError::new(
                TokenErrorKind::WrongType,
                format!("it is not a token of the type {}", K::NAME),
            ));
        }
        let issuer = issuer_of::<K>(&claims)?;
        if !is_wanted(&issuer) {
            return Ok(None);
        }
        check_signature(&parts, &issuer)?;
        let registered = Registered::read(&claims, issuer)?;
        require_role("sub", &registered.subject, K::SUBJECT)?;
        let nats = K::read(sealed::Source { claims, nats, version: parts.version, registered: &registered })?;
        Ok(Some(Self { version: parts.version, registered, nats }))
    }
}

/// Returns the claims in `nats`. Which of them are known depends on the kind, and is checked there.
fn nats_of<'a>(claims: &Object<'a>) -> Read<Object<'a>> {
    match claims.get("nats") {
        Some(Json::Object(members)) => Object::new("nats", members, &["type", "version"]),
        None => Object::new("nats", &[], &[]),
        Some(_) => Err(claims.malformed("nats", "is not an object")),
    }
}

/// Returns the type, once header and claims agree about the version.
fn type_of<'a>(claims: &Object<'a>, nats: &Object<'a>, header: Version) -> Read<&'a str> {
    let mismatch = |what: &'static str| TokenError::new(TokenErrorKind::VersionMismatch, what);
    let top = claims.text("type")?.filter(|text| !text.is_empty());
    let inner = nats.text("type")?.filter(|text| !text.is_empty());
    match (top, header) {
        // The type of an activation of version 1 says which export it is for, and is in `nats.type`.
        (Some("activation"), Version::V1) => Ok("activation"),
        (Some(_), _) if inner.is_some() => Err(mismatch("the claims have a type of version 1 and one of version 2")),
        (Some(top), Version::V1) => Ok(top),
        (Some(_), Version::V2) => Err(mismatch("the header says version 2, and the claims say version 1")),
        (None, _) => match nats.int("version")? {
            Some(2) if header == Version::V2 => Ok(inner.unwrap_or_default()),
            Some(2) => Err(mismatch("the header says version 1, and the claims say version 2")),
            _ => Err(TokenError::new(TokenErrorKind::Version, "the claim nats.version is not 2")),
        },
    }
}

/// Returns the key that the token names as its issuer, which must be of a role that signs such tokens.
fn issuer_of<K: Kind>(claims: &Object<'_>) -> Read<PublicKey> {
    let text = claims.text("iss")?.unwrap_or_default();
    let issuer = text.parse::<PublicKey>().map_err(|error| claims.bad_key("iss", error))?;
    if K::ISSUERS.contains(&issuer.role()) {
        return Ok(issuer);
    }
    let why = format!("a key of {} does not sign tokens of the type {}", issuer.role(), K::NAME);
    Err(TokenError::new(TokenErrorKind::IssuerRole, why))
}

fn check_signature(parts: &Parts<'_>, issuer: &PublicKey) -> Read<()> {
    let key = issuer.verifying_key().map_err(|error| TokenError::of_key("iss", error))?;
    if key.check_signature(Algorithm::EdDsa, parts.signing_input(), parts.signature()) {
        return Ok(());
    }
    Err(TokenError::new(TokenErrorKind::Signature, "the key in iss has not signed the token"))
}

fn require_role(place: &str, key: &PublicKey, expected: Role) -> Read<()> {
    if key.role() == expected {
        return Ok(());
    }
    Err(TokenError::new(
        TokenErrorKind::Key,
        format!("the claim {place} is a key of {}, not of {expected}", key.role()),
    ))
}
