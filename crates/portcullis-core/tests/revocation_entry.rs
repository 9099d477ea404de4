//! Tests how entries of a log are written and read.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use portcullis_core::{
    UnixTime,
    revocation::{Revocation, RevocationEntry},
};

const UNTIL: UnixTime = UnixTime::from_secs(1_900_000_000);

#[test]
fn an_entry_survives_writing_and_reading() {
    let now = UnixTime::from_secs(1_800_000_000);
    for revocation in [
        Revocation::token("https://i", "t", UNTIL),
        Revocation::session("https://i", "s"),
        Revocation::subject("https://i", "alice", now),
        Revocation::version("https://i", "alice", 5),
        Revocation::client("https://i", "c", now),
        Revocation::key("https://i", "k"),
        Revocation::issuer("https://i", now),
    ] {
        let entry = RevocationEntry::new(revocation, UNTIL);
        assert_eq!(RevocationEntry::from_json(&entry.to_json()), Ok(entry));
    }
}

#[test]
fn only_an_object_can_be_an_entry_of_a_later_version() {
    let is_later = |text: &str| RevocationEntry::from_json(text).unwrap_err().is_of_later_version();
    assert!(is_later(r#"{"v":2,"level":"galaxy"}"#));
    assert!(!is_later("[2,1900000000]"));
}

#[test]
fn a_cut_off_beyond_the_latest_time_saturates() {
    let line = r#"{"v":1,"level":"subject","iss":"https://i","id":"a","cut_off":1800000000100,"until":1900000000}"#;
    let entry = RevocationEntry::from_json(line).unwrap();
    assert_eq!(entry.revocation().cut_off(), Some(UnixTime::MAX));
    assert_eq!(RevocationEntry::from_json(&entry.to_json()), Ok(entry));
}

#[test]
fn an_entry_must_have_exactly_the_members_of_its_level() {
    let object = r#"{"v":1,"level":"token","iss":"https://i","id":"t","until":1900000000}"#;
    assert!(RevocationEntry::from_json(object).is_ok());
    assert!(RevocationEntry::from_json(&format!(" {object}\n")).is_ok());
    assert!(RevocationEntry::from_json(r#"{"v":1,"level":"issuer","iss":"https://i","cut_off":1,"until":2}"#).is_ok());
    for other in [
        r#"[1,"token","https://i","t",null,null,1900000000]"#,
        &object.replace(r#""token""#, r#"{"token":null}"#),
        &object.replace(r#""token""#, r#""Token""#),
        &object.replace(r#""id""#, r#""id":"s","id""#),
        &object.replace(r#""id""#, r#""cut_off":1,"id""#),
        &object.replace(r#""token""#, r#""issuer","cut_off":1"#),
    ] {
        let error = RevocationEntry::from_json(other).unwrap_err();
        assert_eq!(error.to_string(), "the entry is of a form that this version does not know", "{other}");
        assert!(!error.is_of_later_version());
    }
}
