//! Texts one by one: tokens, nkeys, creds, ids of activations, subjects, times of day, addresses.

use portcullis_core::subjects::SubjectPattern;
use portcullis_nats::{
    claims::{Account, Activation, Operator, User},
    creds::Creds,
    nkey::{KeyPair, PublicKey},
    token::{Token, TokenError},
};
use serde_json::{Value, json};

use super::{
    FILES, chains,
    more::{self, Rows, case::Case},
    rows, vectors,
};

#[test]
fn nkeys_are_read_as_the_vectors_say() {
    for file in &FILES[..2] {
        let nkeys = &vectors(file)["nkeys"];
        let list = |name: &str| nkeys.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        assert!(!list("valid").is_empty());
        for row in list("valid") {
            let text = row["public"].as_str().unwrap();
            let public: PublicKey = text.parse().unwrap();
            assert_eq!(public.to_string(), text);
            assert_eq!(hex(public.bytes()), row["raw_public"].as_str().unwrap());
            let seed = row["seed"].as_str().unwrap();
            if row["role"] == "curve" {
                assert!(KeyPair::from_seed(seed).is_err(), "a key for encryption cannot sign");
                continue;
            }
            let pair = KeyPair::from_seed(seed).unwrap();
            assert_eq!((pair.public_key(), pair.seed().reveal()), (&public, seed));
            if let Some(signature) = row["signature"].as_str() {
                use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
                assert_eq!(URL_SAFE_NO_PAD.encode(pair.sign(row["message"].as_str().unwrap().as_bytes())), signature);
            }
        }
        for row in list("invalid_public") {
            assert!(row["text"].as_str().unwrap().parse::<PublicKey>().is_err(), "{}", row["why"]);
        }
        for row in list("invalid_seed") {
            assert!(KeyPair::from_seed(row["text"].as_str().unwrap()).is_err(), "{}", row["why"]);
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[test]
fn creds_are_read_as_the_vectors_say() {
    for row in rows("creds").into_iter().filter(|row| row.get("kind").is_none()) {
        let creds = Creds::parse(row["text"].as_str().unwrap());
        assert_eq!(creds.is_ok(), row["expect"] == "ok", "{}: {creds:?}", row["why"]);
        let Ok(creds) = creds else { continue };
        let shown = format!("{creds:?} {:?} {:?}", creds.key(), creds.key().seed());
        assert!(!shown.contains(row["seed"].as_str().unwrap()), "{shown}");
        assert_eq!(creds.token(), row["jwt"].as_str().unwrap(), "{}", row["why"]);
        assert_eq!(creds.key().seed().reveal(), row["seed"].as_str().unwrap(), "{}", row["why"]);
        assert_eq!(KeyPair::from_decorated(row["text"].as_str().unwrap()).unwrap().seed(), creds.key().seed());
        let again = Creds::parse(&creds.format()).unwrap();
        assert_eq!(again.token(), creds.token());
        // Five dashes in front of a block, and six behind it.
        for line in ["-----BEGIN NATS USER JWT-----\n", "\n------END NATS USER JWT------\n"] {
            assert!(creds.format().contains(line), "{line}");
        }
    }
}

#[test]
fn seeds_in_files_are_read_as_the_vectors_say() {
    for row in rows("creds").into_iter().filter(|row| row["kind"] == "seed") {
        let key = KeyPair::from_decorated(row["text"].as_str().unwrap());
        assert_eq!(key.is_ok(), row["expect"] == "ok", "{}: {key:?}", row["why"]);
        let Ok(key) = key else { continue };
        assert_eq!(key.seed().reveal(), row["seed"].as_str().unwrap(), "{}", row["why"]);
    }
}

#[test]
fn hash_ids_of_activations_are_those_of_the_vectors() {
    for row in rows("activation_hash_id") {
        let text = |name: &str| row[name].as_str().unwrap();
        let id = portcullis_nats::claims::activation_hash_id(
            &text("iss").parse().unwrap(),
            &text("sub").parse().unwrap(),
            text("subject"),
        );
        assert_eq!(id, text("hash_id"), "{}", text("subject"));
    }
}

#[test]
fn tokens_of_each_kind_are_read_as_the_vectors_say() {
    let mut wrong = Vec::new();
    for row in rows("tokens") {
        let text = row["text"].as_str().unwrap();
        let error = match row["kind"].as_str().unwrap() {
            "user" => error::<User>(text),
            "account" => error::<Account>(text),
            "operator" => error::<Operator>(text),
            "activation" => error::<Activation>(text),
            other => panic!("{other}"),
        };
        let got = error.as_ref().map(|error| error.kind().as_str());
        if got != row["reason"].as_str() {
            wrong.push(format!("{}: {} ({error:?})", row["id"], row["title"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn error<K: portcullis_nats::token::Kind>(text: &str) -> Option<TokenError> {
    Token::<K>::read(text).err()
}

#[test]
fn texts_of_nkeys_are_read_as_the_vectors_say() {
    for row in rows("nkey_texts") {
        let text = row["text"].as_str().unwrap();
        let is_read = match row["kind"].as_str().unwrap() {
            "public" => text.parse::<PublicKey>().is_ok(),
            "seed" => KeyPair::from_seed(text).is_ok(),
            other => panic!("{other}"),
        };
        assert_eq!(is_read, row["expect"] == "accept", "{}: {}", row["id"], row["title"]);
    }
}

#[test]
fn a_token_of_more_than_a_mebibyte_is_not_read() {
    let of = |blanks: usize| {
        let claims = more::world::user("acc", "user", &json!({})).to_string() + &" ".repeat(blanks);
        let header = more::world::header().to_string();
        more::world::raw("acc", &header, &claims, more::world::Signs::HeaderAndClaims)
    };
    let room = (1024 * 1024 - of(0).len()) / 4 * 3;
    assert!(of(room).len() <= 1024 * 1024);
    assert_eq!(error::<User>(&of(room)), None);
    let longer = error::<User>(&of(room + 3)).map(|error| error.kind());
    assert_eq!(longer, Some(portcullis_nats::token::TokenErrorKind::TooLong));
}

#[test]
fn subjects_are_compared_as_the_vectors_say() {
    for row in rows("subject_match") {
        // A text that is no pattern matches nothing.
        let pattern = SubjectPattern::parse(row["pattern"].as_str().unwrap());
        let subject = SubjectPattern::parse(row["subject"].as_str().unwrap()).unwrap();
        assert_eq!(pattern.is_ok_and(|pattern| pattern.covers(&subject)), row["match"] == true, "{row}");
    }
    for row in rows("subject_subset") {
        let of = |name: &str| SubjectPattern::parse(row[name].as_str().unwrap().to_owned()).unwrap();
        assert_eq!(of("outer").covers(&of("inner")), row["subset"] == true, "{row}");
    }
    for row in rows("subject_valid") {
        assert_eq!(SubjectPattern::parse(row["subject"].as_str().unwrap()).is_ok(), row["valid"] == true, "{row}");
    }
}

/// The verdict about a user with this in the token.
fn is_admitted(case: Case) -> bool {
    let mut rows = Rows::default();
    case.accept(&mut rows, "one", "");
    let file = more::with(rows);
    let row = &file["cases"][0];
    chains::decide(row, &file["trust"]["default"]).is_ok()
}

#[test]
fn times_of_day_are_decided_as_the_vectors_say() {
    for row in rows("time_ranges") {
        let times = json!({"times": row["times"], "times_location": row["times_location"]});
        let case = Case::of(&["L3"]).user(times).now(row["now"].as_i64().unwrap());
        assert_eq!(is_admitted(case), row["expect"] == true, "{}", row["why"]);
    }
}

#[test]
fn addresses_are_decided_as_the_vectors_say() {
    for row in rows("src") {
        let case = Case::of(&["L1"]).user(json!({"src": row["src"]})).host(row["host"].as_str().unwrap());
        assert_eq!(is_admitted(case), row["expect"] == true, "{row}");
    }
}
