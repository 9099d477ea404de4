//! The test vectors that are marked `live`.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_nats::nkey::KeyPair;
use real_servers::{NatsProgram, NatsServer};
use serde_json::Value;

use crate::{account_server, programs, raw::Raw};

/// Where a server decides otherwise than we do, by the rule of the project's notes about NATS. Each is a rule in which we are stricter, or one that the old
/// server does not have.
const DIFFERENCES: &[(&str, Which, &str)] = &[
    ("shr-088-v1-claims-v2-header", Which::All, "E6"),
    ("shr-120-sub-small-order", Which::All, "N7"),
    ("shr-205-perm-two-dots", Which::Old, "M8"),
];

/// Cases whose connections a server accepts and ends at once, when it looks at the time of the end.
const ENDED_AT_ONCE: [&str; 1] = ["shr-164-exp-negative"];

/// Which servers decide otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    /// All.
    All,
    /// Those before 2.10.
    Old,
}

/// Cases that one server can run: the tokens of their accounts do not contradict each other.
struct Group {
    trust: String,
    accounts: BTreeMap<String, String>,
    cases: Vec<Value>,
}

fn file(name: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name}"))
}

fn groups(file: &Value) -> Vec<Group> {
    let mut groups = Vec::<Group>::new();
    for case in file["cases"].as_array().unwrap().iter().filter(|case| case["live"] == true) {
        let accounts = case["accounts"].as_object().unwrap().iter();
        let accounts: BTreeMap<_, _> =
            accounts.filter_map(|(id, token)| Some((id.clone(), token.as_str()?.to_owned()))).collect();
        // What another case of the group has must not help this one.
        let fits = |group: &&mut Group| {
            group.trust == text(case, "trust")
                && accounts.iter().all(|(id, token)| group.accounts.get(id).is_none_or(|known| known == token))
                && !group.cases.is_empty()
                && !accounts.is_empty()
        };
        match groups.iter_mut().find(fits) {
            Some(group) => {
                group.accounts.extend(accounts);
                group.cases.push(case.clone());
            }
            None => groups.push(Group { trust: text(case, "trust").to_owned(), accounts, cases: vec![case.clone()] }),
        }
    }
    groups
}

fn start(program: &NatsProgram, trust: &Value, group: &Group) -> NatsServer {
    // No live case has several operators.
    let [operator] = &trust["operators"].as_array().unwrap()[..] else { panic!("one operator") };
    let mut lines = format!("operator: {}\n", operator.as_str().unwrap());
    let mut accounts = group.accounts.clone();
    if let Some(system) = trust.get("system_account").filter(|system| !system.is_null()) {
        lines = format!("{lines}system_account: {}\n", text(system, "id"));
        accounts.insert(text(system, "id").to_owned(), text(system, "jwt").to_owned());
    }
    if let Some(pinned) = trust.get("pinned_accounts").and_then(Value::as_array) {
        let pinned: Vec<_> = pinned.iter().map(|id| id.as_str().unwrap()).collect();
        lines = format!("{lines}resolver_pinned_accounts: [{}]\n", pinned.join(", "));
    }
    let url = account_server::start(accounts);
    program.start_with(&format!("{lines}resolver: URL({url})\n"))
}

/// Makes the signature over this connection's nonce that the case describes.
fn signature(case: &Value, keys: &Value, nonce: &str) -> Option<String> {
    let proof = &case["proof"];
    let key = |name: &str| KeyPair::from_seed(text(&keys[name], "seed")).unwrap();
    let mode = text(proof, "mode");
    let named = text(proof, "key");
    let signed = match mode {
        "none" => return None,
        "empty" => return Some(String::new()),
        "fixed" => return Some(text(proof, "sig").to_owned()),
        "other_key" => KeyPair::generate(portcullis_nats::nkey::Role::User).unwrap().sign(nonce.as_bytes()).to_vec(),
        "account_key" => key("acc").sign(nonce.as_bytes()).to_vec(),
        "raw_nonce" => key(named).sign(&URL_SAFE_NO_PAD.decode(nonce).unwrap()).to_vec(),
        "truncated" => key(named).sign(nonce.as_bytes())[..63].to_vec(),
        "malleated" => malleated(key(named).sign(nonce.as_bytes())),
        "ok" => key(named).sign(nonce.as_bytes()).to_vec(),
        other => panic!("{other}"),
    };
    Some(URL_SAFE_NO_PAD.encode(signed))
}

/// Adds the order of the group to the second half of a signature.
fn malleated(mut signature: [u8; 64]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0;
    for (byte, add) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
    signature.to_vec()
}

/// Returns what the server decides: whether it lets the user in, and about which permissions it decides otherwise than the case says.
fn run(server: &NatsServer, case: &Value, keys: &Value) -> Result<Vec<String>, String> {
    let mut raw = Raw::open(server.port());
    let signature = signature(case, keys, raw.nonce());
    raw.connect(text(case, "user_jwt"), signature.as_deref())?;
    if ENDED_AT_ONCE.contains(&text(case, "id")) {
        return Err(raw.wait_for_end());
    }
    let mut otherwise = Vec::new();
    for (at, check) in case.get("perms").and_then(Value::as_array).into_iter().flatten().enumerate() {
        let subject = text(check, "subject");
        let answer = match text(check, "op") {
            "pub" => raw.send(&format!("PUB {subject} 0\r\n\r\n")),
            _ => raw.send(&format!("SUB {subject} {} {at}\r\n", check["queue"].as_str().unwrap_or_default())),
        };
        let expected = text(check, "expect");
        if expected != "either" && answer.is_ok() != (expected == "allow") {
            otherwise.push(format!("{} {subject}", text(check, "op")));
        }
    }
    Ok(otherwise)
}

/// The first two numbers of the oldest server that a case is for.
fn oldest(case: &Value) -> [u32; 2] {
    let Some(version) = case.get("min_server").and_then(Value::as_str) else { return [0, 0] };
    let mut numbers = version.split('.').map(|number| number.parse().unwrap());
    [numbers.next().unwrap(), numbers.next().unwrap()]
}

#[test]
fn servers_decide_the_vectors_as_we_do_but_for_the_differences_that_are_listed() {
    for program in programs() {
        let mut found = BTreeSet::new();
        let mut version = [0, 0];
        for name in ["nats.json", "nats-rules.json"] {
            let file = file(name);
            for group in groups(&file) {
                let server = start(&program, &file["trust"][&group.trust], &group);
                version = server.version();
                for case in group.cases.iter().filter(|case| oldest(case) <= version) {
                    let id = text(case, "id");
                    let expected = text(case, "expect");
                    match run(&server, case, &file["keys"]) {
                        Ok(otherwise) if expected != "reject" => {
                            found.extend(otherwise.iter().map(|what| format!("{id}: {what}")));
                        }
                        Err(_) if expected != "accept" => {}
                        outcome => drop(found.insert(format!("{id}: {outcome:?}"))),
                    }
                }
            }
        }
        let is_old = version < [2, 10];
        let listed = DIFFERENCES.iter().filter(|(_, which, _)| *which == Which::All || is_old);
        let listed: BTreeSet<_> = listed.map(|(id, ..)| (*id).to_owned()).collect();
        let ids: BTreeSet<_> = found.iter().map(|text| text.split(':').next().unwrap().to_owned()).collect();
        assert_eq!(ids, listed, "nats-server {version:?}: {found:#?}");
    }
}
