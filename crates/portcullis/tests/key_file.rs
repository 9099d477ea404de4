//! Tests keys in a file: what is read, what is refused, and that a swap is all or nothing.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{fs, path::Path, time::Duration};

use portcullis::{
    Algorithm, KeyFile,
    clock::UnixTime,
    keys::{KeyHint, KeySource, Reload, Resolved},
};

const ONE: &str =
    r#"{"keys":[{"kty":"oct","kid":"one","alg":"HS256","k":"C-vZ4nBNy0vL2pTjOj_4rUNdx6JjMSHg0Be9_yD60Cg"}]}"#;
const TWO: &str =
    r#"{"keys":[{"kty":"oct","kid":"two","alg":"HS256","k":"D-vZ4nBNy0vL2pTjOj_4rUNdx6JjMSHg0Be9_yD60Cg"}]}"#;
const PUBLIC_JWK: &str =
    r#"{"kty":"OKP","kid":"ed","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
const PEM: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";

fn knows(keys: &KeyFile, id: &str, algorithm: Algorithm) -> bool {
    matches!(keys.resolve(KeyHint::new(algorithm, Some(id)), UnixTime::EPOCH), Resolved::Keys(_))
}

fn file(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    fs::write(&path, text).unwrap();
    (folder, path)
}

/// Replaces a file atomically: writes a new file, and renames it over the old one.
fn replace(path: &Path, text: &str) {
    let beside = path.with_extension("new");
    fs::write(&beside, text).unwrap();
    fs::rename(&beside, path).unwrap();
}

#[test]
fn a_set_of_secrets_is_read_only_when_secrets_are_asked_for() {
    let (_folder, path) = file(ONE);
    assert!(knows(&KeyFile::open_secrets(&path).unwrap(), "one", Algorithm::Hs256));
    let error = KeyFile::open(&path).unwrap_err().to_string();
    assert!(error.contains("keys.json") && error.contains("secret"), "{error}");
}

