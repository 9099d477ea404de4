//! The questions that are asked about a credential.

use std::fmt;

use crate::Code;

macro_rules! checks {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal: [$($code:ident),*];)+) => {
        /// One question about a credential, in the order in which a JSON Web Token is asked them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Check {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Check {
            /// Every check, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The stable name, in `snake_case`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The codes with which it refuses a credential, or says that it cannot decide; empty for [`Check::Proved`], which can end with any.
            pub const fn codes(self) -> &'static [Code] {
                match self { $(Self::$variant => &[$(Code::$code),*]),+ }
            }
        }
    };
}

checks! {
    /// The octets have the form of a credential (RFC 6750 section 2.1).
    Form = "form": [CredentialMalformed, CredentialMissing, CredentialRepeated, CredentialKindUnknown];
    /// An authenticator that does not name its checks has proven the credential. It can end with any code.
    Proved = "proved": [];
    /// The token is not longer than the limit.
    Length = "length": [TokenTooLong];
    /// Three non-empty parts of strict base64url.
    Shape = "shape": [TokenMalformed];
    /// The header is a strict JSON object.
    Header = "header": [HeaderMalformed];
    /// The header asks for no extension.
    Extensions = "extensions": [ExtensionNotUnderstood];
    /// The claims are a strict JSON object, and have the right types.
    Claims = "claims": [ClaimsMalformed, TokenMalformed];
    /// `iss` is one of the trusted issuers.
    Issuer = "issuer": [IssuerNotTrusted, IssuerUnavailable, ServiceMisconfigured];
    /// `typ` is accepted.
    Type = "type": [TypeNotAccepted];
    /// `alg` is allowed.
    Algorithm = "algorithm": [AlgorithmNotAllowed];
    /// There is a key that may have signed the token.
    Key = "key": [KeyUnknown, KeyAmbiguous, KeysUnavailable, ServiceMisconfigured];
    /// One of these keys has.
    Signature = "signature": [SignatureInvalid, TokenMalformed];
    /// `aud` names this service.
    Audience = "audience": [AudienceMismatch, ClaimMissing];
    /// `exp` is there, and to come.
    Expiry = "expiry": [TokenExpired, ClaimMissing];
    /// `nbf` has come.
    NotBefore = "not_before": [TokenNotYetValid];
    /// `iat` is not to come.
    IssuedAt = "issued_at": [TokenIssuedInFuture];
    /// The token is young enough, and does not live too long.
    Age = "age": [TokenTooOld, TokenLifetimeTooLong, ClaimMissing];
    /// The claims that the issuer's profile requires are there.
    Profile = "profile": [ClaimMissing, ClaimsMalformed];
    /// The token is not bound to a key whose proof is not checked.
    Binding = "binding": [ProofMissing];
    /// The claims that this service requires are there, and the token is of the right kind.
    Required = "required": [ClaimMissing, TypeNotAccepted];
    /// The application's own claims have their form.
    Custom = "custom": [CustomClaimsMalformed];
    /// The request proves what the credential owes.
    Proof = "proof": [ProofMissing];
    /// The credential is not revoked.
    Revocation = "revocation": [TokenRevoked, RevocationsStale, TokenLifetimeTooLong, ClaimMissing, ClaimsMalformed];
    /// The caller meets the route's requirement.
    Requirement = "requirement": [
        ScopeMissing, RoleMissing, RequirementNotMet, AuthenticationTooOld, AuthenticationTooWeak, RequirementUndecided
    ];
}

impl Check {
    /// The first check that may end with that code: for a verdict of an authenticator that names none.
    pub(crate) fn of(code: Code) -> Self {
        Self::ALL.iter().copied().find(|check| check.codes().contains(&code)).unwrap_or(Self::Proved)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_belongs_to_a_check() {
        for code in Code::ALL {
            assert!(Check::ALL.iter().any(|check| check.codes().contains(code)), "{code}");
        }
    }

    #[test]
    fn names_are_told_apart() {
        let mut names: Vec<_> = Check::ALL.iter().map(|check| check.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Check::ALL.len());
    }
}
