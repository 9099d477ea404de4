//! Scanners find tokens in repositories and logs.

use std::{
    fs,
    path::{Path, PathBuf},
};

use portcullis_issuer::api_tokens::{
    ApiTokenFormat, ApiTokenId, ApiTokenKind, CreatedApiToken, ForeignDigest, Grant, NewApiToken, Owner, Rotation,
};
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

/// Makes tokens of all kinds.
struct Mint {
    house: House,
    /// Only rotation gives an imported token a text of ours.
    imported: ApiTokenId,
    made: u64,
}

impl Mint {
    async fn new() -> Self {
        let mut house = House::new();
        house.tokens = house.builder().limit_per_owner(usize::MAX).build().unwrap();
        let new = NewApiToken::new(ApiTokenKind::Imported, acme(), "x").grant(Grant::scope("orders:read"));
        let digest = ForeignDigest::sha256_hex(&"ab".repeat(32)).unwrap();
        let imported = house.tokens.import(new.created_by("alice"), digest, "").await.unwrap().id();
        Self { house, imported, made: 0 }
    }

    async fn make(&mut self, kind: ApiTokenKind) -> CreatedApiToken {
        self.made += 1;
        let (owner, grant) = match kind {
            ApiTokenKind::Imported => {
                let request = [self.made.to_be_bytes(), [0; 8]].concat();
                let created = self.house.tokens.rotate(self.imported, Rotation::new(request)).await.unwrap();
                self.imported = created.token().id();
                return created;
            }
            ApiTokenKind::Application => (Owner::application("app"), Grant::scope("orders:read")),
            ApiTokenKind::RoleToInstance => (Owner::user("alice"), Grant::role("reader", "one")),
            ApiTokenKind::UserToPlatform => (Owner::user("alice"), Grant::scope("orders:read")),
            _ => (acme(), Grant::scope("orders:read")),
        };
        if kind == ApiTokenKind::RoleToInstance {
            self.house.users.may(&owner, [grant.clone(), Grant::scope("orders:read")]);
        }
        let new = NewApiToken::new(kind, owner, "x").grant(grant).created_by("alice");
        self.house.tokens.create(new).await.unwrap()
    }
}

#[tokio::test]
async fn pitfall_5_the_expression_finds_every_token_of_each_kind_and_no_near_miss() {
    let mut mint = Mint::new().await;
    let regex = Regex::new(&format().regex()).unwrap();
    let github = Regex::new(&format().github_pattern()).unwrap();
    for kind in (0..2_000).flat_map(|_| ApiTokenKind::ALL) {
        let created = mint.make(kind).await;
        let text = created.secret().expose();
        let beginning = format!("acme_{}_", kind.letter());
        assert!(text.starts_with(&beginning), "{kind:?}");
        for line in [
            format!("key = \"{text}\";"),
            format!("https://x.test/?t={text}&u=1"),
            format!("({text})"),
            text.to_owned(),
        ] {
            assert_eq!(regex.find(&line).unwrap().as_str(), text);
            assert_eq!(github.find(&line).unwrap().as_str(), text);
        }
        let instead = |other: &str| text.replacen(&beginning, other, 1);
        for near in [
            text[..47].to_owned(),
            format!("{text}0"),
            format!("{text}_"),
            format!("x{text}"),
            format!("_{text}"),
            instead("acme_x_"),
            instead(&beginning.to_uppercase()),
            instead(&beginning[..5]),
            instead("acne_s_"),
            instead("acm_s_"),
            instead("acme-s-"),
            format!("{}-{}", &text[..20], &text[21..]),
            format!("{} {}", &text[..20], &text[20..]),
        ] {
            assert!(!regex.is_match(&near), "{near}");
        }
    }
}

/// Returns the folder of this repository; `None` in a published crate.
fn repository() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join("xtask").is_dir().then_some(root)
}

/// Returns the sources, the documentation, the settings and the lock files below a folder.
fn texts_below(folder: PathBuf) -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![folder], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let (kind, path, name) = (entry.file_type().unwrap(), entry.path(), entry.file_name());
            let name = name.to_str().unwrap_or_default();
            if kind.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if kind.is_file() && [".rs", ".md", ".toml", ".lock"].iter().any(|end| name.ends_with(end)) {
                files.push(path);
            }
        }
    }
    files
}

/// No example of a token stands in this repository: each would look like a leak to those who scan it.
#[test]
fn pitfall_5_the_expression_finds_nothing_in_the_source_of_this_repository() {
    let Some(root) = repository() else { return };
    // Prefixes with which many names in the source begin, too.
    let prefixes = ["acme", "is", "as", "of", "to", "no", "it", "what"];
    let all = prefixes.map(|prefix| Regex::new(&ApiTokenFormat::new(prefix).unwrap().regex()).unwrap());
    let files = texts_below(root);
    assert!(files.len() > 1_000, "{}", files.len());
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for regex in &all {
            let found = regex.find(&text).map(|found| found.as_str());
            assert_eq!(found, None, "{}", file.display());
        }
    }
}

/// Random text in the encodings that files have.
#[test]
fn pitfall_5_the_expression_finds_nothing_in_random_text() {
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
