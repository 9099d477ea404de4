use super::*;

fn format() -> ApiTokenFormat {
    ApiTokenFormat::new("acme").unwrap()
}

fn peppers() -> Peppers {
    Peppers::new('1', [7; 32]).unwrap()
}

fn draw() -> String {
    format().draw(ApiTokenKind::UserToPlatform, peppers().newest()).unwrap().expose().to_owned()
}

/// Returns the text with the checksum that it should have.
fn with_checksum(text: &str) -> String {
    let mut summed = text[..text.len() - CHECKSUM].to_owned();
    let checksum = crc32fast::hash(summed.as_bytes());
    base62::write(checksum.into(), CHECKSUM, &mut summed);
    summed
}

#[test]
fn a_token_is_recognised_by_the_pepper_that_made_it() {
    for kind in ApiTokenKind::ALL {
        let token = format().draw(kind, peppers().newest()).unwrap();
        let text = token.expose();
        assert_eq!(text.len(), 48);
        assert!(text.starts_with(&format!("acme_{}_1", kind.letter())) && text.ends_with(token.last_four()));
        let recognised = format().recognise(text, &peppers()).unwrap();
        assert_eq!((recognised.kind, recognised.pepper.as_char()), (kind, '1'));
        let newer = Peppers::new('2', [8; 32]).unwrap();
        assert_eq!(format().recognise(text, &newer), Err(Unrecognised::Pepper));
        let both = newer.also_checks('1', [7; 32]).unwrap();
        assert_eq!(format().recognise(text, &both), Ok(recognised));
        let other = Peppers::new('1', [9; 32]).unwrap();
        assert_eq!(format().recognise(text, &other), Err(Unrecognised::Tag));
    }
}

/// The keys of tag, digest and rotation are different ones.
#[test]
fn the_digest_is_not_the_tag() {
    let text = draw();
    let digest = format().recognise(&text, &peppers()).unwrap().digest;
    let first = digest.as_bytes().iter().take(5).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    assert_ne!(first, peppers().newest().tag(&text));
    let again = Peppers::new('1', [7; 32]).unwrap();
    assert_eq!(again.newest().digest(&text), digest);
}

#[test]
fn each_typing_error_is_found_by_the_checksum() {
    let text = draw();
    for at in 0..text.len() {
        for other in ['0', 'A', 'z', '_', 'u'] {
            let mut wrong = text.clone();
            wrong.replace_range(at..=at, &other.to_string());
            if wrong != text {
                assert_eq!(format().recognise(&wrong, &peppers()), Err(Unrecognised::Form), "{at} {other}");
            }
        }
        if at > 0 {
            let mut swapped: Vec<_> = text.bytes().collect();
            swapped.swap(at - 1, at);
            let swapped = String::from_utf8(swapped).unwrap();
            assert_eq!(format().recognise(&swapped, &peppers()).is_ok(), swapped == text);
        }
    }
}

#[test]
fn other_texts_are_not_tokens() {
    let text = draw();
    for wrong in [String::new(), text[..47].to_owned(), format!("{text}0"), format!(" {}", &text[1..]), "é".repeat(24)]
    {
        assert_eq!(format().recognise(&wrong, &peppers()), Err(Unrecognised::Form), "{wrong}");
    }
    // A kind that there is not, with a right checksum.
    let wrong = with_checksum(&text.replacen("_u_", "_x_", 1));
    assert_eq!(format().recognise(&wrong, &peppers()), Err(Unrecognised::Form));
    // Another kind, with a right checksum.
    let wrong = with_checksum(&text.replacen("_u_", "_a_", 1));
    assert_eq!(format().recognise(&wrong, &peppers()), Err(Unrecognised::Tag));
}

/// The form is public, and so is the checksum: the tag is what keeps junk from the store.
#[test]
fn pitfall_4_a_million_texts_of_junk_and_a_million_with_a_right_checksum_are_refused() {
    let (format, peppers) = (format(), peppers());
    let recognise = |text: &str| format.recognise(text, &peppers);
    for _ in 0..1_000_000 {
        let mut junk = String::from("acme_u_1");
        base62::draw(40, &mut junk).unwrap();
        assert_eq!(recognise(&junk), Err(Unrecognised::Form));
        assert_eq!(recognise(&with_checksum(&junk)), Err(Unrecognised::Tag));
    }
}

#[test]
fn a_successor_follows_from_its_predecessor_and_the_request() {
    let (format, peppers) = (format(), peppers());
    let derive = |id: u8, request: &[u8], peppers: &Peppers| {
        let seed = RotationSeed { predecessor: ApiTokenId::from_bytes([id; 16]), request };
        let token = format.derive(ApiTokenKind::ServiceAccount, peppers.newest(), seed).unwrap();
        assert!(format.recognise(token.expose(), peppers).is_ok());
        token.expose().to_owned()
    };
    let token = derive(1, b"a request", &peppers);
    assert_eq!(token, derive(1, b"a request", &peppers));
    assert_ne!(token, derive(2, b"a request", &peppers));
    assert_ne!(token, derive(1, b"another request", &peppers));
    assert_ne!(token[8..], derive(1, b"a request", &Peppers::new('1', [8; 32]).unwrap())[8..]);
}
