//! [`Check`]: the names of the checks that a credential has to pass, and the codes with which each can end.

use std::fmt;

use crate::{Code, error::AuthErrorKind};

macro_rules! checks {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal by $asker:ident: [$($code:ident),*];)+) => {
        /// One check of a credential. The variants are in the order in which a JSON Web Token is checked.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Check {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Check {
            /// Every check, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Returns the stable name, in `snake_case`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Returns the codes with which the check can refuse a credential or report that it cannot decide. Empty for [`Check::Proved`],
            /// which can end with any code.
            pub const fn codes(self) -> &'static [Code] {
                match self { $(Self::$variant => &[$(Code::$code),*]),+ }
            }

            const fn asker(self) -> Asker {
                match self { $(Self::$variant => Asker::$asker),+ }
            }
        }
    };
}

/// The part of the program that makes the check.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asker {
    /// The admission checks every credential.
    Admission,
    /// The authenticator for JSON Web Tokens checks each token.
    Jwt,
    /// An authenticator that looks credentials up checks each.
    Store,
    /// A route checks callers that the admission has admitted.
    Route,
}

checks! {
    /// The bytes have the syntax of a credential (RFC 6750 section 2.1).
    Form = "form" by Admission: [CredentialMalformed, CredentialMissing, CredentialRepeated, ServiceMisconfigured];
    /// A branch of a [`Dispatch`](crate::authenticator::Dispatch) accepts credentials that look like this one. `expected` names the chosen
    /// branch.
    Kind = "kind" by Admission: [CredentialKindUnknown];
    /// An authenticator that does not report single checks has verified the credential. It can end with any code.
    Proved = "proved" by Admission: [];
    /// The token is not longer than the limit.
    Length = "length" by Jwt: [TokenTooLong];
    /// The token has three non-empty parts of strict base64url.
    Shape = "shape" by Jwt: [TokenMalformed];
    /// The header is a strict JSON object.
    Header = "header" by Jwt: [HeaderMalformed];
    /// The header demands no extension.
    Extensions = "extensions" by Jwt: [ExtensionNotUnderstood];
    /// The claims are a strict JSON object, and each has the right type.
    Claims = "claims" by Jwt: [ClaimsMalformed, TokenMalformed];
    /// `iss` is one of the trusted issuers.
    Issuer = "issuer" by Jwt: [IssuerNotTrusted, IssuerUnavailable, ServiceMisconfigured];
    /// `typ` is accepted.
    Type = "type" by Jwt: [TypeNotAccepted];
    /// `alg` is allowed.
    Algorithm = "algorithm" by Jwt: [AlgorithmNotAllowed];
    /// The issuer has a key that may have signed the token.
    Key = "key" by Jwt: [KeyUnknown, KeyAmbiguous, KeysUnavailable, ServiceMisconfigured];
    /// One of these keys has signed the token.
    Signature = "signature" by Jwt: [SignatureInvalid, TokenMalformed];
    /// `aud` names this service.
    Audience = "audience" by Jwt: [AudienceMismatch, ClaimMissing];
    /// `exp` is present and in the future.
    Expiry = "expiry" by Jwt: [TokenExpired, ClaimMissing];
    /// `nbf` is not in the future.
    NotBefore = "not_before" by Jwt: [TokenNotYetValid];
    /// `iat` is not in the future.
    IssuedAt = "issued_at" by Jwt: [TokenIssuedInFuture];
    /// The token is not too old, and its lifetime is not too long.
    Age = "age" by Jwt: [TokenTooOld, TokenLifetimeTooLong, ClaimMissing];
    /// The claims that the issuer's profile requires are present.
    Profile = "profile" by Jwt: [ClaimMissing, ClaimsMalformed];
    /// The token is not bound to a key, or a proof of that key is checked too.
    Binding = "binding" by Jwt: [ProofMissing];
    /// The claims that this service requires are present, and the token is of the right kind.
    Required = "required" by Jwt: [ClaimMissing, TypeNotAccepted];
    /// The claims fit the application's own claims type.
    Custom = "custom" by Jwt: [CustomClaimsMalformed];
    /// The request contains the proof that the credential needs.
    Proof = "proof" by Admission: [
        ProofMissing, ProofMalformed, ProofMismatch, ProofExpired, ProofReplayed, ProofNonceNeeded,
        ReplayUndecided, ServiceMisconfigured
    ];
    /// The credential is not revoked.
    Revocation = "revocation" by Admission: [
        TokenRevoked, CredentialRevokedByParent, RevocationsStale, TokenLifetimeTooLong, ClaimMissing, ClaimsMalformed
    ];
    /// The issuer's store knows the credential, which is neither over nor revoked. (Of credentials that are looked up, not of JSON Web Tokens.)
    Known = "known" by Store: [CredentialUnknown, TokenExpired, TokenRevoked, CredentialUndecided];
    /// The same is true for those from which it was derived.
    Ancestors = "ancestors" by Store: [CredentialRevokedByParent, CredentialUndecided];
    /// Its owner still exists, and what the owner may do is known.
    Owner = "owner" by Store: [TokenRevoked, CredentialUndecided];
    /// The request comes from a network, over a kind of connection and at a time of day that the credential allows.
    Conditions = "conditions" by Store: [ConditionNotMet];
    /// The caller meets the route's requirement; the finding has [parts](crate::explain::Finding::parts). `portcullis`, the crate with routes
    /// and requirements, makes this check after all others.
    Requirement = "requirement" by Route: [
        ScopeMissing, RoleMissing, RequirementNotMet, AuthenticationTooOld, AuthenticationTooWeak, RequirementUndecided,
        ServiceMisconfigured, ClaimsMalformed, ClaimMissing
    ];
}

impl Check {
    /// Returns the checks of the authenticator for JSON Web Tokens, in order.
    pub(crate) fn of_jwt() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|check| check.asker() == Asker::Jwt)
    }

    /// Returns the first check that can end with that code, for an authenticator that does not report single checks.
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
    fn names_are_unique() {
        let mut names: Vec<_> = Check::ALL.iter().map(|check| check.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Check::ALL.len());
    }
}
