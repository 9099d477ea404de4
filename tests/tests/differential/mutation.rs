//! Good tokens, and up to three things done to each.

use proptest::{collection::vec, prelude::*, sample::select};

use super::{
    keys::{Key, Signer},
    token::{AUDIENCE, Form, ISSUER, LEEWAY, Part, Token, Value, Wire},
};

/// Tokens of all kinds.
pub(crate) fn tokens() -> impl Strategy<Value = Token> {
    (select(&Key::ALL[..]), vec(mutation(), 0..=3)).prop_map(|(key, mutations)| {
        let mut token = Token::good(key);
        for mutation in mutations {
            mutation.apply(&mut token);
        }
        token
    })
}

#[derive(Clone, Debug)]
enum Mutation {
    Header(Edit),
    Claims(Edit),
    Forged,
    Wire(Wire),
}

/// What is done to one of the JSON parts.
#[derive(Clone, Debug)]
enum Edit {
    Set(&'static str, Option<Value>),
    Again(&'static str, Value),
    Form(Form),
}

impl Mutation {
    fn apply(self, token: &mut Token) {
        match self {
            Self::Header(edit) => edit.apply(&mut token.header),
            Self::Claims(edit) => edit.apply(&mut token.claims),
            Self::Forged => token.signer = Signer::Stranger,
            Self::Wire(wire) => token.wire.push(wire),
        }
    }
}

impl Edit {
    fn apply(self, part: &mut Part) {
        match self {
            Self::Set(name, value) => part.set(name, value),
            Self::Again(name, value) => part.members.push((name.to_owned(), value)),
            Self::Form(form) => part.form = form,
        }
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        6 => header().prop_map(Mutation::Header),
        12 => claims().prop_map(Mutation::Claims),
        1 => wire().prop_map(Mutation::Wire),
        1 => Just(Mutation::Forged),
    ]
}

/// Members that jsonwebtoken gives a type although they are not read (`x5u`, `nonce`, …) only get values of that type:
/// RFC 7515 section 4 has unread members ignored, and there we are the more lenient ones on purpose.
fn header() -> impl Strategy<Value = Edit> {
    let typ = ["\"at+jwt\"", "\"Application/JWT\"", "\"dpop+jwt\"", "\"\"", "null", "7", "[\"JWT\"]"];
    let alg = ["\"HS384\"", "\"none\"", "\"RS256\"", "\"hs256\"", "\"Ed25519\"", "null", "7", "[]"];
    let kid = ["\"another\"", "\"\"", "null", "7", "[]", "\"THE-KEY\""];
    let crit = ["[\"exp\"]", "[]", "null", "[\"b64\"]", "7"];
    prop_oneof![
        3 => set("typ", &typ),
        1 => set("alg", &alg),
        3 => set("kid", &kid),
        1 => one_of(&["kid"], (1_usize..1000).prop_map(|len| Value::Json(format!("{:?}", "k".repeat(len))))),
        2 => set("crit", &crit),
        2 => set("b64", &["true", "false", "\"false\"", "null"]),
        1 => set("jku", &["\"https://attacker.example/jwks\""]),
        1 => set("x5u", &["\"https://attacker.example/chain\""]),
        1 => set("jwk", &[r#"{"kty":"oct","k":"AAAA"}"#]),
        2 => one_of(&["x-vendor"], json()),
        1 => json().prop_map(|value| Edit::Again("x-vendor", value)),
        1 => select(&["alg", "typ", "kid", "x"]).prop_map(|name| Edit::Again(name, Value::Json("\"JWT\"".into()))),
        1 => form().prop_map(Edit::Form),
    ]
}

fn claims() -> impl Strategy<Value = Edit> {
    let issuers =
        [format!("[{ISSUER:?}]"), "\"https://other.example\"".into(), format!("\"{ISSUER}/\""), "null".into()];
    let audiences = [
        format!("[{AUDIENCE:?}]"),
        format!("[\"other\",{AUDIENCE:?}]"),
        format!("[{AUDIENCE:?},7]"),
        format!("[[{AUDIENCE:?}]]"),
        "[]".into(),
        "\"other\"".into(),
        "{}".into(),
        "null".into(),
    ];
    prop_oneof![
        3 => set("iss", &issuers),
        3 => set("aud", &audiences),
        4 => edge(),
        6 => one_of(&["exp", "nbf", "iat", "auth_time"], time()),
        4 => set_one_of(&["sub", "jti", "sid", "client_id", "acr"], &["\"x\"", "7", "null", "[\"x\"]", "\"\\u0061\""]),
        1 => set("ver", &["1", "\"2.0\"", "1.5", "-1", "null"]),
        1 => set_one_of(&["scope", "scp"], &["\"a b\"", "[\"a\"]", "[7]", "7", "null", "{\"a\":1}"]),
        2 => select(&["iss", "aud", "exp", "sub", "iat"]).prop_map(|name| Edit::Set(name, None)),
        3 => one_of(&["custom"], json()),
        1 => json().prop_map(|value| Edit::Again("custom", value)),
        1 => select(&["iss", "exp", "sub", "\\u0065xp"]).prop_map(|name| Edit::Again(name, Value::Time(300, ""))),
        1 => Just(Edit::Form(Form::Array)),
        1 => form().prop_map(Edit::Form),
    ]
}

/// One of these members gets one of these values.
fn one_of(names: &'static [&'static str], value: impl Strategy<Value = Value>) -> impl Strategy<Value = Edit> {
    (select(names), value).prop_map(|(name, value)| Edit::Set(name, Some(value)))
}

/// The same for values written down.
fn set_one_of(names: &'static [&'static str], values: &'static [&'static str]) -> impl Strategy<Value = Edit> {
    one_of(names, select(values).prop_map(|value| Value::Json(value.to_owned())))
}

/// One of these values, or none.
fn set<T: AsRef<str>>(name: &'static str, values: &[T]) -> impl Strategy<Value = Edit> + use<T> {
    let values: Vec<_> =
        values.iter().map(|value| Some(Value::Json(value.as_ref().to_owned()))).chain([None]).collect();
    select(values).prop_map(move |value| Edit::Set(name, value))
}

/// Times about every edge there is, in every notation, and what is none.
fn time() -> impl Strategy<Value = Value> {
    let leeway = i64::try_from(LEEWAY).unwrap();
    let edges = [-leeway, 0, leeway].into_iter().flat_map(|edge| (-2..=2).map(move |by| edge + by));
    let edges: Vec<i64> = edges.chain([-100_000, 100_000]).collect();
    let others = [
        "0",
        "-1",
        "-0.0",
        "1.5",
        "1e300",
        "253402300799",
        "253402300800",
        "18446744073709551615",
        "1e19",
        "\"1\"",
        "null",
        "true",
        "[]",
        "{}",
    ];
    prop_oneof![
        4 => (select(edges), select(FRACTIONS.to_vec())).prop_map(|(edge, fraction)| Value::Time(edge, fraction)),
        1 => select(others.to_vec()).prop_map(|text| Value::Json(text.to_owned())),
    ]
}

/// The instants about which each claim's fate turns.
fn edge() -> impl Strategy<Value = Edit> {
    let leeway = i64::try_from(LEEWAY).unwrap();
    let edges = [("exp", -leeway), ("nbf", leeway), ("iat", leeway)].to_vec();
    (select(edges), -1_i64..=1, select(FRACTIONS.to_vec()))
        .prop_map(|((name, edge), by, fraction)| Edit::Set(name, Some(Value::Time(edge + by, fraction))))
}

/// Any JSON, often with a member twice and sometimes nested deep.
fn json() -> impl Strategy<Value = Value> {
    let leaves =
        ["null", "true", "-1", "1.5e3", "18446744073709551616", "\"\"", "\"\\u00e9\"", "\"\\ud800\"", "\"a\\/b\""];
    let leaf = select(leaves.to_vec()).prop_map(ToOwned::to_owned);
    let nested = leaf.prop_recursive(4, 16, 4, |inner| {
        let member = (select(&["a", "b", "\\u0061", "exp"]), inner.clone());
        let members = vec(member.prop_map(|(name, value)| format!("\"{name}\":{value}")), 0..4);
        prop_oneof![
            vec(inner, 0..4).prop_map(|elements| format!("[{}]", elements.join(","))),
            members.prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    });
    let deep = (1_usize..140).prop_map(|depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
    let long = (1_usize..20_000).prop_map(|len| format!("{:?}", "x".repeat(len)));
    prop_oneof![6 => nested, 1 => deep, 1 => long].prop_map(Value::Json)
}

fn form() -> impl Strategy<Value = Form> {
    let around = [("", " "), ("\n", "\t"), ("\u{feff}", ""), ("", "x"), ("", "{}"), ("[", "]"), ("", "\0")];
    prop_oneof![
        Just(Form::Array),
        select(around.to_vec()).prop_map(|(before, behind)| Form::Within(before, behind)),
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Form::Replaced(at, byte)),
    ]
}

fn wire() -> impl Strategy<Value = Wire> {
    let chars: Vec<char> = "AQgw09-_+/=.~ \n%é".chars().collect();
    prop_oneof![
        (any::<usize>(), select(chars.clone())).prop_map(|(at, char)| Wire::Replace(at, char)),
        (any::<usize>(), select(chars)).prop_map(|(at, char)| Wire::Insert(at, char)),
        any::<usize>().prop_map(Wire::Remove),
        select(&["=", "==", ".", ".AA", "\n", "A"][..]).prop_map(Wire::Append),
    ]
}

const FRACTIONS: [&str; 8] = ["", "", ".0", ".4", ".5", ".6", "e0", "E+0"];
