//! Tests inputs from the field that caused problems: configured keys. Each test is named after its row.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use aws_lc_rs::{
    encoding::{AsDer, EcPrivateKeyRfc5915Der, Pkcs8V1Der, PublicKeyX509Der},
    rsa::KeySize,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RsaKeyPair},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use portcullis_core::{
    Admission, Algorithm, Code, JwtAuthenticator, KeyRing, KeySet, Secret, TrustedIssuer, UnixTime,
    keys::{
        AlgorithmSet, KeyError, KeyErrorKind, KeyHint, KeyMatch, KeySource, KeySourceError, KeySourceErrorKind,
        Resolved, SecretAndPublic, VerifyingKey,
    },
};
use portcullis_test::MockIssuer;

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn p256() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()
}

fn spki<'a>(key: &impl AsDer<PublicKeyX509Der<'a>>) -> Vec<u8> {
    key.as_der().unwrap().as_ref().to_vec()
}

fn jwk(pair: &EcdsaKeyPair, more: &str) -> String {
    let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
    let [x, y] = [x, y].map(|octets| URL_SAFE_NO_PAD.encode(octets));
    format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"{more}}}"#)
}

/// A made-up certificate, because only its encoding matters.
fn certificate(spki: &[u8]) -> Vec<u8> {
    let tlv = |tag: u8, content: &[u8]| {
        let len = u8::try_from(content.len()).unwrap();
        let head = if len < 0x80 { vec![tag, len] } else { vec![tag, 0x81, len] };
        [&head, content].concat()
    };
    let algorithm = [0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
    let tbs = tlv(0x30, &[&[0xa0, 3, 2, 1, 2, 2, 1, 7][..], &algorithm, spki].concat());
    tlv(0x30, &[&tbs[..], &algorithm, &tlv(0x03, &[0; 71])].concat())
}

fn ssh_blob() -> Vec<u8> {
    [&b"\0\0\0\x07ssh-rsa\0\0\0\x03\x01\0\x01\0\0\x01\x01"[..], &[7; 257]].concat()
}

/// Tries every constructor of a secret.
fn as_secret(octets: &[u8]) -> Vec<Result<(), KeyError>> {
    let k = URL_SAFE_NO_PAD.encode(octets);
    let jwks = format!(r#"{{"keys":[{{"kty":"oct","kid":"k","alg":"HS256","k":"{k}"}}]}}"#);
    let jwks = KeySet::from_jwks_with_secrets(&jwks).map(drop);
    let jwks = jwks.map_err(|error| error.problems()[0].reason().clone());
    let by_text =
        std::str::from_utf8(octets).ok().map(|text| Secret::from_base64("k", Algorithm::Hs256, text).map(drop));
    let by_octets = [
        Secret::new("k", Algorithm::Hs256, octets).map(drop),
        Secret::from_base64("k", Algorithm::Hs256, &STANDARD.encode(octets)).map(drop),
        Secret::from_base64("k", Algorithm::Hs256, &k).map(drop),
        jwks,
    ];
    by_octets.into_iter().chain(by_text).collect()
}

fn refused(what: &str, octets: &[u8]) {
    for (way, outcome) in as_secret(octets).into_iter().enumerate() {
        assert!(outcome.is_err(), "{what}, way {way}");
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::NotASecret, "{what}, way {way}: {error}");
    }
}

#[test]
fn row_p_key_material_of_another_kind_is_no_secret() {
    let pair = p256();
    let public = spki(pair.public_key());
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let p384 = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    let ed25519 = aws_lc_rs::signature::Ed25519KeyPair::generate().unwrap();
    let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&rsa).unwrap().as_ref().to_vec();
    let sec1 = AsDer::<EcPrivateKeyRfc5915Der<'_>>::as_der(&pair.private_key()).unwrap().as_ref().to_vec();
    for (what, octets) in [
        ("SPKI", public.clone()),
        ("RSA SPKI", spki(rsa.public_key())),
        ("Ed25519 SPKI", spki(ed25519.public_key())),
        ("PKCS #1", rsa.public_key().as_ref().to_vec()),
        ("PKCS #8", pkcs8.clone()),
        ("SEC 1", sec1),
        ("a certificate", certificate(&public)),
        ("a point", pair.public_key().as_ref().to_vec()),
        ("a point on P-384", p384.public_key().as_ref().to_vec()),
        ("the SSH wire form", ssh_blob()),
    ] {
        refused(what, &octets);
        refused(&format!("{what} as PEM"), pem("PUBLIC KEY", &octets).as_bytes());
    }
}

