//! The view of an HTTP request that authenticators get.

use std::fmt;

use http::{Extensions, Uri};
use portcullis_core::authenticator::{Channel, Header, RequestView};

use super::{Peer, RequestHead};

/// Finds the original request target in a request's extensions.
pub(crate) type OriginalUriHook = fn(&Extensions) -> Option<&Uri>;

/// A view of a request's head.
pub(crate) struct View<'r> {
    pub(crate) head: RequestHead<'r>,
    /// `None` if the layer sees requests as the client sent them.
    pub(crate) original_uri: Option<OriginalUriHook>,
}

impl RequestView for View<'_> {
    fn method(&self) -> &str {
        self.head.method()
    }

    fn target(&self) -> &str {
        let original = self.original_uri.and_then(|hook| hook(self.head.extensions));
        original.map_or_else(|| self.head.target(), target_of)
    }

    fn header(&self, name: &str) -> Header<'_> {
        self.head.header(name)
    }

    fn channel(&self) -> Channel<'_> {
        self.head.channel()
    }
}

/// For handlers that check a proof themselves. The target is that of `uri`: behind a router that takes a prefix off, as axum's `nest` does, set
/// `uri` to the one that the client has sent.
impl RequestView for RequestHead<'_> {
    fn method(&self) -> &str {
        self.method.as_str()
    }

    fn target(&self) -> &str {
        target_of(self.uri)
    }

    fn header(&self, name: &str) -> Header<'_> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Header::Absent,
            (Some(value), None) => Header::One(value.as_bytes().trim_ascii()),
            (Some(_), Some(_)) => Header::Several,
        }
    }

    fn channel(&self) -> Channel<'_> {
        let Some(peer) = self.extensions.get::<Peer>() else { return Channel::default() };
        let channel = peer.address.map_or_else(Channel::default, |address| Channel::default().with_peer(address));
        peer.certificate_sha256.as_deref().map_or(channel, |digest| channel.with_certificate(digest))
    }
}

fn target_of(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/", |target| target.as_str())
}

impl fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use http::Request;

    use super::*;

    #[derive(Clone)]
    struct Original(Uri);

    #[test]
    fn a_view_shows_the_request_as_it_was_sent() {
        let mut request = Request::post("/orders?page=2")
            .header("dpop", " a ")
            .header("x-twice", "1")
            .header("x-twice", "2")
            .body(())
            .unwrap();
        request.extensions_mut().insert(Original(Uri::from_static("https://api.example.com/v1/orders?page=2")));
        request.extensions_mut().insert(Peer::new().address(IpAddr::from([192, 0, 2, 7])).certificate_sha256([7; 32]));
        let view = View { head: (&request).into(), original_uri: None };
        assert_eq!((view.method(), view.target()), ("POST", "/orders?page=2"));
        assert_eq!(view.header("DPoP"), Header::One(b"a"), "without the white space around it");
        assert_eq!((view.header("x-twice"), view.header("absent")), (Header::Several, Header::Absent));
        assert_eq!(view.channel().peer, Some(IpAddr::from([192, 0, 2, 7])));
        assert_eq!(view.channel().certificate_sha256, Some(&[7; 32]));

        let head = RequestHead::from(&request);
        assert_eq!(
            (head.target(), RequestView::method(&head), head.header("dpop")),
            ("/orders?page=2", "POST", Header::One(b"a"))
        );

        let hook: OriginalUriHook = |extensions| extensions.get::<Original>().map(|original| &original.0);
        let original = View { head: (&request).into(), original_uri: Some(hook) };
        assert_eq!(original.target(), "/v1/orders?page=2");
    }

    #[test]
    fn without_a_peer_the_channel_is_empty() {
        let request = Request::new(());
        let view = View { head: (&request).into(), original_uri: None };
        assert_eq!(view.channel(), Channel::default());
        assert_eq!(view.target(), "/");
    }
}
