//! Codes: octets as what a client presents and a user enters, and as what a code says, under the right MAC.

use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_issuer::{
    documents::GrantType,
    records::RecordKind,
    server::{Client, ClientList, EndpointRequest, OAuthErrorCode},
};

use super::{
    desk::{CALLBACK, Desk, ORDERS, encoded, is_text},
    now::now,
    sealed::{Form, key_for},
};

/// A kind of code, and how a client presents it.
struct Kind {
    form: Form,
    request: &'static str,
    record: RecordKind,
}

const KINDS: [Kind; 2] = [
    Kind {
        form: Form { prefix: "pac_", version: 2, context: b"portcullis ac 2" },
        request: "grant_type=authorization_code&client_id=page&code_verifier=v&code=",
        record: RecordKind::Code,
    },
    Kind {
        form: Form { prefix: "pdc_", version: 3, context: b"portcullis dc 3" },
        request: "grant_type=urn:ietf:params:oauth:grant-type:device_code&client_id=page&device_code=",
        record: RecordKind::DeviceCode,
    },
];

/// What an issuer makes, or does not accept; and as the other kind of code, it never is.
pub fn check(octets: &[u8]) {
    // A longer one does not fit into a request.
    if octets.len() > 4096 {
        return;
    }
    if let Ok(text) = str::from_utf8(octets) {
        for kind in &KINDS {
            check_code(kind, text);
        }
        check_user_code(text);
    }
    for made in &KINDS {
        let text = made.form.seal(octets, key_for(octets));
        for kind in &KINDS {
            check_code(kind, &text);
        }
    }
}

/// The store is asked exactly for the session of a code that the issuer may have made.
fn check_code(kind: &Kind, text: &str) {
    let body = format!("{}{}", kind.request, encoded(text));
    let error = now(DESK.server.token(&EndpointRequest::new(body.as_bytes()))).expect_err("no code is kept");
    let asked = DESK.asked();
    if text.is_empty() || !is_text(text) {
        assert_eq!((error.code(), asked), (OAuthErrorCode::InvalidRequest, Vec::new()), "{text}");
        return;
    }
    assert_eq!(error.code(), OAuthErrorCode::InvalidGrant, "{text}: {error}");
    let expected: Vec<_> = session(kind.form, text).map(|session| (kind.record, session)).into_iter().collect();
    assert_eq!(asked, expected, "{text}");
}

/// The session of a code, by a reader that compares it with the one way of writing it.
fn session(form: Form, text: &str) -> Option<String> {
    let signed = form.open(text)?;
    let [_, _, session_and_share @ ..] = signed.as_slice() else { return None };
    (session_and_share.len() == 32).then(|| URL_SAFE_NO_PAD.encode(&session_and_share[..16]))
}

/// The store is asked exactly for the eight letters that the user has entered, whatever stands between them.
fn check_user_code(text: &str) {
    assert!(now(DESK.server.device_request(text)).unwrap().is_none(), "{text}");
    let expected: Vec<_> = letters(text).map(|letters| (RecordKind::UserCode, letters)).into_iter().collect();
    assert_eq!(DESK.asked(), expected, "{text}");
}

pub(crate) fn letters(text: &str) -> Option<String> {
    let mut letters = String::new();
    for character in text.chars() {
        match character.to_ascii_uppercase() {
            letter if "BCDFGHJKLMNPQRSTVWXZ".contains(letter) => letters.push(letter),
            between if between.is_ascii() && !between.is_ascii_alphanumeric() => {}
            _ => return None,
        }
    }
    (letters.len() == 8 && text.len() <= 32).then_some(letters)
}

static DESK: LazyLock<Desk> = LazyLock::new(|| {
    let page = Client::public("page").redirect_uri(CALLBACK).scope("orders:read").resource(ORDERS);
    let page = page.grants([GrantType::AuthorizationCode, GrantType::DeviceCode]);
    Desk::new(ClientList::new([page]).unwrap(), |builder| builder)
});