#[test]
fn row_p_texts_of_keys_are_no_secrets() {
    let pair = p256();
    let public = spki(pair.public_key());
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&rsa).unwrap().as_ref().to_vec();
    let ssh_line = format!("ssh-rsa {} me@host", STANDARD.encode(ssh_blob()));
    let openssh =
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU=\n-----END OPENSSH PRIVATE KEY-----\n";
    for text in [
        pem("CERTIFICATE", &certificate(&public)),
        pem("RSA PUBLIC KEY", rsa.public_key().as_ref()),
        pem("PRIVATE KEY", &pkcs8),
        openssh.to_owned(),
        "---- BEGIN SSH2 PUBLIC KEY ----\nAAAAB3NzaC1yc2E=\n---- END SSH2 PUBLIC KEY ----".to_owned(),
        format!("no-pty,command=\"x\" {ssh_line}"),
        format!("ssh-ed25519 {} me", STANDARD.encode([&b"\0\0\0\x0bssh-ed25519\0\0\0\x20"[..], &[9; 32]].concat())),
        ssh_line,
        jwk(&pair, ""),
        format!("{{\"keys\":[{}]}}", jwk(&pair, "")),
        format!("[{}]", jwk(&pair, "")),
        jwk(&pair, "").replace("\"kty\"", "\"\\u006bty\""),
        r#"{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#.to_owned(),
    ] {
        refused(&text, text.as_bytes());
    }
}

fn hexadecimal(octets: &[u8], between: &str) -> String {
    let digits: Vec<_> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    digits.join(between)
}

#[test]
fn row_p_a_public_key_is_recognised_however_it_is_wrapped() {
    let public = spki(p256().public_key());
    let text = pem("PUBLIC KEY", &public);
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.bytes().flat_map(|byte| [byte, 0])).collect();
    refused("UTF-16", &utf16);
    for text in [
        text.trim_end().to_owned(),
        format!("\u{feff} \n\t{text}"),
        format!("# my key\r\n{}", text.replace('\n', "\r\n")),
        text.replace('\n', " "),
        text.replace('\n', "\\n"),
        format!("\"{}\"", text.replace('\n', "\\n")),
        STANDARD.encode(&text),
        format!("\u{feff}{}\n", STANDARD.encode(&text)),
        STANDARD.encode(STANDARD.encode(&public)),
        hexadecimal(&public, ""),
        hexadecimal(&public, ":").to_uppercase(),
        text.replace('\n', "%0A").replace(' ', "%20"),
        STANDARD.encode(&public).as_bytes().chunks(20).map(|line| String::from_utf8_lossy(line) + "\n").collect(),
    ] {
        refused(&text, text.as_bytes());
    }
}

#[test]
fn row_p_the_message_says_what_it_is_and_where_it_belongs() {
    let text = pem("PUBLIC KEY", &spki(p256().public_key()));
    let message = Secret::new("k", Algorithm::Hs256, text.as_bytes()).unwrap_err().to_string();
    assert!(message.starts_with("this is a PEM public key: use `VerifyingKey::from_pem`"), "{message}");
    assert!(!message.contains(&text[30..50]));
}

#[test]
fn row_p_random_octets_and_passphrases_stay_secrets() {
    let mut random = [0; 48];
    for _ in 0..300 {
        aws_lc_rs::rand::fill(&mut random).unwrap();
        assert!(as_secret(&random).into_iter().take(4).all(|outcome| outcome.is_ok()), "{random:02x?}");
    }
    // These look like the beginning of a sequence, of a point and of an SSH key, but are none.
    for like in
        [&[0x30, 46, 0x30, 0x10][..], &[0x30, 46, 2, 1], &[4], &[0, 0, 0, 7, b's', b's', b'h'], b"{\"", b"-----BEGIN"]
    {
        let octets = [like, &[0xa5; 46]].concat();
        assert!(Secret::new("k", Algorithm::Hs256, &octets[..48.min(octets.len())]).is_ok(), "{like:02x?}");
    }
    for text in ["correct horse battery staple, and then some", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        assert!(Secret::new("k", Algorithm::Hs256, text).is_ok(), "{text}");
    }
}

