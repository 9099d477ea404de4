//! Where the text of a token must never be.

use std::{
    error::Error,
    fmt::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
    sync::{Arc, Mutex},
    thread,
};

use portcullis::AuthLayer;
use portcullis_issuer::api_tokens::{ApiTokenStore, CreatedApiToken, RevokedReason, Rotation};
use tower::{Layer, ServiceExt, service_fn};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::set_default,
};

use crate::house::{House, acme, secs};

/// Whatever is said on this thread, of each level: spans, events and all their fields.
#[derive(Clone, Debug, Default)]
struct Said(Arc<Mutex<String>>);

impl Said {
    fn add(&self, text: fmt::Arguments<'_>) {
        writeln!(self.0.lock().unwrap(), "{text}").unwrap();
    }

    fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }

    /// Keeps the messages of panics on this thread. Those of others are reported as before.
    fn also_panics(&self) {
        let (said, this, before) = (self.clone(), thread::current().id(), take_hook());
        set_hook(Box::new(move |panic| {
            if thread::current().id() == this {
                said.add(format_args!("{panic}"));
            } else {
                before(panic);
            }
        }));
    }
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(format_args!("{}={value:?}", field.name()));
    }
}

impl Subscriber for Said {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn event(&self, event: &Event<'_>) {
        self.add(format_args!("{}", event.metadata().name()));
        event.record(&mut self.clone());
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        self.add(format_args!("{}", attributes.metadata().name()));
        attributes.record(&mut self.clone());
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// Any eight characters of the secret, the tag and the checksum.
fn has_none_of(tokens: &[&CreatedApiToken], printed: &str) {
    for text in tokens.iter().map(|token| token.secret().expose()) {
        for window in text.as_bytes()[8..].windows(8) {
            let part = std::str::from_utf8(window).unwrap();
            assert!(!printed.contains(part), "{part} of {text}");
        }
    }
}

fn chain(error: &dyn Error) -> String {
    let mut printed = String::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        write!(printed, "{error} {error:?}").unwrap();
        cause = error.source();
    }
    printed
}

/// Everything that is printed or kept in a run, searched for the texts.
#[tokio::test]
async fn pitfall_6_the_text_of_a_token_is_in_no_row_no_debug_output_no_event_and_no_error() {
    let (house, mut printed) = (House::new(), String::new());
    let first = house.service_account().await;
    let child = house.child_of(&first).await;
    let request = "a request of 16 bytes or more";
    let second = house.tokens.rotate(first.token().id(), Rotation::new(request)).await.unwrap();
    let mut errors: Vec<Box<dyn Error>> = Vec::new();
    for token in [&first, &child, &second] {
        let verified = house.verify(token).await.unwrap();
        write!(printed, "{verified:?} {} {token:?}", verified.claims_json()).unwrap();
    }
    errors
        .push(Box::new(house.tokens.rotate(first.token().id(), Rotation::new("another one of 16")).await.unwrap_err()));
    house.tokens.revoke(second.token().id(), RevokedReason::Leaked).await.unwrap();
    errors.push(Box::new(house.verify(&second).await.unwrap_err()));
    house.store.down(true);
    house.clock.advance(secs(61));
    errors.push(Box::new(house.verify(&first).await.unwrap_err()));
    house.store.down(false);
    printed.extend(errors.iter().map(|error| chain(&**error)));
    for row in house.store.all(None, 100).await.unwrap().rows {
        write!(printed, "{} {row:?}", row.to_json()).unwrap();
    }
    write!(printed, "{:?} {:?}", house.take_events(), house.tokens.list(&acme()).await.unwrap()).unwrap();
    write!(printed, "{:?} {:?} {:?}", house.tokens, house.admission, Rotation::new(request)).unwrap();
    has_none_of(&[&first, &child, &second], &printed);
    assert!(!printed.contains(request) && printed.len() > 5_000);
}

/// What a program says that dies of a value.
fn die_of(result: Result<(), impl fmt::Debug>) {
    let died = catch_unwind(AssertUnwindSafe(|| result.unwrap()));
    assert!(died.is_err());
}

/// Asks a service with a text, and says all there is to say about the answer, which is returned.
async fn ask(house: &House, said: &Said, presented: &str) -> u16 {
    let service = AuthLayer::new(house.admission.clone())
        .layer(service_fn(async |_: http::Request<()>| Ok::<_, http::Error>(http::Response::new(String::new()))));
    let request = http::Request::get("/").header("authorization", format!("Bearer {presented}")).body(()).unwrap();
    let answer = service.oneshot(request).await.unwrap();
    said.add(format_args!("{answer:?}"));
    match house.admission.verify(presented).outcome().await {
        Ok(verified) => die_of(Err(verified)),
        Err(error) => {
            said.add(format_args!("{}", chain(&error)));
            die_of(Err(error));
        }
    }
    answer.status().as_u16()
}

#[tokio::test]
async fn pitfall_6_the_text_of_a_token_is_in_no_trace_no_message_of_a_panic_and_no_chain_of_errors() {
    let house = House::new();
    let [first, revoked, unseen] =
        [house.service_account().await, house.service_account().await, house.service_account().await];
    let said = Said::default();
    said.also_panics();
    let _guard = set_default(said.clone());
    house.tokens.revoke(revoked.token().id(), RevokedReason::Leaked).await.unwrap();
    let text = first.secret().expose();
    assert_eq!(ask(&house, &said, text).await, 200);
    let damaged = format!("{}{}", &text[..47], if text.ends_with('0') { '1' } else { '0' });
    for refused in [revoked.secret().expose(), &damaged, &format!("{text}0"), &text[..40]] {
        assert_eq!(ask(&house, &said, refused).await, 401);
    }
    house.store.down(true);
    assert_eq!(ask(&house, &said, unseen.secret().expose()).await, 503);
    let error = house.tokens.rotate(unseen.token().id(), Rotation::new([1; 16])).await.unwrap_err();
    said.add(format_args!("{}", chain(&error)));
    die_of(Err((&first, &house.tokens, error)));
    let said = said.text();
    for part in ["token_revoked", "credential_undecided", "auth.verify", "called `Result::unwrap()`"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    has_none_of(&[&first, &revoked, &unseen], &said);
}
