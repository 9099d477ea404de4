//! The parts of a request that a location looks at, and the ones that it may change.

use std::fmt;

use http::{Extensions, HeaderMap, Method, Request, Uri, request::Parts};

/// A request without its body, borrowed. Made from `&http::Request<B>` or `&http::request::Parts`.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct RequestHead<'r> {
    /// The method.
    pub method: &'r Method,
    /// The request target.
    pub uri: &'r Uri,
    /// The HTTP headers.
    pub headers: &'r HeaderMap,
    /// What outer layers have left.
    pub extensions: &'r Extensions,
}

impl<'r, B> From<&'r Request<B>> for RequestHead<'r> {
    fn from(request: &'r Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }
}

impl<'r> From<&'r Parts> for RequestHead<'r> {
    fn from(parts: &'r Parts) -> Self {
        Self { method: &parts.method, uri: &parts.uri, headers: &parts.headers, extensions: &parts.extensions }
    }
}

/// Deliberately not derived: the target and the headers may hold the credential.
impl fmt::Debug for RequestHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead").field("method", self.method).finish_non_exhaustive()
    }
}

/// A request without its body, to be changed. Made from `&mut http::Request<B>` or `&mut http::request::Parts`.
pub struct RequestHeadMut<'r> {
    head: &'r mut (dyn Head + 'r),
}

impl RequestHeadMut<'_> {
    /// The request target.
    pub fn uri(&self) -> &Uri {
        self.head.uri()
    }

    /// The request target, to be changed.
    pub fn uri_mut(&mut self) -> &mut Uri {
        self.head.uri_mut()
    }

    /// The HTTP headers, to be changed.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        self.head.headers_mut()
    }

    /// What outer layers have left, to be changed.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        self.head.extensions_mut()
    }
}

impl<'r, B> From<&'r mut Request<B>> for RequestHeadMut<'r> {
    fn from(request: &'r mut Request<B>) -> Self {
        Self { head: request }
    }
}

impl<'r> From<&'r mut Parts> for RequestHeadMut<'r> {
    fn from(parts: &'r mut Parts) -> Self {
        Self { head: parts }
    }
}

impl fmt::Debug for RequestHeadMut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHeadMut").finish_non_exhaustive()
    }
}

/// Why a trait: `http::Request` lends its parts one at a time only, and taking it apart moves some 250 bytes.
trait Head {
    fn uri(&self) -> &Uri;
    fn uri_mut(&mut self) -> &mut Uri;
    fn headers_mut(&mut self) -> &mut HeaderMap;
    fn extensions_mut(&mut self) -> &mut Extensions;
}

impl<B> Head for Request<B> {
    fn uri(&self) -> &Uri {
        self.uri()
    }

    fn uri_mut(&mut self) -> &mut Uri {
        self.uri_mut()
    }

    fn headers_mut(&mut self) -> &mut HeaderMap {
        self.headers_mut()
    }

    fn extensions_mut(&mut self) -> &mut Extensions {
        self.extensions_mut()
    }
}

impl Head for Parts {
    fn uri(&self) -> &Uri {
        &self.uri
    }

    fn uri_mut(&mut self) -> &mut Uri {
        &mut self.uri
    }

    fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.headers
    }

    fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.extensions
    }
}
