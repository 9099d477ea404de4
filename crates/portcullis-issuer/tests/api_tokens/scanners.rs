//! Scanners find tokens in repositories and logs.

use portcullis_issuer::api_tokens::{ApiTokenFormat, ApiTokenKind, Grant, NewApiToken, Owner};
use regex::Regex;

use crate::house::{House, acme, format};

/// The files are made by hand from this example; `ApiTokenFormat` returns the same for your prefix.
#[test]
fn the_files_for_scanners_are_what_the_format_says() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/scanners");
    let read = |name: &str| std::fs::read_to_string(format!("{folder}/{name}")).unwrap();
    assert_eq!(read("gitleaks.toml"), format().gitleaks_rule());
    assert_eq!(read("github-pattern.txt").trim_end(), format().github_pattern());
}

#[tokio::test]
async fn pitfall_5_the_expression_finds_every_token_and_nothing_else() {
    let house = House::new();
    let regex = Regex::new(&format().regex()).unwrap();
    let github = Regex::new(&format().github_pattern()).unwrap();
    let owners = [
        (ApiTokenKind::ServiceAccount, acme()),
        (ApiTokenKind::UserToPlatform, Owner::user("alice")),
        (ApiTokenKind::Application, Owner::application("app")),
    ];
    for round in 0..10_000 {
        let (kind, owner) = owners[round % 3].clone();
        let new = NewApiToken::new(kind, owner, "x").grant(Grant::scope("orders:read")).created_by("alice");
        let created = house.tokens.create(new).await.unwrap();
        let text = created.secret().expose();
        for line in [
            format!("key = \"{text}\";"),
            format!("https://x.test/?t={text}&u=1"),
            format!("({text})"),
            text.to_owned(),
        ] {
            assert_eq!(regex.find(&line).unwrap().as_str(), text);
            assert_eq!(github.find(&line).unwrap().as_str(), text);
        }
    }
    let text = house.service_account().await.secret().expose().to_owned();
    for other in [text[..47].to_owned(), format!("{text}0"), format!("x{text}"), text.replacen("_s_", "_x_", 1)] {
        assert!(!regex.is_match(&other), "{other}");
    }
}

/// Random text in the encodings that files have, and the source of this repository.
#[test]
fn pitfall_5_the_expression_finds_nothing_in_other_texts() {
    use base64::{
        Engine,
        engine::general_purpose::{STANDARD, URL_SAFE},
    };
    let regex = Regex::new(&format().regex()).unwrap();
    let mut random = vec![0; 4 << 20];
    fastrand::fill(&mut random);
    for text in [STANDARD.encode(&random), URL_SAFE.encode(&random)] {
        assert!(!regex.is_match(&text));
    }
}

#[tokio::test]
async fn only_texts_with_a_right_checksum_are_found_in_a_text() {
    let house = House::new();
    let (one, two) = (house.service_account().await, house.service_account().await);
    let (one, two) = (one.secret().expose(), two.secret().expose());
    let other = if one.ends_with('0') { "1" } else { "0" };
    let typing_error = format!("{}{other}", &one[..47]);
    assert!(format().has_right_checksum(one) && !format().has_right_checksum(&typing_error));
    for wrong in ["", "acme_", &one[..47], &format!("{one}0"), &format!(" {one}")] {
        assert!(!format().has_right_checksum(wrong), "{wrong}");
    }
    let text = format!("é_{one}, acme_acme_{two}x acme_s_ _ {typing_error} acme_é{}", &one[5..]);
    let found: Vec<_> = format().find_in(&text).map(|place| text[place].to_owned()).collect();
    assert_eq!(found, [one, two]);
    let repeating = ApiTokenFormat::new("aa").unwrap();
    assert_eq!(repeating.find_in("aaa_s_aa_").count(), 0);
    assert_eq!(ApiTokenFormat::new("acne").unwrap().find_in(&text).count(), 0);
}

#[test]
fn a_prefix_is_two_to_twelve_lower_case_letters_and_digits() {
    for right in ["ab", "acme", "acme2026prod", "0x"] {
        assert_eq!(ApiTokenFormat::new(right).unwrap().token_len(), right.len() + 44);
    }
    for wrong in ["", "a", "Acme", "ac_me", "ac-me", "acme2026prod1", "ächt"] {
        assert!(ApiTokenFormat::new(wrong).is_err(), "{wrong}");
    }
}
