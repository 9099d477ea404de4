//! [`Code`]: the stable, machine-readable reasons.

use std::fmt;

/// The five answers to a refused request, and the two for our own faults.
///
/// The documentation of the `portcullis` crate has the HTTP status of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthErrorKind {
    /// The request presents no credential (RFC 6750 section 3.1: no error code is sent).
    NoCredential,
    /// The request cannot be understood: a malformed credential, or a second one.
    InvalidRequest,
    /// The token is malformed, forged, expired or for another service.
    InvalidToken,
    /// The token is valid, but does not permit this.
    InsufficientScope,
    /// The login behind the token is too old or too weak for this (RFC 9470).
    InsufficientAuthentication,
    /// We could not decide. Never answer this as a refusal, and never let the request pass.
    Unavailable,
    /// The service is misconfigured, for example a guard without a layer. The developer's fault, not the client's.
    Misconfigured,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $kind:ident, $description:literal;)+) => {
        /// Why a request was refused or could not be decided: one value per reason, with a stable name.
        ///
        /// [`Code::as_str`] goes to clients, logs and metrics and never changes its meaning. New codes may be added.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(usize)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Returns the stable name, in `snake_case`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Returns the kind of answer.
            pub const fn kind(self) -> AuthErrorKind {
                match self { $(Self::$variant => AuthErrorKind::$kind),+ }
            }

            /// Returns a short sentence that is safe to show to the client (RFC 6750 `error_description`).
            ///
            /// It depends only on the code, never on the token or the configuration.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => $description),+ }
            }
        }
    };
}

