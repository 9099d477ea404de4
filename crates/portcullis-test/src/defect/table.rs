//! The list of defects.

use portcullis_core::Code;

use super::{Fault, audience, claims, encoding, forgery, header, issuer, kind, signature, times};

macro_rules! defects {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $code:ident, $fault:expr;)+) => {
        /// One defect of a token; the rest of the token, including the signature, is correct.
        ///
        /// Every service that accepts a correct token of the same issuer refuses each of these, whatever the issuer's algorithm. So a
        /// test of your service is a loop:
        ///
        /// ```
        /// use portcullis_core::authenticator::Attempt;
        /// use portcullis_test::{Defect, MockIssuer};
        ///
        /// let issuer = MockIssuer::new();
        /// let admission = issuer.admission(); // use your service here
        /// assert!(matches!(admission.verify(&issuer.token().sign()), Attempt::Done(Ok(_))));
        /// for defect in Defect::ALL {
        ///     let token = issuer.token().defect(*defect).sign();
        ///     let Attempt::Done(Err(refused)) = admission.verify(&token) else { panic!("accepted: {defect}") };
        ///     assert_eq!(refused.code(), defect.expected(), "{defect}");
        /// }
        /// ```
        ///
        /// Every token can be sent as an HTTP header value; over HTTP compare with
        /// [`expected_over_http`](Self::expected_over_http).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Defect {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Defect {
            /// Every defect, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Returns the name in `snake_case`, for test output.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Returns a sentence that says what is wrong.
            pub fn description(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_start()),+ }
            }

            /// Returns the code with which an authenticator refuses it.
            ///
            /// If an issuer has more than four keys of one algorithm, a token without a `kid` is refused with [`Code::KeyAmbiguous`]
            /// instead.
            pub const fn expected(self) -> Code {
                match self { $(Self::$variant => Code::$code),+ }
            }

            pub(crate) const fn fault(self) -> Fault {
                match self { $(Self::$variant => $fault),+ }
            }
        }
    };
}