#[test]
fn a_jwk_a_jwk_set_and_a_pem_are_recognised() {
    let (_folder, path) = file(PUBLIC_JWK);
    assert!(knows(&KeyFile::open(&path).unwrap(), "ed", Algorithm::EdDsa));

    let (_folder, path) = file(&format!(r#"{{"keys":[{PUBLIC_JWK}]}}"#));
    assert!(knows(&KeyFile::open(&path).unwrap(), "ed", Algorithm::EdDsa));

    let (_folder, path) = file(PEM);
    let keys = KeyFile::open(&path).unwrap();
    assert!(matches!(keys.resolve(KeyHint::new(Algorithm::EdDsa, None), UnixTime::EPOCH), Resolved::Keys(_)));
}

#[test]
fn an_unusable_file_is_named_with_all_its_problems() {
    let bad = r#"{"keys":[{"kty":"oct","kid":"a","alg":"HS256","k":"c2hvcnQ"},{"kty":"oct","kid":"b","alg":"HS512","k":"c2hvcnQ"}]}"#;
    let (_folder, path) = file(bad);
    let error = KeyFile::open_secrets(&path).unwrap_err().to_string();
    for part in ["keys.json", "\"a\"", "\"b\""] {
        assert!(error.contains(part), "{part} in: {error}");
    }
    assert!(!error.contains("c2hvcnQ"), "{error}");

    for text in ["", "{}", r#"{"keys":[]}"#, "not json", "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----"]
    {
        let (_folder, path) = file(text);
        assert!(KeyFile::open(&path).is_err(), "{text}");
    }
    assert!(KeyFile::open("/no/such/file.json").is_err());
}

#[test]
fn a_swap_changes_the_edition() {
    let (_folder, path) = file(ONE);
    let keys = KeyFile::open_secrets(&path).unwrap();
    let edition = keys.edition(UnixTime::EPOCH);
    assert!(edition.is_some());
    keys.reload().unwrap();
    assert_eq!(keys.edition(UnixTime::EPOCH), edition, "the same content");
    replace(&path, TWO);
    keys.reload().unwrap();
    assert_ne!(keys.edition(UnixTime::EPOCH), edition, "tokens of `one` are verified again");
}

#[test]
fn a_swap_is_all_or_nothing() {
    let (_folder, path) = file(ONE);
    let keys = KeyFile::open_secrets(&path).unwrap();
    assert_eq!(keys.reload().unwrap(), Reload::Unchanged);

    replace(&path, TWO);
    assert_eq!(keys.reload().unwrap(), Reload::Swapped);
    assert!(knows(&keys, "two", Algorithm::Hs256) && !knows(&keys, "one", Algorithm::Hs256));

    for broken in ["", "{\"keys\":[", r#"{"keys":[]}"#] {
        replace(&path, broken);
        assert!(keys.reload().is_err(), "{broken}");
        assert!(knows(&keys, "two", Algorithm::Hs256), "after {broken}");
    }
    fs::remove_file(&path).unwrap();
    assert!(keys.reload().is_err());
    assert!(knows(&keys, "two", Algorithm::Hs256));

    replace(&path, ONE);
    assert_eq!(keys.reload().unwrap(), Reload::Swapped);
    assert!(knows(&keys, "one", Algorithm::Hs256));
}

#[test]
fn a_change_of_a_watched_file_is_noticed_and_visible_to_clones() {
    let (_folder, path) = file(ONE);
    let keys = KeyFile::open_secrets(&path).unwrap().watch(Duration::from_millis(1)).unwrap();
    let clone = keys.clone();
    replace(&path, TWO);
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while !knows(&clone, "two", Algorithm::Hs256) {
        assert!(std::time::Instant::now() < deadline, "the watch has not noticed");
        std::thread::yield_now();
    }
    assert!(KeyFile::open_secrets(&path).unwrap().watch(Duration::ZERO).is_err());
}

#[test]
fn debug_shows_no_secret() {
    let (_folder, path) = file(ONE);
    let shown = format!("{:?}", KeyFile::open_secrets(&path).unwrap());
    assert!(shown.contains("one") && !shown.contains("C-vZ4"), "{shown}");
}

#[test]
fn a_key_without_an_id_can_be_given_one() {
    let named = |text: &str| {
        let (folder, path) = file(text);
        (KeyFile::open_named(&path, "2026-11"), folder)
    };
    for text in [PEM, PUBLIC_JWK] {
        let keys = named(text).0.unwrap();
        assert!(knows(&keys, "2026-11", Algorithm::EdDsa) && !knows(&keys, "ed", Algorithm::EdDsa), "{text}");
    }
    let (_folder, path) = file(PEM);
    assert!(!knows(&KeyFile::open(&path).unwrap(), "2026-11", Algorithm::EdDsa), "without an id it meets no kid");
    assert!(KeyFile::open_named(&path, "").is_err());

    let (keys, folder) = named(PEM);
    let keys = keys.unwrap();
    replace(&folder.path().join("keys.json"), PUBLIC_JWK);
    assert_eq!(keys.reload().unwrap(), Reload::Swapped);
    assert!(knows(&keys, "2026-11", Algorithm::EdDsa), "the id stays");

    for text in [&format!(r#"{{"keys":[{PUBLIC_JWK}]}}"#), ONE, "not json"] {
        assert!(named(text).0.is_err(), "{text}");
    }
}

#[test]
fn the_last_error_stays_until_the_file_is_usable_again() {
    let (_folder, path) = file(ONE);
    let keys = KeyFile::open_secrets(&path).unwrap();
    assert!(keys.last_error().is_none());

    replace(&path, "{");
    for _ in 0..2 {
        assert!(keys.reload().is_err(), "it is still broken");
        assert!(keys.clone().last_error().unwrap().to_string().contains("keys.json"));
    }
    replace(&path, ONE);
    assert_eq!(keys.reload().unwrap(), Reload::Unchanged);
    assert!(keys.last_error().is_none());

    fs::remove_file(&path).unwrap();
    assert!(keys.reload().is_err() && keys.last_error().is_some());
}

#[test]
fn row_i_a_byte_order_mark_before_the_keys_is_ignored() {
    for text in [PUBLIC_JWK.to_owned(), format!("{{\"keys\":[{PUBLIC_JWK}]}}"), PEM.to_owned()] {
        let (_folder, path) = file(&format!("\u{feff}{text}"));
        assert!(KeyFile::open(&path).is_ok(), "{text}");
    }
    let (_folder, path) = file(&format!("\u{feff}{ONE}"));
    assert!(knows(&KeyFile::open_secrets(&path).unwrap(), "one", Algorithm::Hs256));
}

#[test]
fn row_i_a_file_that_is_no_text_in_utf8_is_told_by_what_it_is() {
    let (_folder, path) = file("");
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(PEM.bytes().flat_map(|byte| [byte, 0])).collect();
    for (octets, told) in [(&utf16[..], "UTF-16"), (&[0x30, 0x2a, 0xff], "DER"), (&[0xc3, 0x28], "no text in UTF-8")] {
        fs::write(&path, octets).unwrap();
        let error = KeyFile::open_named(&path, "ed").unwrap_err().to_string();
        assert!(error.contains("keys.json") && error.contains(told), "{error}");
    }
}

#[test]
fn row_n_a_pem_file_is_read_from_one_line() {
    for text in [PEM.trim_end().replace('\n', "\\n"), PEM.replace('\n', " "), format!("KEY=\"{}\"", PEM.trim_end())] {
        let (_folder, path) = file(&text);
        assert!(knows(&KeyFile::open_named(&path, "ed").unwrap(), "ed", Algorithm::EdDsa), "{text}");
    }
    let (_folder, path) = file(&PEM.replace("-----END PUBLIC KEY-----", ""));
    assert!(KeyFile::open_named(&path, "ed").unwrap_err().to_string().contains("-----END"));
}

#[test]
fn row_p_a_key_file_of_secrets_holds_no_public_key_as_a_secret() {
    let as_secret = PEM.bytes().collect::<Vec<u8>>();
    let k = base64url(&as_secret);
    let (_folder, path) = file(&format!(r#"{{"keys":[{{"kty":"oct","kid":"one","alg":"HS256","k":"{k}"}}]}}"#));
    let error = KeyFile::open_secrets(&path).unwrap_err().to_string();
    assert!(error.contains("this is a PEM public key"), "{error}");
}

#[test]
fn row_f_the_id_of_a_named_key_file_has_no_white_space_around_it() {
    let (_folder, path) = file(PEM);
    assert!(KeyFile::open_named(&path, "2026-11").is_ok());
    assert!(KeyFile::open_named(&path, "2026-11\n").unwrap_err().to_string().contains(r#""2026-11\n""#));
}

#[test]
fn row_x_algorithms_that_no_key_of_the_file_can_do_are_a_configuration_error() {
    use portcullis::{JwtAuthenticator, TrustedIssuer};
    let (_folder, path) = file(ONE);
    let keys = KeyFile::open_secrets(&path).unwrap();
    let trusted = |algorithm| {
        let issuer =
            TrustedIssuer::new("https://login.example.com", keys.clone()).audience("orders").algorithms(algorithm);
        JwtAuthenticator::new(issuer).map(drop)
    };
    assert!(trusted(Algorithm::Hs256).is_ok());
    assert!(trusted(Algorithm::Rs256).unwrap_err().to_string().contains("its keys work with HS256"));
}

fn base64url(octets: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = |chunk: &[u8]| {
        let word = chunk.iter().chain([&0, &0]).take(3).fold(0u32, |word, &octet| word << 8 | u32::from(octet));
        (0..=chunk.len()).map(|at| char::from(ALPHABET[(word >> (18 - 6 * at) & 63) as usize])).collect::<String>()
    };
    octets.chunks(3).map(bits).collect()
}
