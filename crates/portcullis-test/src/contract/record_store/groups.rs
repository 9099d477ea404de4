//! Rules about groups.

use std::collections::{BTreeMap, HashMap};

use portcullis_issuer::records::{NewRecord, Record, RecordGroup, RecordKey, RecordKind, RecordStore, Swapped};

use super::{RecordPlace, RecordStoreContract, group, key};
use crate::must::must;

/// Names that stores may confuse with each other, or with a pattern.
const NAMES: &[&str] = &[
    "",
    "a",
    "A",
    "ab",
    "a/",
    "a.",
    "a:",
    "a b",
    "a/b",
    "a.b",
    "a:b",
    ".",
    "..",
    "/",
    ":",
    " ",
    "*",
    ">",
    "a*",
    "a.>",
    "%",
    "_",
    "a_",
    "?",
    "[a]",
    "{a}",
    "\\",
    "'",
    "\"",
    "';--",
    "$1",
    "l\u{ed}nea",
    "li\u{301}nea",
    "\u{1f980}",
    "61",
    "x61",
    "YQ",
    "0",
    "-",
    "1:a",
    "\u{10ffff}",
];

/// Groups and ids that are the same text if they are put together.
const BOUNDARIES: &[(&str, &str)] = &[
    ("b", "c/d"),
    ("b/c", "d"),
    ("b", "c.d"),
    ("b.c", "d"),
    ("b", "c:d"),
    ("b:c", "d"),
    ("bc", "d"),
    ("b", "cd"),
    ("bcd", ""),
    ("", "bcd"),
    ("b ", "c"),
    ("b", " c"),
    ("2:b", "c"),
    ("2", "b:c"),
];

/// Kinds of which one is the beginning of none, and two of the same group.
const KINDS: [RecordKind; 3] = [RecordKind::Client, RecordKind::Consent, RecordKind::UserOfClient];

type Listed = BTreeMap<String, (String, u64)>;

impl<P: RecordPlace> RecordStoreContract<P> {
    pub(super) async fn a_group_lists_its_records_and_no_others(&mut self) {
        let (keys, store, reader) = (keys(), self.store().await, self.store().await);
        for (number, key) in keys.iter().enumerate() {
            let outcome = store.swap(key, None, Some(NewRecord::new(number.to_string()))).await;
            let outcome = must(outcome, "a record cannot be created");
            assert_eq!(outcome, Swapped::Stored, "there is a record of another key: {}", shown(key));
        }
        let mut groups: HashMap<RecordGroup, Listed> = HashMap::new();
        for (number, key) in keys.iter().enumerate() {
            let record = must(reader.find(key).await, "a record cannot be found");
            let text = record.as_ref().map(Record::text);
            assert_eq!(text, Some(&*number.to_string()), "the record of another key is found: {}", shown(key));
            let version = record.map(|record| record.version().number()).unwrap_or_default();
            groups.entry(key.group().clone()).or_default().insert(key.id().to_owned(), (number.to_string(), version));
        }
        for (of, expected) in &groups {
            assert_eq!(&listed(&reader, of).await, expected, "the group {:?} of {:?}", of.name(), of.kind());
        }
        // A kind without any.
        for name in NAMES {
            let without = listed(&reader, &group(RecordKind::LogOut, name)).await;
            assert_eq!(without, Listed::new(), "a group without records");
        }
        // One that is deleted is not listed, and takes no other one along.
        let gone = &keys[keys.len() / 2];
        self.delete(gone).await;
        groups.entry(gone.group().clone()).or_default().remove(gone.id());
        for (of, expected) in &groups {
            let left = listed(&reader, of).await;
            assert_eq!(&left, expected, "the group {:?} after {} was deleted", of.name(), shown(gone));
        }
    }
}

#[expect(clippy::panic, reason = "a contract that is broken is a test that has failed")]
async fn listed(store: &impl RecordStore, of: &RecordGroup) -> Listed {
    let mut listed = Listed::new();
    for (id, record) in must(store.list(of).await, "a group cannot be listed") {
        let before = listed.insert(id, (record.text().to_owned(), record.version().number()));
        if let Some((text, _)) = before {
            panic!("a group lists a record twice: {text}");
        }
    }
    listed
}

/// Each name as a group, as an id, and as both, of several kinds; the longest; and what is ambiguous.
fn keys() -> Vec<RecordKey> {
    let most = RecordGroup::MOST_BYTES;
    let long = ["x".repeat(most), "x".repeat(most - 1), "\u{1f980}".repeat(most / 4), scattered(most)];
    let names = NAMES.iter().copied().chain(long.iter().map(String::as_str));
    let of_names = names.flat_map(|name| [("", name), (name, ""), (name, name)]);
    let all: Vec<_> = of_names.chain(BOUNDARIES.iter().copied()).collect();
    let mut keys = Vec::new();
    for (at, (group, id)) in all.into_iter().enumerate() {
        let kinds = if at % 3 == 0 { &KINDS[..] } else { &KINDS[..1] };
        keys.extend(
            kinds.iter().map(|kind| key(*kind, group, id)).filter(|key| !keys.contains(key)).collect::<Vec<_>>(),
        );
    }
    keys
}

/// Returns a name of this length that no database can compress.
fn scattered(len: usize) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(LETTERS[usize::try_from(state >> 58).unwrap_or_default()])
    };
    (0..len).map(next).collect()
}

fn shown(key: &RecordKey) -> String {
    format!("{:?} {:?} {:?}", key.group().kind(), key.group().name(), key.id())
}
