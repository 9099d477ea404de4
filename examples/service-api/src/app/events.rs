//! A stream of server-sent events that lasts no longer than the identity that asked for it.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    response::{
        IntoResponse, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::{Stream, stream::unfold};
use portcullis::Claims;
use portcullis_store::{EndOfIdentity, Ended, Revocations};
use serde_json::{Value, json};
use tokio::sync::{broadcast, watch};

use super::{STALE_READS, orders::Orders};

/// What a stream is made of.
#[derive(Clone, Debug)]
pub(super) struct EventDesk {
    pub(super) orders: Orders,
    pub(super) revocations: Revocations,
    /// Turns true when the service is about to end.
    pub(super) ending: watch::Receiver<bool>,
}

/// `GET /events`: orders as they are placed, and at the end why it ends. (Browsers: `fetch` can send the token,
/// `EventSource` cannot.)
pub(super) async fn events(State(desk): State<EventDesk>, claims: Claims) -> impl IntoResponse {
    // During an outage of the log, a stream goes on for as long as orders can still be read.
    let end = desk.revocations.end_of(claims.0).unless_confirmed_within(STALE_READS);
    let feed = Feed { placed: desk.orders.placed(), end, ending: desk.ending, is_over: false };
    Sse::new(feed.into_stream()).keep_alive(KeepAlive::new().interval(ALIVE))
}

/// Proxies close connections on which nothing has come for a minute, usually.
const ALIVE: Duration = Duration::from_secs(15);

struct Feed {
    placed: broadcast::Receiver<Value>,
    end: EndOfIdentity,
    ending: watch::Receiver<bool>,
    is_over: bool,
}

impl Feed {
    fn into_stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        unfold(self, Self::next)
    }

    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        if self.is_over {
            return None;
        }
        let ending = async {
            // It also ends if the sender of such a message is gone.
            let _ = self.ending.wait_for(|is_ending| *is_ending).await;
        };
        let event = tokio::select! {
            // In this order: nothing is sent to an identity that has ended.
            biased;
            ended = &mut self.end => self.over(&reason(ended)),
            () = ending => self.over(&json!({ "reason": "service_ends" })),
            placed = self.placed.recv() => match placed {
                Ok(order) => Event::default().event("order").data(order.to_string()),
                // A slow reader: it has to look for itself what it has missed.
                Err(broadcast::error::RecvError::Lagged(_)) => Event::default().event("missed").data("{}"),
                Err(broadcast::error::RecvError::Closed) => return None,
            },
        };
        Some((Ok(event), self))
    }

    fn over(&mut self, why: &Value) -> Event {
        self.is_over = true;
        Event::default().event("end").data(why.to_string())
    }
}

fn reason(ended: Ended) -> Value {
    match ended {
        Ended::Expired => json!({ "reason": "expired" }),
        Ended::Revoked(level) => json!({ "reason": "revoked", "level": level.as_str() }),
        // The log of revocations cannot be read.
        _ => json!({ "reason": "unconfirmed" }),
    }
}