defects! {
    // Signers and algorithms.
    /// `alg` is `none` and the signature is empty (RFC 7519 section 6).
    AlgNone = "alg_none", TokenMalformed, forgery::NONE;
    /// `alg` is `none`, but there is a signature.
    AlgNoneSigned = "alg_none_signed", AlgorithmNotAllowed, forgery::NONE_SIGNED;
    /// `alg` is `nOnE`, which gets past a check for exactly `none`.
    AlgNoneMixedCase = "alg_none_mixed_case", AlgorithmNotAllowed, forgery::NONE_MIXED_CASE;
    /// `alg` is not the algorithm that the key is bound to, and neither is the signature's; it is made with the same key if possible
    /// (RSA, secrets).
    AlgSwapped = "alg_swapped", KeyUnknown, forgery::SWAPPED;
    /// `alg` and the signature are of another family of keys; `kid` stays.
    AlgOfOtherFamily = "alg_of_other_family", KeyUnknown, forgery::OTHER_FAMILY;
    /// `alg` is an HMAC, keyed with the public key's PEM text (for issuers with a secret: with an unrelated public key's text).
    HmacWithPublicPem = "hmac_with_public_pem", KeyUnknown, forgery::HMAC_WITH_PEM;
    /// `alg` is an HMAC, keyed with the public key's PEM text without the line break at its end.
    HmacWithTrimmedPublicPem = "hmac_with_trimmed_public_pem", KeyUnknown, forgery::HMAC_WITH_TRIMMED_PEM;
    /// `alg` is an HMAC, keyed with the public key's DER bytes.
    HmacWithPublicDer = "hmac_with_public_der", KeyUnknown, forgery::HMAC_WITH_DER;
    /// `alg` is an HMAC, keyed with the public key's JWK text.
    HmacWithPublicJwk = "hmac_with_public_jwk", KeyUnknown, forgery::HMAC_WITH_JWK;
    /// `alg` is an HMAC, keyed with the empty string.
    HmacWithEmptySecret = "hmac_with_empty_secret", KeyUnknown, forgery::HMAC_WITH_NOTHING;
    /// Signed by another key of the same kind, under the issuer's `kid`.
    WrongKey = "wrong_key", SignatureInvalid, forgery::WRONG_KEY;
    /// Signed by another key of the same kind, without a `kid`.
    WrongKeyWithoutKid = "wrong_key_without_kid", SignatureInvalid, forgery::WRONG_KEY_WITHOUT_KID;
    /// Signed by another key of the same kind, under its own `kid`.
    WrongKeyWithItsKid = "wrong_key_with_its_kid", KeyUnknown, forgery::WRONG_KEY_WITH_ITS_KID;
    /// Signed by the attacker's key, which is embedded in the header as `jwk` (RFC 8725 section 3.10); no `kid`.
    EmbeddedJwk = "embedded_jwk", SignatureInvalid, forgery::EMBEDDED_JWK;
    /// Signed by the attacker's key, which is embedded in the header as `jwk`, under its `kid`.
    EmbeddedJwkWithItsKid = "embedded_jwk_with_its_kid", KeyUnknown, forgery::EMBEDDED_JWK_WITH_ITS_KID;
    /// Signed by the attacker's key, to whose key set `jku` points.
    JkuOfAttacker = "jku_of_attacker", KeyUnknown, forgery::JKU;
    /// Signed by the attacker's key, to whose certificates `x5u` points.
    X5uOfAttacker = "x5u_of_attacker", KeyUnknown, forgery::X5U;
    /// Signed by the attacker's key, which is in `x5c` in place of a certificate chain; the issuer's `kid`.
    X5cOfAttacker = "x5c_of_attacker", SignatureInvalid, forgery::X5C;

    // The signature.
    /// One bit of the signature is flipped.
    SignatureFlipped = "signature_flipped", SignatureInvalid, signature::FLIPPED;
    /// The second half of the signature is missing.
    SignatureTruncated = "signature_truncated", SignatureInvalid, signature::TRUNCATED;
    /// The signature is one zero byte longer.
    SignatureExtended = "signature_extended", SignatureInvalid, signature::EXTENDED;
    /// The signature is repeated.
    SignatureDoubled = "signature_doubled", SignatureInvalid, signature::DOUBLED;
    /// The signature consists of zeros (CVE-2022-21449).
    SignatureZero = "signature_zero", SignatureInvalid, signature::ZERO;
    /// The signature is empty.
    SignatureEmpty = "signature_empty", TokenMalformed, signature::EMPTY;
    /// The signature is longer than that of any key.
    SignatureHuge = "signature_huge", TokenMalformed, signature::HUGE;
    /// The signature was made by the same key, but for another token.
    SignatureOfOtherToken = "signature_of_other_token", SignatureInvalid, signature::OF_OTHER_TOKEN;
    /// The header was changed after signing.
    HeaderTampered = "header_tampered", SignatureInvalid, signature::HEADER_TAMPERED;
    /// The claims were changed after signing.
    ClaimsTampered = "claims_tampered", SignatureInvalid, signature::CLAIMS_TAMPERED;

    // Parts and their encoding.
    /// Only the header is present.
    PartsOne = "parts_one", TokenMalformed, encoding::ONE_PART;
    /// The last dot and the signature are missing.
    PartsTwo = "parts_two", TokenMalformed, encoding::TWO_PARTS;
    /// A fourth part follows.
    PartsFour = "parts_four", TokenMalformed, encoding::FOUR_PARTS;
    /// The token has five parts, like an encrypted token (RFC 7516).
    PartsFive = "parts_five", TokenMalformed, encoding::FIVE_PARTS;
    /// The header is empty.
    HeaderEmpty = "header_empty", TokenMalformed, encoding::NO_HEADER;
    /// The claims are empty: a detached payload (RFC 7515 appendix F).
    ClaimsDetached = "claims_detached", TokenMalformed, encoding::NO_CLAIMS;
    /// The token has the flattened JSON form instead of the compact one (RFC 7515 section 7.2.2).
    JsonSerialization = "json_serialization", TokenMalformed, encoding::JSON_FORM;
    /// The header is padded with `=`.
    HeaderPadded = "header_padded", TokenMalformed, encoding::HEADER_PADDED;
    /// The claims are padded with `=`.
    ClaimsPadded = "claims_padded", TokenMalformed, encoding::CLAIMS_PADDED;
    /// The signature is padded with `=`.
    SignaturePadded = "signature_padded", TokenMalformed, encoding::SIGNATURE_PADDED;
    /// The claims are written in the standard alphabet, with `+` and `/`.
    ClaimsStandardAlphabet = "claims_standard_alphabet", TokenMalformed, encoding::CLAIMS_STANDARD_ALPHABET;
    /// A space is inside the claims.
    ClaimsWhiteSpace = "claims_white_space", TokenMalformed, encoding::CLAIMS_WHITE_SPACE;
    /// The header's last character has bits beyond the last byte: a second spelling (RFC 4648 section 3.5).
    HeaderTrailingBits = "header_trailing_bits", TokenMalformed, encoding::HEADER_TRAILING_BITS;
    /// The claims' last character has bits beyond the last byte.
    ClaimsTrailingBits = "claims_trailing_bits", TokenMalformed, encoding::CLAIMS_TRAILING_BITS;
    /// The signature's last character has bits beyond the last byte; if its length has no spare bits, it has one more character.
    SignatureTrailingBits = "signature_trailing_bits", TokenMalformed, encoding::SIGNATURE_TRAILING_BITS;
    /// The token is longer than 16 KiB, the default limit.
    TokenTooLong = "token_too_long", TokenTooLong, encoding::TOO_LONG;

    // The header.
    /// `alg` is missing.
    AlgMissing = "alg_missing", HeaderMalformed, header::ALG_MISSING;
    /// `alg` is a number.
    AlgNumber = "alg_number", HeaderMalformed, header::ALG_NUMBER;
    /// `alg` is an array that contains the right name.
    AlgArray = "alg_array", HeaderMalformed, header::ALG_ARRAY;
    /// `alg` is empty.
    AlgEmpty = "alg_empty", AlgorithmNotAllowed, header::ALG_EMPTY;
    /// `alg` is the right name in other case.
    AlgOtherCase = "alg_other_case", AlgorithmNotAllowed, header::ALG_OTHER_CASE;
    /// `alg` is an algorithm with SHA-1.
    AlgSha1 = "alg_sha1", AlgorithmNotAllowed, header::ALG_SHA1;
    /// The header is an array of the right values, which a decoder that reads by position takes for an object.
    HeaderArray = "header_array", HeaderMalformed, header::ARRAY;
    /// The header is not JSON.
    HeaderNotJson = "header_not_json", HeaderMalformed, header::NOT_JSON;
    /// Another object follows the header.
    HeaderTrailingGarbage = "header_trailing_garbage", HeaderMalformed, header::TRAILING_GARBAGE;
    /// The header starts with a byte order mark.
    HeaderByteOrderMark = "header_byte_order_mark", HeaderMalformed, header::BYTE_ORDER_MARK;
    /// The header is not UTF-8.
    HeaderInvalidUtf8 = "header_invalid_utf8", HeaderMalformed, header::INVALID_UTF8;
    /// `alg` is repeated: `none`, then the right one.
    HeaderDuplicateAlg = "header_duplicate_alg", HeaderMalformed, header::DUPLICATE_ALG;
    /// `alg` is repeated, once with its first letter escaped.
    HeaderDuplicateEscaped = "header_duplicate_escaped", HeaderMalformed, header::DUPLICATE_ESCAPED;
    /// An unknown member is repeated.
    HeaderDuplicateUnknown = "header_duplicate_unknown", HeaderMalformed, header::DUPLICATE_UNKNOWN;
    /// A member inside an unknown member is repeated.
    HeaderNestedDuplicate = "header_nested_duplicate", HeaderMalformed, header::NESTED_DUPLICATE;
    /// The header nests 64 levels deep.
    HeaderTooDeep = "header_too_deep", HeaderMalformed, header::TOO_DEEP;
    /// `kid` names a key that does not exist.
    KidUnknown = "kid_unknown", KeyUnknown, header::KID_UNKNOWN;
    /// `kid` is empty.
    KidEmpty = "kid_empty", KeyUnknown, header::KID_EMPTY;
    /// `kid` is the right one followed by a space.
    KidWithSpace = "kid_with_space", KeyUnknown, header::KID_WITH_SPACE;
    /// `kid` is the right one followed by a NUL character.
    KidWithNul = "kid_with_nul", KeyUnknown, header::KID_WITH_NUL;
    /// `kid` is a path that leads out of a folder of keys.
    KidPathTraversal = "kid_path_traversal", KeyUnknown, header::KID_PATH_TRAVERSAL;
    /// `kid` breaks out of an SQL string.
    KidSqlInjection = "kid_sql_injection", KeyUnknown, header::KID_SQL_INJECTION;
    /// `kid` is a URL of the attacker.
    KidUrl = "kid_url", KeyUnknown, header::KID_URL;
    /// `kid` is a number.
    KidNumber = "kid_number", HeaderMalformed, header::KID_NUMBER;
    /// `kid` is `null`.
    KidNull = "kid_null", HeaderMalformed, header::KID_NULL;
    /// `kid` has 513 bytes.
    KidTooLong = "kid_too_long", HeaderMalformed, header::KID_TOO_LONG;

    // Kinds of tokens.
    /// `crit` names a registered claim (RFC 7515 section 4.1.11).
    CritKnownName = "crit_known_name", ExtensionNotUnderstood, kind::CRIT_KNOWN_NAME;
    /// `crit` names an extension that does not exist.
    CritUnknownName = "crit_unknown_name", ExtensionNotUnderstood, kind::CRIT_UNKNOWN_NAME;
    /// `crit` is an empty array.
    CritEmpty = "crit_empty", ExtensionNotUnderstood, kind::CRIT_EMPTY;
    /// `crit` is `null`.
    CritNull = "crit_null", ExtensionNotUnderstood, kind::CRIT_NULL;
    /// `b64` is `true` and critical (RFC 7797), which changes nothing but has to be understood.
    CritB64 = "crit_b64", ExtensionNotUnderstood, kind::CRIT_B64;
    /// `b64` is `false`, without `crit` (RFC 7797 section 6 requires it).
    B64False = "b64_false", ExtensionNotUnderstood, kind::B64_FALSE;
    /// `b64` is a string.
    B64String = "b64_string", HeaderMalformed, kind::B64_STRING;
    /// `typ` is that of a DPoP proof (RFC 9449).
    TypDpop = "typ_dpop", TypeNotAccepted, kind::TYP_DPOP;
    /// `typ` is that of a logout token (OpenID Connect Back-Channel Logout).
    TypLogout = "typ_logout", TypeNotAccepted, kind::TYP_LOGOUT;
    /// `typ` is that of a security event (RFC 8417).
    TypSecurityEvent = "typ_security_event", TypeNotAccepted, kind::TYP_SECURITY_EVENT;
    /// `typ` is that of a status list.
    TypStatusList = "typ_status_list", TypeNotAccepted, kind::TYP_STATUS_LIST;
    /// `typ` is the one that some issuers use for ID tokens.
    TypIdToken = "typ_id_token", TypeNotAccepted, kind::TYP_ID_TOKEN;
    /// `typ` is that of a refresh token.
    TypRefreshToken = "typ_refresh_token", TypeNotAccepted, kind::TYP_REFRESH_TOKEN;
    /// `typ` is that of an authorization request (RFC 9101).
    TypAuthorizationRequest = "typ_authorization_request", TypeNotAccepted, kind::TYP_AUTHORIZATION_REQUEST;
    /// `typ` is that of an introspection answer (RFC 9701).
    TypIntrospection = "typ_introspection", TypeNotAccepted, kind::TYP_INTROSPECTION;
    /// `typ` is that of a client's assertion (RFC 7523).
    TypClientAuthentication = "typ_client_authentication", TypeNotAccepted, kind::TYP_CLIENT_AUTHENTICATION;
    /// `typ` is empty.
    TypEmpty = "typ_empty", TypeNotAccepted, kind::TYP_EMPTY;
    /// `typ` is `null`.
    TypNull = "typ_null", HeaderMalformed, kind::TYP_NULL;
    /// `typ` is an array that contains the right name.
    TypArray = "typ_array", HeaderMalformed, kind::TYP_ARRAY;

    // The claims.
    /// The claims are not JSON.
    ClaimsNotJson = "claims_not_json", ClaimsMalformed, claims::NOT_JSON;
    /// The claims are an array of the right values.
    ClaimsArray = "claims_array", ClaimsMalformed, claims::ARRAY;
    /// The claims are a JSON string that contains the right object.
    ClaimsString = "claims_string", ClaimsMalformed, claims::STRING;
    /// The claims are `null`.
    ClaimsNull = "claims_null", ClaimsMalformed, claims::NULL;
    /// The claims are a valid token (RFC 7519 section 5.2).
    ClaimsNested = "claims_nested", ClaimsMalformed, claims::NESTED_TOKEN;
    /// Another object follows the claims.
    ClaimsTrailingGarbage = "claims_trailing_garbage", ClaimsMalformed, claims::TRAILING_GARBAGE;
    /// The claims start with a byte order mark.
    ClaimsByteOrderMark = "claims_byte_order_mark", ClaimsMalformed, claims::BYTE_ORDER_MARK;
    /// The claims are not UTF-8.
    ClaimsInvalidUtf8 = "claims_invalid_utf8", ClaimsMalformed, claims::INVALID_UTF8;
    /// A string in the claims contains half a surrogate pair.
    ClaimsLoneSurrogate = "claims_lone_surrogate", ClaimsMalformed, claims::LONE_SURROGATE;
    /// `sub` is repeated.
    ClaimsDuplicateSub = "claims_duplicate_sub", ClaimsMalformed, claims::DUPLICATE_SUB;
    /// `exp` is repeated: long past, then the right one.
    ClaimsDuplicateExp = "claims_duplicate_exp", ClaimsMalformed, claims::DUPLICATE_EXP;
    /// `sub` is repeated, once with its first letter escaped.
    ClaimsDuplicateEscaped = "claims_duplicate_escaped", ClaimsMalformed, claims::DUPLICATE_ESCAPED;
    /// An unknown claim is repeated.
    ClaimsDuplicateUnknown = "claims_duplicate_unknown", ClaimsMalformed, claims::DUPLICATE_UNKNOWN;
    /// A member inside a claim is repeated.
    ClaimsNestedDuplicate = "claims_nested_duplicate", ClaimsMalformed, claims::NESTED_DUPLICATE;
    /// The claims nest 64 levels deep.
    ClaimsTooDeep = "claims_too_deep", ClaimsMalformed, claims::TOO_DEEP;
    /// `scope` nests 64 levels deep.
    ScopeTooDeep = "scope_too_deep", ClaimsMalformed, claims::SCOPE_TOO_DEEP;
    /// `scp` nests 64 levels deep.
    ScpTooDeep = "scp_too_deep", ClaimsMalformed, claims::SCP_TOO_DEEP;
    /// A claim has a member with a name that serde_json takes for a number.
    ClaimsPretendedNumber = "claims_pretended_number", ClaimsMalformed, claims::PRETENDED_NUMBER;
    /// `sub` is a number.
    SubNumber = "sub_number", ClaimsMalformed, claims::SUB_NUMBER;
    /// `sub` is `null`.
    SubNull = "sub_null", ClaimsMalformed, claims::SUB_NULL;
    /// `sub` is an array that contains the right subject.
    SubArray = "sub_array", ClaimsMalformed, claims::SUB_ARRAY;
    /// `cnf` binds the token to a key by its JWK thumbprint (RFC 9449 section 6.1), and no proof is sent with it.
    CnfJkt = "cnf_jkt", ProofMissing, claims::CNF_JKT;
    /// `cnf` binds the token to a client certificate (RFC 8705 section 3.1), and no proof is sent with it.
    CnfCertificate = "cnf_certificate", ProofMissing, claims::CNF_CERTIFICATE;
    /// `cnf` is `null`, which names no key.
    CnfNull = "cnf_null", ProofMissing, claims::CNF_NULL;

    // Times.
    /// `exp` is missing.
    ExpMissing = "exp_missing", ClaimMissing, times::EXP_MISSING;
    /// `exp` was an hour ago.
    Expired = "expired", TokenExpired, times::EXPIRED;
    /// `exp` is 0.
    ExpZero = "exp_zero", TokenExpired, times::EXP_ZERO;
    /// `exp` is the right number as a string.
    ExpString = "exp_string", ClaimsMalformed, times::EXP_STRING;
    /// `exp` is `null`.
    ExpNull = "exp_null", ClaimsMalformed, times::EXP_NULL;
    /// `exp` is `true`.
    ExpBoolean = "exp_boolean", ClaimsMalformed, times::EXP_BOOLEAN;
    /// `exp` is an array that contains the right number.
    ExpArray = "exp_array", ClaimsMalformed, times::EXP_ARRAY;
    /// `exp` is negative.
    ExpNegative = "exp_negative", ClaimsMalformed, times::EXP_NEGATIVE;
    /// `exp` is in milliseconds.
    ExpMilliseconds = "exp_milliseconds", ClaimsMalformed, times::EXP_MILLISECONDS;
    /// `exp` is 2^64 - 1.
    ExpHuge = "exp_huge", ClaimsMalformed, times::EXP_HUGE;
    /// `exp` is 10^300.
    ExpHugeFloat = "exp_huge_float", ClaimsMalformed, times::EXP_HUGE_FLOAT;
    /// `exp` is 10^999, which many parsers read as infinity.
    ExpInfinite = "exp_infinite", ClaimsMalformed, times::EXP_INFINITE;
    /// `nbf` is in an hour.
    NbfFuture = "nbf_future", TokenNotYetValid, times::NBF_FUTURE;
    /// `nbf` is a string.
    NbfString = "nbf_string", ClaimsMalformed, times::NBF_STRING;
    /// `nbf` is `null`.
    NbfNull = "nbf_null", ClaimsMalformed, times::NBF_NULL;
    /// `iat` is in an hour.
    IatFuture = "iat_future", TokenIssuedInFuture, times::IAT_FUTURE;
    /// `iat` is a string.
    IatString = "iat_string", ClaimsMalformed, times::IAT_STRING;
    /// `iat` is negative.
    IatNegative = "iat_negative", ClaimsMalformed, times::IAT_NEGATIVE;

    // The issuer.
    /// `iss` is missing.
    IssMissing = "iss_missing", IssuerNotTrusted, issuer::MISSING;
    /// `iss` is another issuer.
    IssOther = "iss_other", IssuerNotTrusted, issuer::OTHER;
    /// `iss` is empty.
    IssEmpty = "iss_empty", IssuerNotTrusted, issuer::EMPTY;
    /// `iss` has an additional slash at its end, or lacks one.
    IssTrailingSlash = "iss_trailing_slash", IssuerNotTrusted, issuer::TRAILING_SLASH;
    /// `iss` is the right one in other case.
    IssOtherCase = "iss_other_case", IssuerNotTrusted, issuer::OTHER_CASE;
    /// `iss` begins with the right one: a domain of the attacker.
    IssLonger = "iss_longer", IssuerNotTrusted, issuer::LONGER;
    /// `iss` is an array that contains the right one.
    IssArray = "iss_array", ClaimsMalformed, issuer::ARRAY;
    /// `iss` is a number.
    IssNumber = "iss_number", ClaimsMalformed, issuer::NUMBER;
    /// `iss` is `null`.
    IssNull = "iss_null", ClaimsMalformed, issuer::NULL;

    // The audience.
    /// `aud` is missing.
    AudMissing = "aud_missing", ClaimMissing, audience::MISSING;
    /// `aud` is another service.
    AudOther = "aud_other", AudienceMismatch, audience::OTHER;
    /// `aud` is empty.
    AudEmpty = "aud_empty", AudienceMismatch, audience::EMPTY;
    /// `aud` is an empty array.
    AudEmptyArray = "aud_empty_array", AudienceMismatch, audience::EMPTY_ARRAY;
    /// `aud` is the right one in other case.
    AudOtherCase = "aud_other_case", AudienceMismatch, audience::OTHER_CASE;
    /// `aud` begins with the right one.
    AudLonger = "aud_longer", AudienceMismatch, audience::LONGER;
    /// `aud` is a list separated by spaces that contains the right one.
    AudDelimited = "aud_delimited", AudienceMismatch, audience::DELIMITED;
    /// `aud` is a number.
    AudNumber = "aud_number", ClaimsMalformed, audience::NUMBER;
    /// `aud` is `null`.
    AudNull = "aud_null", ClaimsMalformed, audience::NULL;
    /// `aud` is an object that has the right one as a member's name.
    AudObject = "aud_object", ClaimsMalformed, audience::OBJECT;
    /// `aud` is an array within an array.
    AudNested = "aud_nested", ClaimsMalformed, audience::NESTED;
    /// `aud` is an array that contains the right one and a number.
    AudMixedArray = "aud_mixed_array", ClaimsMalformed, audience::MIXED_ARRAY;
}