codes! {
    /// There is no credential where one is required.
    CredentialMissing = "credential_missing", NoCredential, "a bearer token is required";
    /// There is a credential, but its syntax is wrong (RFC 6750 section 2.1).
    CredentialMalformed = "credential_malformed", InvalidRequest, "the credential is malformed";
    /// There are several credentials in one request; using one of them would be a guess.
    CredentialRepeated = "credential_repeated", InvalidRequest, "the request has more than one credential";
    /// The credential matches none of the authenticators of a [`Dispatch`](crate::authenticator::Dispatch).
    CredentialKindUnknown = "credential_kind_unknown", InvalidToken, "this kind of credential is not accepted here";
    /// The token is longer than the limit (16 KiB, unless set otherwise). It was not decoded.
    TokenTooLong = "token_too_long", InvalidToken, "the token is too long";
    /// The token does not have three non-empty parts of strict base64url (RFC 7515 section 3.1).
    TokenMalformed = "token_malformed", InvalidToken, "the token is malformed";
    /// The header is not a JSON object with members of the right types, each at most once.
    HeaderMalformed = "header_malformed", InvalidToken, "the token's header is malformed";
    /// `alg` is unknown, or not allowed for this issuer (RFC 8725 section 3.1).
    AlgorithmNotAllowed = "algorithm_not_allowed", InvalidToken, "the token's algorithm is not allowed";
    /// `typ` names another kind of token (RFC 8725 section 3.11).
    TypeNotAccepted = "type_not_accepted", InvalidToken, "the token's type is not accepted here";
    /// `crit` or `b64` demands an extension that is not supported (RFC 7515 section 4.1.11, RFC 7797).
    ExtensionNotUnderstood = "extension_not_understood", InvalidToken, "the token needs an extension that is not understood";
    /// The claims are not a JSON object with members of the right types, each at most once.
    ClaimsMalformed = "claims_malformed", InvalidToken, "the token's claims are malformed";
    /// `iss` is missing or not on the list of trusted issuers.
    IssuerNotTrusted = "issuer_not_trusted", InvalidToken, "the token's issuer is not trusted here";
    /// No key with this id fits the algorithm.
    KeyUnknown = "key_unknown", InvalidToken, "the token's key is not known";
    /// More keys fit the token than we try; the issuer has to name the key with `kid`.
    KeyAmbiguous = "key_ambiguous", InvalidToken, "the token does not say which key signed it";
    /// The signature was not made with the expected key.
    SignatureInvalid = "signature_invalid", InvalidToken, "the token's signature is not valid";
    /// `aud` does not name this service.
    AudienceMismatch = "audience_mismatch", InvalidToken, "the token is meant for another service";
    /// A required claim is missing, or has another value than required.
    ClaimMissing = "claim_missing", InvalidToken, "the token lacks a required claim";
    /// `exp` has passed.
    TokenExpired = "token_expired", InvalidToken, "the token has expired";
    /// `nbf` is in the future.
    TokenNotYetValid = "token_not_yet_valid", InvalidToken, "the token is not valid yet";
    /// `iat` is in the future, because a clock is wrong or the token is forged.
    TokenIssuedInFuture = "token_issued_in_future", InvalidToken, "the token was issued in the future";
    /// `iat` is further in the past than the policy allows.
    TokenTooOld = "token_too_old", InvalidToken, "the token was issued too long ago";
    /// `exp - iat` is longer than the policy allows.
    TokenLifetimeTooLong = "token_lifetime_too_long", InvalidToken, "the token lives longer than is allowed here";
    /// The token, or its session, subject, client, key or issuer, was revoked.
    TokenRevoked = "token_revoked", InvalidToken, "the token has been revoked";
    /// Nothing is known about the credential where its issuer looks it up. It may have been forgotten after its end.
    CredentialUnknown = "credential_unknown", InvalidToken, "the credential is not known";
    /// A credential from which this one was derived was revoked, or has ended.
    CredentialRevokedByParent = "credential_revoked_by_parent", InvalidToken, "a token from which this one was derived has ended";
    /// The token is bound to a key (`cnf`, RFC 7800), and no proof of that key was checked.
    ProofMissing = "proof_missing", InvalidToken, "the token is bound to a key, and no proof of that key was given";
    /// The proof cannot be understood, or there are several (RFC 9449 section 4.3).
    ProofMalformed = "proof_malformed", InvalidToken, "the proof is malformed";
    /// The proof is not for this credential, this request or this key, or its signature is wrong.
    ProofMismatch = "proof_mismatch", InvalidToken, "the proof does not fit the request and its token";
    /// The proof was made too long ago, or in the future.
    ProofExpired = "proof_expired", InvalidToken, "the proof is too old, or from the future";
    /// The same proof was used before.
    ProofReplayed = "proof_replayed", InvalidToken, "the proof was used before";
    /// The proof lacks a current nonce (RFC 9449 section 9). The answer contains one, and the client should try again with it.
    ProofNonceNeeded = "proof_nonce_needed", InvalidToken, "the proof needs the nonce of this answer";
    /// The token may be used only from some networks, over some kinds of connection or at some times of day, and this request is another.
    ConditionNotMet = "condition_not_met", InvalidToken, "the token may not be used under these circumstances";
    /// The claims do not fit the application's own claims type.
    CustomClaimsMalformed = "custom_claims_malformed", InvalidToken, "the token's claims do not have the form that this service needs";
    /// A required scope was not granted.
    ScopeMissing = "scope_missing", InsufficientScope, "the token lacks a scope that this needs";
    /// A required role was not granted.
    RoleMissing = "role_missing", InsufficientScope, "the caller lacks a role that this needs";
    /// Another requirement of the route is not met.
    RequirementNotMet = "requirement_not_met", InsufficientScope, "the caller may not do this";
    /// The login is older than the route allows (RFC 9470 `max_age`).
    AuthenticationTooOld = "authentication_too_old", InsufficientAuthentication, "a more recent login is needed";
    /// The login was weaker than the route requires (RFC 9470 `acr_values`).
    AuthenticationTooWeak = "authentication_too_weak", InsufficientAuthentication, "a stronger login is needed";
    /// The issuer's keys are not available, or are too old to be used.
    KeysUnavailable = "keys_unavailable", Unavailable, "the keys to verify the token are temporarily unavailable";
    /// We could not find out whether the issuer is trusted (see [`Issuers::on_unknown`](crate::Issuers::on_unknown)).
    IssuerUnavailable = "issuer_unavailable", Unavailable, "whether the token's issuer is trusted is temporarily unknown";
    /// We do not know whether the token is revoked, because the view of the log is too old.
    RevocationsStale = "revocations_stale", Unavailable, "revocation status is temporarily unavailable";
    /// The store in which credentials are looked up, or the data about what their owners may do, cannot be reached.
    CredentialUndecided = "credential_undecided", Unavailable, "whether the credential is valid is temporarily unknown";
    /// The store of used proofs is full or cannot be reached, so that we do not know whether the proof was used before.
    ReplayUndecided = "replay_undecided", Unavailable, "whether the proof was used before is temporarily unknown";
    /// A requirement of the route could not be evaluated.
    RequirementUndecided = "requirement_undecided", Unavailable, "the permission check is temporarily unavailable";
    /// A route or a guard is misconfigured; the log says how.
    ServiceMisconfigured = "service_misconfigured", Misconfigured, "the service is misconfigured";
}

impl Code {
    /// Whether the credential may be good, but the request does not prove that the client holds its key.
    pub const fn is_about_proof(self) -> bool {
        matches!(
            self,
            Self::ProofMissing
                | Self::ProofMalformed
                | Self::ProofMismatch
                | Self::ProofExpired
                | Self::ProofReplayed
                | Self::ProofNonceNeeded
        )
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_snake_case() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(names.iter().all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
    }

    #[test]
    fn descriptions_can_stand_in_a_quoted_string() {
        // RFC 6750 section 3: %x20-21 / %x23-5B / %x5D-7E
        let fits = |b: u8| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        assert!(Code::ALL.iter().all(|code| code.description().bytes().all(fits)));
    }
}
