//! The questions that are asked about a credential.

use std::fmt;

use crate::{Code, error::AuthErrorKind};

macro_rules! checks {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal by $asker:ident: [$($code:ident),*];)+) => {
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

            const fn asker(self) -> Asker {
                match self { $(Self::$variant => Asker::$asker),+ }
            }
        }
    };
}

/// Who asks the question.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asker {
    /// The admission, of every credential.
    Admission,
    /// The authenticator for JSON Web Tokens, of each token.
    Jwt,
    /// The code that is served by an admission, of a caller who was let in.
    Route,
}

checks! {
    /// The octets have the form of a credential (RFC 6750 section 2.1).
    Form = "form" by Admission: [CredentialMalformed, CredentialMissing, CredentialRepeated, ServiceMisconfigured];
    /// One of the branches of a [`Dispatch`](crate::authenticator::Dispatch) is for credentials that look like this one. What is expected names the branch
    /// that was chosen.
    Kind = "kind" by Admission: [CredentialKindUnknown];
    /// An authenticator that does not name its checks has proven the credential. It can end with any code.
    Proved = "proved" by Admission: [];
    /// The token is not longer than the limit.
    Length = "length" by Jwt: [TokenTooLong];
    /// Three non-empty parts of strict base64url.
    Shape = "shape" by Jwt: [TokenMalformed];
    /// The header is a strict JSON object.
    Header = "header" by Jwt: [HeaderMalformed];
    /// The header asks for no extension.
    Extensions = "extensions" by Jwt: [ExtensionNotUnderstood];
    /// The claims are a strict JSON object, and have the right types.
    Claims = "claims" by Jwt: [ClaimsMalformed, TokenMalformed];
    /// `iss` is one of the trusted issuers.
    Issuer = "issuer" by Jwt: [IssuerNotTrusted, IssuerUnavailable, ServiceMisconfigured];
    /// `typ` is accepted.
    Type = "type" by Jwt: [TypeNotAccepted];
    /// `alg` is allowed.
    Algorithm = "algorithm" by Jwt: [AlgorithmNotAllowed];
    /// There is a key that may have signed the token.
    Key = "key" by Jwt: [KeyUnknown, KeyAmbiguous, KeysUnavailable, ServiceMisconfigured];
    /// One of these keys has.
    Signature = "signature" by Jwt: [SignatureInvalid, TokenMalformed];
    /// `aud` names this service.
    Audience = "audience" by Jwt: [AudienceMismatch, ClaimMissing];
    /// `exp` is there, and to come.
    Expiry = "expiry" by Jwt: [TokenExpired, ClaimMissing];
    /// `nbf` has come.
    NotBefore = "not_before" by Jwt: [TokenNotYetValid];
    /// `iat` is not to come.
    IssuedAt = "issued_at" by Jwt: [TokenIssuedInFuture];
    /// The token is young enough, and does not live too long.
    Age = "age" by Jwt: [TokenTooOld, TokenLifetimeTooLong, ClaimMissing];
    /// The claims that the issuer's profile requires are there.
    Profile = "profile" by Jwt: [ClaimMissing, ClaimsMalformed];
    /// The token is not bound to a key whose proof is not checked.
    Binding = "binding" by Jwt: [ProofMissing];
    /// The claims that this service requires are there, and the token is of the right kind.
    Required = "required" by Jwt: [ClaimMissing, TypeNotAccepted];
    /// The application's own claims have their form.
    Custom = "custom" by Jwt: [CustomClaimsMalformed];
    /// The request proves what the credential owes.
    Proof = "proof" by Admission: [
        ProofMissing, ProofMalformed, ProofMismatch, ProofExpired, ProofReplayed, ProofNonceNeeded
    ];
    /// The credential is not revoked.
    Revocation = "revocation" by Admission: [TokenRevoked, RevocationsStale, TokenLifetimeTooLong, ClaimMissing, ClaimsMalformed];
    /// The caller meets what the route asks, which is a finding with [parts](crate::explain::Finding::parts). Asked by `portcullis`, where routes and
    /// their requirements are, after all others.
    Requirement = "requirement" by Route: [
        ScopeMissing, RoleMissing, RequirementNotMet, AuthenticationTooOld, AuthenticationTooWeak, RequirementUndecided,
        ServiceMisconfigured, ClaimsMalformed, ClaimMissing
    ];
}

impl Check {
    /// What a JSON Web Token is asked, in order.
    pub(crate) fn of_jwt() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|check| check.asker() == Asker::Jwt)
    }

    /// The first check that may end with that code: for a verdict of an authenticator that names none.
    pub(crate) fn of(code: Code) -> Self {
        let may_end_with = |check: &Self| code.kind() != AuthErrorKind::Misconfigured && check.codes().contains(&code);
        Self::ALL.iter().copied().find(may_end_with).unwrap_or(Self::Proved)
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
