//! [`RequestHead`] and [`RequestHeadMut`]: the parts of a request that a location reads or changes.

use std::fmt;

use http::{Extensions, HeaderMap, Method, Request, Uri, request::Parts};

/// A borrowed request without its body. Made from `&http::Request<B>` or `&http::request::Parts`.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct RequestHead<'r> {
    /// The method.
    pub method: &'r Method,
    /// The request target.
    pub uri: &'r Uri,
    /// The HTTP headers.
    pub headers: &'r HeaderMap,
    /// What outer layers have added.
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

/// Not derived, because the target and the headers may contain the credential.
impl fmt::Debug for RequestHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead").field("method", self.method).finish_non_exhaustive()
    }
}

/// A mutably borrowed request without its body. Made from `&mut http::Request<B>` or `&mut http::request::Parts`.
pub struct RequestHeadMut<'r> {
    head: &'r mut (dyn Head + 'r),
}

impl RequestHeadMut<'_> {
    /// Returns the request, for reading it.
    pub fn head(&self) -> RequestHead<'_> {
        self.head.head()
    }

    /// Returns the request target.
    pub fn uri(&self) -> &Uri {
        self.head().uri
    }

    /// Returns the request target, for changing it.
    pub fn uri_mut(&mut self) -> &mut Uri {
        self.head.uri_mut()
    }

    /// Returns the HTTP headers, for changing them.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        self.head.headers_mut()
    }

    /// Returns what outer layers have added, for changing it.
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

/// A trait, because `http::Request` lends its parts only one at a time, and taking it apart moves some 250 bytes.
trait Head {
    fn head(&self) -> RequestHead<'_>;
    fn uri_mut(&mut self) -> &mut Uri;
    fn headers_mut(&mut self) -> &mut HeaderMap;
    fn extensions_mut(&mut self) -> &mut Extensions;
}

impl<B> Head for Request<B> {
    fn head(&self) -> RequestHead<'_> {
        self.into()
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
    fn head(&self) -> RequestHead<'_> {
        self.into()
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
