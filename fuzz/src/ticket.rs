//! Tickets: octets as what a page carries, and as what a ticket says, under the right MAC.

use std::sync::LazyLock;

use aws_lc_rs::digest;
use portcullis::clock::UnixTime;
use portcullis_issuer::{
    documents::GrantType,
    records::RecordKind,
    server::{AuthorizationError, AuthorizationRequest, Client, ClientList, OAuthError, Visitor},
};

use super::{
    code::letters,
    desk::{CALLBACK, Desk, ORDERS},
    now::now,
    scene::NOW,
    sealed::{Form, key_for},
};

const FORM: Form = Form { prefix: "ptk_", version: 4, context: b"portcullis tk 4" };

/// What a ticket is for.
const REQUEST: u8 = 1;
const QUESTION: u8 = 2;
const DEVICE: u8 = 3;

/// The latest instant that there is.
const YEAR_9999: u64 = 253_402_300_799;

const SUBJECT: &str = "alice";
const BROWSER: &str = "session-of-the-application";

/// What a server makes for this page, this user and this browser in the last hour, or does not accept.
pub fn check(octets: &[u8]) {
    if let Ok(text) = str::from_utf8(octets) {
        check_text(text);
    }
    check_text(&FORM.seal(octets, key_for(octets)));
}

fn check_text(text: &str) {
    let visitor = Visitor::new(SUBJECT, BROWSER, UnixTime::from_secs(NOW));
    let server = &DESK.server;
    check_request(text, read(text, REQUEST), now(server.resume_request(text)));
    let question = now(server.resume_question(text, &visitor)).map(|question| question.request().clone());
    check_question(text, read(text, QUESTION), question);
    DESK.asked();
    let device = now(server.resume_device(text, &visitor)).expect_err("no device waits");
    check_device(text, read(text, DEVICE), &device);
}

fn check_request(text: &str, ticket: Option<Ticket>, outcome: Result<AuthorizationRequest, AuthorizationError>) {
    match ticket {
        None => assert!(is_refused(&outcome, "too old"), "{text}"),
        Some(ticket) => check_content(text, &ticket, outcome),
    }
}

fn check_question(text: &str, ticket: Option<Ticket>, outcome: Result<AuthorizationRequest, AuthorizationError>) {
    match ticket {
        None => assert!(is_refused(&outcome, "too old"), "{text}"),
        Some(ticket) if ticket.binding != binding() => assert!(is_refused(&outcome, "another user"), "{text}"),
        Some(ticket) => check_content(text, &ticket, outcome),
    }
}

/// The request is the one that the ticket was made for, and began when that did.
fn check_content(text: &str, ticket: &Ticket, outcome: Result<AuthorizationRequest, AuthorizationError>) {
    let direct = now(DESK.server.authorization_request(&ticket.content));
    assert_eq!(outcome.is_ok(), direct.is_ok(), "{text}");
    assert!(!is_refused(&outcome, "too old") && !is_refused(&outcome, "another user"), "{text}");
    if let Ok(request) = outcome {
        let again = read(&request.ticket(), REQUEST).expect("a ticket of our own");
        assert_eq!((&again.content, again.started_at), (&ticket.content, ticket.started_at), "{text}");
    }
}

/// The device is looked for exactly if its question was shown to this user.
fn check_device(text: &str, ticket: Option<Ticket>, error: &OAuthError) {
    let device = ticket.filter(|ticket| ticket.binding == binding()).map(|ticket| ticket.content);
    assert_eq!(error.code().name() == "expired_token", device.is_some(), "{text}: {error}");
    let expected = device.as_deref().and_then(letters).map(|letters| (RecordKind::UserCode, letters));
    assert_eq!(DESK.asked(), expected.into_iter().collect::<Vec<_>>(), "{text}");
}

fn is_refused<T>(outcome: &Result<T, AuthorizationError>, why: &str) -> bool {
    matches!(outcome, Err(AuthorizationError::Page(error)) if error.description().contains(why))
}

struct Ticket {
    started_at: u64,
    binding: [u8; 16],
    content: String,
}

/// What a ticket says that is accepted for a page of this kind.
fn read(text: &str, kind: u8) -> Option<Ticket> {
    let signed = FORM.open(text).filter(|_| text.len() <= 32 * 1024)?;
    let number = |at: usize| Some(u64::from_be_bytes(signed.get(at..at + 8)?.try_into().ok()?).min(YEAR_9999));
    let (started_at, made_at) = (number(3)?, number(11)?);
    let binding = signed.get(19..35)?.try_into().ok()?;
    let content = String::from_utf8(signed.get(35..)?.to_vec()).ok()?;
    let is_it = signed[2] == kind && NOW < made_at + 3600;
    is_it.then_some(Ticket { started_at, binding, content })
}

fn binding() -> [u8; 16] {
    let bound = [&SUBJECT.len().to_le_bytes(), SUBJECT.as_bytes(), BROWSER.as_bytes()].concat();
    digest::digest(&digest::SHA256, &bound).as_ref()[..16].try_into().unwrap()
}

static DESK: LazyLock<Desk> = LazyLock::new(|| {
    let page = Client::public("page").redirect_uri(CALLBACK).scope("orders:read").resource(ORDERS);
    let page = page.grants([GrantType::AuthorizationCode, GrantType::DeviceCode]);
    Desk::new(ClientList::new([page]).unwrap(), |builder| builder)
});