#[test]
fn row_t20_a_hundred_keys_of_one_id_are_compared_in_a_few_steps() {
    let pairs: Vec<_> = (0..100).map(|_| p256()).collect();
    let set = |pairs: &mut dyn Iterator<Item = &EcdsaKeyPair>| {
        let keys: Vec<_> = pairs.map(|pair| jwk(pair, r#","kid":"one""#)).collect();
        KeySet::from_jwks(&format!(r#"{{"keys":[{}]}}"#, keys.join(","))).unwrap().0
    };
    let (one, same) = (set(&mut pairs.iter()), set(&mut pairs.iter().rev()));
    let other = set(&mut pairs[1..].iter().chain([&p256()]));
    let twice = set(&mut pairs[1..].iter().chain([&pairs[1]]));
    let compare = || (one.has_same_keys_as(&same), one.has_same_keys_as(&other), one.has_same_keys_as(&twice));
    assert_eq!(compare(), (true, false, false));
    // No pair of keys may cause an encoding or another allocation, because there are ten thousand pairs.
    let made = allocation_counter::measure(|| assert!(compare().0)).count_total;
    assert!(made <= 60, "{made} allocations in three comparisons");
    let key = one.iter().next().unwrap();
    let made =
        allocation_counter::measure(|| assert!(one.iter().any(|other| other.is_same_public_key(key)))).count_total;
    assert_eq!(made, 0);
}

#[test]
fn row_t20_sets_are_the_same_by_id_algorithms_and_key() {
    let pair = p256();
    let set = |more: &str| KeySet::from(VerifyingKey::from_jwk(&jwk(&pair, more)).unwrap());
    assert!(set(r#","kid":"a""#).has_same_keys_as(&set(r#","kid":"a","alg":"ES256""#)), "ES256 is all it can do");
    assert!(!set(r#","kid":"a""#).has_same_keys_as(&set(r#","kid":"b""#)));
    assert!(!set(r#","kid":"a""#).has_same_keys_as(&KeySet::default()));
    let secret = KeySet::from(Secret::new("a", Algorithm::Hs256, [1; 32]).unwrap());
    assert!(!secret.has_same_keys_as(&secret.clone()), "secrets are compared with nothing");
}

const SHARED: [u8; 32] = [7; 32];

/// An issuer that signs with a secret and with a key pair.
fn migrating() -> (MockIssuer, MockIssuer) {
    let name = "https://login.example.com";
    let old = MockIssuer::with_secret("old", Algorithm::Hs256, SHARED).named(name);
    (old, MockIssuer::with_algorithm(Algorithm::Es256).named(name))
}

fn secret(id: &str) -> Secret {
    Secret::new(id, Algorithm::Hs256, SHARED).unwrap()
}

fn code(service: &Admission, token: &str) -> Option<Code> {
    service.verify(token).ready().unwrap().err().map(|error| error.code())
}

#[test]
fn row_f64_one_issuer_has_a_secret_and_published_keys() {
    let (old, new) = migrating();
    let keys = SecretAndPublic::new(KeySet::from(secret("old")), new.keys());
    let service = Admission::new(JwtAuthenticator::new(old.trusted_with(keys)).unwrap());
    for issuer in [&old, &new] {
        let token = issuer.token().sign();
        assert_eq!((code(&service, &token), code(&service, &token)), (None, None), "cold and warm");
        assert_eq!(code(&service, &issuer.token().without_header("kid").sign()), None);
    }
    let forged = MockIssuer::with_secret("old", Algorithm::Hs256, [8; 32]).named(old.name());
    assert_eq!(code(&service, &forged.token().sign()), Some(Code::SignatureInvalid));
}

/// The secret is never tried for tokens of the key pair, nor the other way round, whatever the header says.
#[test]
fn row_f64_an_algorithm_meets_the_keys_of_its_own_half_alone() {
    let (old, new) = migrating();
    let keys = SecretAndPublic::new(KeySet::from(secret("old")), new.keys());
    let service = Admission::new(JwtAuthenticator::new(old.trusted_with(keys)).unwrap());
    assert_eq!(code(&service, &old.token().header("kid", new.key_id()).sign()), Some(Code::KeyUnknown));
    assert_eq!(code(&service, &new.token().header("kid", "old").sign()), Some(Code::KeyUnknown));
    for defect in [portcullis_test::Defect::HmacWithPublicPem, portcullis_test::Defect::HmacWithPublicJwk] {
        let refused = code(&service, &new.token().defect(defect).sign());
        assert!(matches!(refused, Some(Code::KeyUnknown | Code::SignatureInvalid)), "{defect}");
    }
    // Secrets in the published set, and public keys in the secret's place, are never used.
    let crossed = SecretAndPublic::new(new.keys(), old.keys());
    let service = Admission::new(JwtAuthenticator::new(old.trusted_with(crossed)).unwrap());
    assert_eq!(code(&service, &old.token().sign()), Some(Code::KeyUnknown));
    assert_eq!(code(&service, &new.token().sign()), Some(Code::KeyUnknown));
}

#[test]
fn row_f64_a_change_in_either_half_ends_what_was_remembered() {
    let (old, new) = migrating();
    let ring = KeyRing::new(secret("old")).unwrap();
    let keys = SecretAndPublic::new(ring.clone(), new.keys());
    let service = Admission::new(JwtAuthenticator::new(old.trusted_with(keys)).unwrap());
    let tokens = [old.token().sign(), new.token().sign()];
    let codes = || tokens.each_ref().map(|token| code(&service, token));
    assert_eq!((codes(), codes()), ([None, None], [None, None]));
    ring.revoke("old").unwrap();
    assert_eq!(codes(), [Some(Code::KeyUnknown), None]);
    new.rotate();
    new.retire_old();
    assert_eq!(codes(), [Some(Code::KeyUnknown), Some(Code::KeyUnknown)]);
}

#[test]
fn row_f64_editions_differ_whenever_one_of_the_two_does() {
    #[derive(Debug)]
    struct Numbered(Option<u64>);
    impl KeySource for Numbered {
        fn resolve(&self, _: KeyHint<'_>, _: UnixTime) -> Resolved {
            Resolved::Unknown
        }
        fn edition(&self, _: UnixTime) -> Option<u64> {
            self.0
        }
    }
    let edition = |one, other| SecretAndPublic::new(Numbered(one), Numbered(other)).edition(UnixTime::EPOCH);
    let numbers = (0..60).chain((1..60).map(|step| step << 32)).map(Some);
    let all: std::collections::HashSet<_> = numbers
        .clone()
        .flat_map(|one| numbers.clone().map(move |other| (one, other)))
        .map(|(one, other)| edition(one, other))
        .collect();
    assert_eq!(all.len(), 119 * 119);
    assert_eq!((edition(None, Some(1)), edition(Some(1), None)), (None, None), "nothing is remembered");
}

/// A key source that is unavailable, and counts its look-ups.
#[derive(Debug, Default)]
struct Down(std::sync::atomic::AtomicUsize);

impl KeySource for Down {
    fn resolve(&self, _: KeyHint<'_>, _: UnixTime) -> Resolved {
        self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Resolved::Fault(KeySourceError::new(KeySourceErrorKind::Unavailable, "down"))
    }

    fn reconsider(&self, _: KeyHint<'_>, _: &KeyMatch) -> Resolved {
        unreachable!("the other half made the signature")
    }

    fn problem(&self) -> Option<String> {
        Some("it is down".to_owned())
    }
}

#[test]
fn row_f64_one_half_goes_on_while_the_other_is_down() {
    let down = std::sync::Arc::new(Down::default());
    let keys = SecretAndPublic::new(KeySet::from(secret("old")), std::sync::Arc::clone(&down));
    assert!(matches!(keys.resolve(KeyHint::new(Algorithm::Hs256, Some("old")), UnixTime::EPOCH), Resolved::Keys(_)));
    let tried = KeyMatch::from(VerifyingKey::from(secret("old")));
    assert!(matches!(keys.reconsider(KeyHint::new(Algorithm::Hs256, Some("old")), &tried), Resolved::Unknown));
    assert_eq!(down.0.load(std::sync::atomic::Ordering::SeqCst), 0);
    let hint = KeyHint::new(Algorithm::Es256, Some("old"));
    assert!(matches!(keys.resolve(hint, UnixTime::EPOCH), Resolved::Fault(_)), "503, and no look at the secrets");
    assert!(keys.problem().unwrap().contains("it is down"));
}

#[test]
fn row_f64_what_cannot_work_is_said_at_start() {
    let (old, new) = migrating();
    let problem = |trusted: Vec<TrustedIssuer>| {
        JwtAuthenticator::trusting(trusted).map_or_else(|error| error.to_string(), |_| String::new())
    };
    let public = || KeySet::from_jwks(&new.jwks()).unwrap().0;
    let of = |keys| problem(vec![old.trusted_with(keys)]);
    assert_eq!(of(SecretAndPublic::new(KeySet::from(secret("old")), public())), "");
    assert!(of(SecretAndPublic::new(public(), public())).contains("the source of secrets holds no secret"));
    let both_secret = SecretAndPublic::new(KeySet::from(secret("old")), KeySet::from(secret("old")));
    assert!(problem(vec![old.trusted_with(both_secret)]).contains("the source of public keys holds no public key"));
    assert!(of(SecretAndPublic::new(KeySet::default(), public())).contains("no usable key"));
    let keys = SecretAndPublic::new(KeySet::from(secret("old")), public());
    assert_eq!(keys.algorithms(), AlgorithmSet::of(&[Algorithm::Hs256, Algorithm::Es256]));
    let twice = problem(vec![old.trusted(), new.trusted()]);
    assert!(twice.contains("listed twice") && twice.contains("SecretAndPublic::new"), "{twice}");
}

#[test]
fn row_f_a_key_id_that_no_token_could_have_is_refused() {
    let named = |id: &str| Secret::new(id, Algorithm::Hs256, SHARED).map(drop);
    let key = || VerifyingKey::from_jwk(&jwk(&p256(), "")).unwrap();
    for good in ["2026-11", "a b", "schlüssel"] {
        assert!(named(good).is_ok() && key().with_id(good).is_ok());
    }
    for bad in ["2026-11\n", " 2026-11", "2026\t11", "2026\u{a0}11", "\u{feff}2026-11", "2026\u{200b}-11", " "] {
        for error in [named(bad).unwrap_err(), key().with_id(bad).map(drop).unwrap_err()] {
            assert_eq!(error.kind(), KeyErrorKind::BadId, "{bad:?}");
            assert!(!error.to_string().contains(['\n', '\t', '\u{a0}', '\u{feff}', '\u{200b}']), "{error}");
        }
    }
    // A published key id is accepted as it is, because the issuer's tokens have the same.
    assert_eq!(VerifyingKey::from_jwk(&jwk(&p256(), r#","kid":" a ""#)).unwrap().id(), Some(" a "));
}

#[test]
fn row_n_pem_is_read_from_one_line() {
    let text = pem("PUBLIC KEY", &spki(p256().public_key()));
    let key = VerifyingKey::from_pem(&text).unwrap();
    let one_line = text.trim_end();
    for (how, text) in [
        ("blanks, as YAML folds it", one_line.replace('\n', " ")),
        ("nothing in between", one_line.replace('\n', "")),
        ("written-out line ends", one_line.replace('\n', "\\n")),
        ("written-out line ends of Windows", one_line.replace('\n', "\\r\\n")),
        ("escaped twice", one_line.replace('\n', "\\\\n")),
        ("escaped slashes, as in JSON", one_line.replace('\n', "\\n").replace('/', "\\/")),
        ("quotation marks", format!("\"{}\"", one_line.replace('\n', "\\n"))),
        ("a name before it", format!("KEY='{one_line}'")),
        ("a byte order mark", format!("\u{feff}{text}")),
        ("a comment before it", format!("# the key of 2026-11\n{text}")),
        ("an indent", text.replace('\n', "\n    ")),
    ] {
        let read = VerifyingKey::from_pem(&text);
        assert!(read.is_ok_and(|read| read.is_same_public_key(&key)), "{how}");
    }
}

#[test]
fn row_n_pem_that_cannot_be_read_is_told_by_what_is_wrong() {
    let text = pem("PUBLIC KEY", &spki(p256().public_key()));
    let inner = &text[30..40];
    for (text, told) in [
        (text.replace("-----END PUBLIC KEY-----", ""), "no -----END line"),
        (text.replace("KEY-----\nM", "KEY\nM"), "does not end in five dashes"),
        (text.replace("END PUBLIC", "END RSA PUBLIC"), "not that of the BEGIN line"),
        (text.replacen("\nM", "\nM\u{a0}", 1), "U+00A0"),
        (text.replacen("\nM", "\nM\u{200b}", 1), "U+200B"),
        (format!("{} {}", text.replace('\n', " "), text.replace('\n', " ")), "several PEM blocks"),
        (STANDARD.encode(&text), "base64 once more"),
        (pem("PRIVATE KEY", &[7; 40]).replace('\n', "\\n"), "private key"),
        (pem("CERTIFICATE", &[7; 40]).replace('\n', " "), "certificate"),
    ] {
        let error = VerifyingKey::from_pem(&text).unwrap_err().to_string();
        assert!(error.contains(told), "{told}: {error}");
        assert!(!error.contains(inner), "nothing of the text is shown");
    }
}

#[test]
fn row_i_a_byte_order_mark_before_a_key_is_ignored() {
    let key = jwk(&p256(), r#","kid":"a""#);
    let set = format!(r#"{{"keys":[{key}]}}"#);
    let secrets = format!(r#"{{"keys":[{{"kty":"oct","kid":"k","k":"{}"}}]}}"#, URL_SAFE_NO_PAD.encode(SHARED));
    for mark in ["", "\u{feff}"] {
        assert!(VerifyingKey::from_jwk(&format!("{mark}{key}")).is_ok());
        assert_eq!(KeySet::from_jwks(&format!("{mark}{set}")).unwrap().0.len(), 1);
        assert!(KeySet::from_jwks_strict(&format!("{mark}{set}")).is_ok());
        assert!(KeySet::from_jwks_with_secrets(&format!("{mark}{secrets}")).is_ok());
        assert!(Secret::from_base64("k", Algorithm::Hs256, &format!("{mark}{}\n", STANDARD.encode(SHARED))).is_ok());
    }
    assert!(VerifyingKey::from_jwk(&format!("{{\u{feff}{}", &key[1..])).is_err(), "within the text it is an error");
}

/// Five key pairs of an issuer that does not use `kid`, each with a certificate.
struct Certified {
    pairs: Vec<MockIssuer>,
    der: Vec<Vec<u8>>,
}

impl Certified {
    fn new() -> Self {
        let pairs: Vec<_> =
            (0..5).map(|_| MockIssuer::with_algorithm(Algorithm::Es256).named("https://login.example.com")).collect();
        let der = (0..5).map(|n| certificate(&[n; 70])).collect();
        Self { pairs, der }
    }

    fn thumbprints(&self, at: usize) -> (String, String) {
        use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
        let name = |algorithm| URL_SAFE_NO_PAD.encode(digest(algorithm, &self.der[at]));
        (name(&SHA1_FOR_LEGACY_USE_ONLY), name(&SHA256))
    }

    /// Returns the published key of that number, without an id, but with these members added.
    fn jwk(&self, at: usize, more: &str) -> String {
        let set = self.pairs[at].jwks();
        let (start, end) = (set.find('[').unwrap() + 1, set.rfind(']').unwrap());
        set[start..end].replace("\"kid\"", "\"was-kid\"").replacen('{', &format!("{{{more},"), 1)
    }

    fn service(&self, more: impl Fn(usize) -> String) -> Admission {
        let keys: Vec<_> = (0..5).map(|at| self.jwk(at, &more(at))).collect();
        let keys = KeySet::from_jwks_strict(&format!(r#"{{"keys":[{}]}}"#, keys.join(","))).unwrap();
        Admission::new(JwtAuthenticator::new(self.pairs[0].trusted_with(keys)).unwrap())
    }

    fn token(&self, at: usize, members: &[(&str, &str)]) -> String {
        let bare = self.pairs[at].token().without_header("kid");
        members.iter().fold(bare, |token, (name, value)| token.header(name, value)).sign()
    }
}

#[test]
fn row_f34_a_key_is_found_by_the_thumbprint_of_its_certificate() {
    let certified = Certified::new();
    let of_members = certified.service(|at| {
        let (sha1, sha256) = certified.thumbprints(at);
        format!(r#""x5t":"{sha1}","x5t#S256":"{sha256}""#)
    });
    let of_chains = certified.service(|at| format!(r#""x5c":["{}"]"#, STANDARD.encode(&certified.der[at])));
    for service in [of_members, of_chains] {
        for at in 0..5 {
            let (sha1, sha256) = certified.thumbprints(at);
            let (wrong_sha1, wrong_sha256) = certified.thumbprints((at + 1) % 5);
            let accepted = |members: &[(&str, &str)]| code(&service, &certified.token(at, members));
            assert_eq!(accepted(&[("x5t", &sha1)]), None);
            assert_eq!(accepted(&[("x5t#S256", &sha256)]), None);
            assert_eq!(accepted(&[("x5t", &sha1), ("x5t#S256", &sha256)]), None);
            let contradiction = [("x5t", &*sha1), ("x5t#S256", &*wrong_sha256)];
            assert_eq!(accepted(&contradiction), Some(Code::KeyUnknown), "the two name different keys");
            assert_eq!(accepted(&[("x5t", &wrong_sha1)]), Some(Code::SignatureInvalid), "that of another key");
            for unknown in ["", "AAAA", &"A".repeat(27), &sha256, &format!("{sha1}="), &"A".repeat(5_000)] {
                assert_eq!(accepted(&[("x5t", unknown)]), Some(Code::KeyUnknown), "{unknown}: falls back to nothing");
            }
            assert_eq!(accepted(&[]), Some(Code::KeyAmbiguous), "as ever");
        }
    }
}

#[test]
fn row_f34_a_certificate_is_a_name_and_no_source_of_trust() {
    let certified = Certified::new();
    let service = certified.service(|at| format!(r#""x5t":"{}""#, certified.thumbprints(at).0));
    let attacker = MockIssuer::with_algorithm(Algorithm::Es256).named("https://login.example.com");
    let (sha1, _) = certified.thumbprints(0);
    let forged = attacker.token().without_header("kid").header("x5t", &sha1);
    assert_eq!(code(&service, &forged.sign()), Some(Code::SignatureInvalid));
    let chain = [STANDARD.encode(&certified.der[0])];
    assert_eq!(code(&service, &forged.header("x5c", chain).sign()), Some(Code::SignatureInvalid));
    let by_kid = certified.pairs[0].token().header("kid", "unheard-of").header("x5t", &sha1);
    assert_eq!(code(&service, &by_kid.sign()), Some(Code::KeyUnknown), "a token with `kid` is looked up by that");
    let other_type = certified.pairs[0].token().without_header("kid").header("x5t", 7);
    assert_eq!(code(&service, &other_type.sign()), Some(Code::HeaderMalformed));
}

/// If no key has a certificate's thumbprint, thumbprints in headers are ignored.
#[test]
fn row_f34_thumbprints_change_nothing_where_no_key_has_one() {
    let issuer = MockIssuer::with_algorithm(Algorithm::Es256);
    let token = issuer.token().without_header("kid").header("x5t", "A".repeat(27)).sign();
    assert_eq!(code(&issuer.admission(), &token), None);
}

#[test]
fn row_f34_keys_in_pem_are_named_by_their_certificates() {
    let pair = p256();
    let (public, other) = (spki(pair.public_key()), spki(p256().public_key()));
    let key = || VerifyingKey::from_pem(&pem("PUBLIC KEY", &public)).unwrap();
    let der = certificate(&public);
    let sha256 = URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &der));
    let named = key().with_certificate(&pem("CERTIFICATE", &der)).unwrap();
    let by_thumbprint = key().with_certificate_thumbprint(&sha256).unwrap();
    let find = |key: VerifyingKey, thumbprint: &str| {
        let hint = KeyHint::new(Algorithm::Es256, None).with_certificate(None, Some(thumbprint));
        matches!(KeySet::from(key).resolve(hint, UnixTime::EPOCH), Resolved::Keys(_))
    };
    for key in [named, by_thumbprint] {
        assert!(find(key.clone(), &sha256));
        assert!(!find(key, &"A".repeat(43)));
    }
    // Where there is a `kid`, it alone names the key.
    let with_id = key().with_certificate_thumbprint(&sha256).unwrap().with_id("one").unwrap();
    for (id, is_found) in [("one", true), ("two", false)] {
        for thumbprint in [sha256.as_str(), &"A".repeat(43)] {
            let hint = KeyHint::new(Algorithm::Es256, Some(id)).with_certificate(None, Some(thumbprint));
            let found = matches!(KeySet::from(with_id.clone()).resolve(hint, UnixTime::EPOCH), Resolved::Keys(_));
            assert_eq!(found, is_found, "{id}, {thumbprint}");
        }
    }
    let mismatch = key().with_certificate(&pem("CERTIFICATE", &certificate(&other))).unwrap_err();
    assert_eq!(mismatch.kind(), KeyErrorKind::Mismatch);
    assert_eq!(key().with_certificate(&pem("PUBLIC KEY", &public)).unwrap_err().kind(), KeyErrorKind::Malformed);
    for bad in ["", "x5t", &"A".repeat(26), &format!("{}=", &sha256), "AB:CD:EF"] {
        assert_eq!(key().with_certificate_thumbprint(bad).unwrap_err().kind(), KeyErrorKind::BadId, "{bad}");
    }
}

#[test]
fn row_f34_a_ring_and_a_pair_of_sources_find_it_too() {
    let key = |id: &str| VerifyingKey::from_jwk(&jwk(&p256(), "")).unwrap().with_id(id).unwrap();
    let [one, two] = ["A", "B"].map(|letter| letter.repeat(42) + "A");
    let ring = KeyRing::new(key("one").with_certificate_thumbprint(&one).unwrap()).unwrap();
    ring.add_standby(key("two").with_certificate_thumbprint(&two).unwrap()).unwrap();
    let pair = SecretAndPublic::new(KeySet::from(secret("old")), ring.clone());
    let found = |source: &dyn KeySource, thumbprint: &str| {
        let hint = KeyHint::new(Algorithm::Es256, None).with_certificate(None, Some(thumbprint));
        match source.resolve(hint, UnixTime::EPOCH) {
            Resolved::Keys(keys) => keys.iter().map(|key| key.id().unwrap_or_default().to_owned()).collect(),
            _ => Vec::new(),
        }
    };
    for source in [&ring as &dyn KeySource, &pair] {
        assert_eq!(found(source, &two), ["two"]);
        assert!(found(source, &"C".repeat(43)).is_empty());
    }
    ring.revoke("two").unwrap();
    assert!(found(&ring, &two).is_empty());
}

#[test]
fn row_f34_sets_differ_by_the_names_of_their_certificates() {
    let pair = p256();
    let set = |more: &str| KeySet::from(VerifyingKey::from_jwk(&jwk(&pair, more)).unwrap());
    let thumbprint = format!(r#","x5t":"{}""#, "A".repeat(27));
    assert!(set(&thumbprint).has_same_keys_as(&set(&thumbprint)));
    assert!(!set(&thumbprint).has_same_keys_as(&set("")), "or a name that is published later would never be known");
    for malformed in [r#","x5t":7"#, r#","x5t":"AB:CD""#, r#","x5t#S256":["x"]"#, r#","x5c":"x""#, r#","x5c":["%"]"#] {
        assert!(set(malformed).has_same_keys_as(&set("")), "{malformed}: names nothing, and the key is used");
    }
}
