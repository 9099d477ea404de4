//! Tests where credentials are found, and that they are removed from the request.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use http::{HeaderName, HeaderValue, Request, request::Parts};
use portcullis::location::{
    AuthorizationHeader, BearerMethod, Cookie, Found, HttpHeader, QueryParameter, RequestHead, RequestHeadMut,
    ResponseCaching, TokenLocation, WebSocketSubprotocol,
};

/// The expected result of [`TokenLocation::find`].
#[derive(Debug, PartialEq)]
enum Outcome {
    Absent,
    Token(&'static str),
    Malformed,
    Several,
}

use Outcome::{Absent, Malformed, Several, Token};

/// RFC 6750 section 2.1.
fn is_b64token(text: &[u8]) -> bool {
    let end = text.iter().position(|&byte| byte == b'=').unwrap_or(text.len());
    let (body, padding) = text.split_at(end);
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte);
    !body.is_empty() && body.iter().all(fits) && padding.iter().all(|&byte| byte == b'=')
}

fn assert_finds(name: &str, location: &dyn TokenLocation, request: &Request<()>, expected: &Outcome) {
    let found = location.find(RequestHead::from(request));
    let same = match (&found, expected) {
        (Found::Absent, Absent) | (Found::Malformed(_), Malformed) | (Found::Several, Several) => true,
        (Found::Token(token), Token(expected)) => **token == *expected.as_bytes(),
        // the layer refuses it as malformed
        (Found::Token(token), Malformed) => !is_b64token(token),
        _ => false,
    };
    assert!(same, "{name}: found {found:?}, expected {expected:?}");
}

fn with_headers(headers: &[(&str, &[u8])]) -> Request<()> {
    let mut request = Request::new(());
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        request.headers_mut().append(name, HeaderValue::from_bytes(value).unwrap());
    }
    request
}

fn strip(location: &dyn TokenLocation, request: &mut Request<()>) {
    location.strip(&mut RequestHeadMut::from(request));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn the_authorization_header() {
    let cases: &[(&str, &[&[u8]], Outcome)] = &[
        ("plain", &[b"Bearer a.b.c"], Token("a.b.c")),
        ("lower case", &[b"bearer a.b.c"], Token("a.b.c")),
        ("mixed case", &[b"bEaReR a.b.c"], Token("a.b.c")),
        ("several spaces", &[b"Bearer   a.b.c"], Token("a.b.c")),
        ("space around the value", &[b" Bearer a.b.c\t"], Token("a.b.c")),
        ("every character of the grammar", &[b"Bearer azAZ09-._~+/=="], Token("azAZ09-._~+/==")),
        ("standard base64 alphabet", &[b"Bearer a.b.c+/"], Token("a.b.c+/")),
        ("padding at the end", &[b"Bearer a.b.c="], Token("a.b.c=")),
        ("padding inside", &[b"Bearer a.b=.c"], Malformed),
        ("padding only", &[b"Bearer =="], Malformed),
        ("no header", &[], Absent),
        ("empty", &[b""], Absent),
        ("blank", &[b"  "], Absent),
        ("Basic", &[b"Basic dXNlcjpwYXNz"], Absent),
        ("Digest", &[b"Digest username=\"u\", realm=\"r\""], Absent),
        ("AWS4", &[b"AWS4-HMAC-SHA256 Credential=x, Signature=00"], Absent),
        ("Token", &[b"Token a.b.c"], Absent),
        ("longer scheme", &[b"Bearerx a.b.c"], Absent),
        ("scheme with a hyphen", &[b"Bearer-x a.b.c"], Absent),
        ("other bytes", &[b"\xff\xfe"], Absent),
        ("scheme only", &[b"Bearer"], Malformed),
        ("scheme and a space", &[b"Bearer "], Malformed),
        ("tab after the scheme", &[b"Bearer\ta.b.c"], Malformed),
        ("tab after the space", &[b"Bearer \ta.b.c"], Malformed),
        ("tab inside", &[b"Bearer a.b\t.c"], Malformed),
        ("colon", &[b"Bearer: a.b.c"], Malformed),
        ("in angle brackets", &[b"Bearer <a.b.c>"], Malformed),
        ("in quotes", &[b"Bearer \"a.b.c\""], Malformed),
        ("as a parameter", &[b"Bearer access_token=\"a.b.c\""], Malformed),
        ("parameter after", &[b"Bearer a.b.c realm=\"x\""], Malformed),
        ("joined by a comma", &[b"Bearer a.b.c, Bearer d.e.f"], Malformed),
        ("comma, Basic", &[b"Bearer a.b.c, Basic dXNlcjpwYXNz"], Malformed),
        ("percent-encoded", &[b"Bearer a.b%0A.c"], Malformed),
        ("full-width dots", &[b"Bearer a\xef\xbc\x8eb\xef\xbc\x8ec"], Malformed),
        ("Latin-1", &[b"Bearer a.b.\xe9"], Malformed),
        ("two", &[b"Bearer a.b.c", b"Bearer d.e.f"], Several),
        ("the same twice", &[b"Bearer a.b.c", b"Bearer a.b.c"], Several),
        ("Basic first", &[b"Basic dXNlcjpwYXNz", b"Bearer a.b.c"], Several),
        ("an empty one first", &[b"", b"Bearer a.b.c"], Several),
        ("two of other schemes", &[b"Basic dXNlcjpwYXNz", b"Token x"], Several),
    ];
    for (name, values, expected) in cases {
        let headers: Vec<_> = values.iter().map(|&value| ("authorization", value)).collect();
        assert_finds(name, &AuthorizationHeader::new(), &with_headers(&headers), expected);
    }
}

#[test]
fn other_locations_ignore_the_authorization_header() {
    let elsewhere: &[&[(&str, &[u8])]] = &[
        &[("proxy-authorization", b"Bearer a.b.c")],
        &[("cookie", b"access_token=a.b.c")],
        &[("x-forwarded-authorization", b"Bearer a.b.c")],
    ];
    for headers in elsewhere {
        assert_finds("elsewhere", &AuthorizationHeader::new(), &with_headers(headers), &Absent);
    }
}

#[test]
fn a_token_is_found_in_a_custom_header() {
    let cases: &[(&str, &[&[u8]], Outcome)] = &[
        ("plain", &[b"a.b.c"], Token("a.b.c")),
        ("with the scheme", &[b"Bearer a.b.c"], Token("a.b.c")),
        ("with the scheme in another case", &[b"bearer  a.b.c"], Token("a.b.c")),
        ("looks like the scheme", &[b"bearer.b.c"], Token("bearer.b.c")),
        ("none", &[], Absent),
        ("empty", &[b""], Absent),
        ("scheme only", &[b"Bearer"], Malformed),
        ("another scheme", &[b"Basic a.b.c"], Malformed),
        ("two words", &[b"a.b.c d.e.f"], Malformed),
        ("two values", &[b"a.b.c,d.e.f"], Malformed),
        ("other bytes", &[b"a.b.\xff"], Malformed),
        ("twice", &[b"a.b.c", b"a.b.c"], Several),
        ("twice, one empty", &[b"", b"a.b.c"], Several),
    ];
    let location = HttpHeader::new("x-user-jwt").unwrap();
    for (name, values, expected) in cases {
        let mut headers: Vec<_> = values.iter().map(|&value| ("x-user-jwt", value)).collect();
        headers.push(("authorization", b"Bearer other"));
        assert_finds(name, &location, &with_headers(&headers), expected);
    }
}

#[test]
fn a_token_is_found_in_a_cookie() {
    let cases: &[(&str, &[&[u8]], Outcome)] = &[
        ("alone", &[b"__Host-token=a.b.c"], Token("a.b.c")),
        ("among others", &[b"a=1; __Host-token=a.b.c; b=\"2\""], Token("a.b.c")),
        ("without the space", &[b"a=1;__Host-token=a.b.c"], Token("a.b.c")),
        ("beside odd ones", &[b"=; x; \xff=\xff; __Host-token=a.b.c; "], Token("a.b.c")),
        ("in the second header", &[b"a=1", b"__Host-token=a.b.c"], Token("a.b.c")),
        ("none", &[], Absent),
        ("others", &[b"a=1; token=a.b.c"], Absent),
        ("emptied", &[b"__Host-token="], Absent),
        ("name in another case", &[b"__host-token=a.b.c"], Absent),
        ("longer name", &[b"__Host-token2=a.b.c"], Absent),
        ("name within a name", &[b"x__Host-token=a.b.c"], Absent),
        ("name within a value", &[b"a=__Host-token=a.b.c"], Absent),
        ("nameless", &[b"=__Host-token=a.b.c"], Absent),
        ("within a quoted value: no quotes in RFC 6265", &[b"a=\"x; __Host-token=a.b.c; y\""], Token("a.b.c")),
        ("quoted", &[b"__Host-token=\"a.b.c\""], Token("a.b.c")),
        ("quoted and empty", &[b"__Host-token=\"\""], Absent),
        ("a quote at the start", &[b"__Host-token=\"a.b.c"], Malformed),
        ("a quote at the end", &[b"__Host-token=a.b.c\""], Malformed),
        ("one quote", &[b"__Host-token=\""], Malformed),
        ("quotes within quotes", &[b"__Host-token=\"\"a.b.c\"\""], Malformed),
        ("single quotes", &[b"__Host-token='a.b.c'"], Malformed),
        ("encoded", &[b"__Host-token=a%2Eb.c"], Malformed),
        ("without the equals sign", &[b"__Host-token; a=1"], Malformed),
        ("space before the equals sign", &[b"__Host-token =a.b.c"], Malformed),
        ("space after the equals sign", &[b"__Host-token= a.b.c"], Malformed),
        ("joined by a comma", &[b"__Host-token=a.b.c, a=1"], Malformed),
        ("twice", &[b"__Host-token=a.b.c; __Host-token=d.e.f"], Several),
        ("the same twice", &[b"__Host-token=a.b.c; __Host-token=a.b.c"], Several),
        ("emptied and set", &[b"__Host-token=; __Host-token=a.b.c"], Several),
        ("in two headers", &[b"__Host-token=a.b.c", b"__Host-token=d.e.f"], Several),
        ("in two spellings", &[b"__Host-token =a.b.c; __Host-token=d.e.f"], Several),
    ];
    for (name, values, expected) in cases {
        let headers: Vec<_> = values.iter().map(|&value| ("cookie", value)).collect();
        assert_finds(name, &Cookie::new("__Host-token").unwrap(), &with_headers(&headers), expected);
    }
}

#[test]
fn a_token_is_found_in_a_websocket_subprotocol() {
    let cases: &[(&str, &[&[u8]], Outcome)] = &[
        ("after a protocol", &[b"app.v1, bearer.a.b.c"], Token("a.b.c")),
        ("before a protocol", &[b"bearer.a.b.c,app.v1"], Token("a.b.c")),
        ("alone", &[b"bearer.a.b.c"], Token("a.b.c")),
        ("in the second header", &[b"app.v1", b"bearer.a.b.c"], Token("a.b.c")),
        ("none", &[], Absent),
        ("protocols only", &[b"app.v1, app.v2"], Absent),
        ("prefix without its dot", &[b"bearer, app.v1"], Absent),
        ("prefix in another case", &[b"Bearer.a.b.c"], Absent),
        ("prefix only", &[b"bearer., app.v1"], Malformed),
        ("with a space", &[b"bearer.a.b .c"], Malformed),
        ("twice", &[b"bearer.a.b.c, bearer.d.e.f"], Several),
        ("in two headers", &[b"bearer.a.b.c", b"bearer.a.b.c"], Several),
        ("one without a token", &[b"bearer., bearer.a.b.c"], Several),
    ];
    for (name, values, expected) in cases {
        let headers: Vec<_> = values.iter().map(|&value| ("sec-websocket-protocol", value)).collect();
        assert_finds(name, &WebSocketSubprotocol::new(), &with_headers(&headers), expected);
    }
    let other = WebSocketSubprotocol::new().prefix("access_token.").unwrap();
    let request = with_headers(&[("sec-websocket-protocol", b"bearer.x, access_token.a.b.c")]);
    assert_finds("another prefix", &other, &request, &Token("a.b.c"));
}

#[test]
fn a_token_is_found_in_a_query_parameter() {
    let cases = [
        ("alone", "/?access_token=a.b.c", Token("a.b.c")),
        ("among others", "/x?a=1&access_token=a.b.c&b=%20", Token("a.b.c")),
        ("absolute form", "http://h/x?access_token=a.b.c", Token("a.b.c")),
        ("encoded", "/?access_token=a%2Eb%2ec", Token("a.b.c")),
        ("encoded name", "/?acc%65ss_token=a.b.c", Token("a.b.c")),
        ("beside odd ones", "/?%zz=%&&=&access_token=a.b.c", Token("a.b.c")),
        ("encoded padding", "/?access_token=a.b.c%3D", Token("a.b.c=")),
        ("no query", "/", Absent),
        ("empty query", "/?", Absent),
        ("others", "/?a=1&token=a.b.c", Absent),
        ("name in another case", "/?Access_Token=a.b.c", Absent),
        ("longer name", "/?access_token2=a.b.c", Absent),
        ("within a value", "/?a=access_token=a.b.c", Absent),
        ("in the path", "/access_token=a.b.c", Absent),
        ("empty", "/?access_token=", Malformed),
        ("without the equals sign", "/?access_token", Malformed),
        ("plus is a space", "/?access_token=a.b.c+", Malformed),
        ("encoded space", "/?access_token=a.b.c%20", Malformed),
        ("encoded line feed", "/?access_token=a.b.c%0A", Malformed),
        ("stray percent", "/?access_token=a.b.c%", Malformed),
        ("half an escape", "/?access_token=a.b.c%2", Malformed),
        ("escape of no digits", "/?access_token=a.b.c%2x", Malformed),
        ("encoded other bytes", "/?access_token=a.b.c%ff", Malformed),
        ("twice", "/?access_token=a.b.c&access_token=d.e.f", Several),
        ("the same twice", "/?access_token=a.b.c&access_token=a.b.c", Several),
        ("one empty", "/?access_token=&access_token=a.b.c", Several),
        ("in two spellings", "/?access_token=a.b.c&acc%65ss_token=d.e.f", Several),
    ];
    for (name, target, expected) in cases {
        let request = Request::get(target).body(()).unwrap();
        assert_finds(name, &QueryParameter::new("access_token").unwrap(), &request, &expected);
    }
}

#[test]
fn plain_credentials_are_borrowed() {
    let location = QueryParameter::new("access_token").unwrap();
    for (target, borrowed) in [("/?access_token=a.b.c", true), ("/?access_token=a%2Eb.c", false)] {
        let request = Request::get(target).body(()).unwrap();
        let found = location.find(RequestHead::from(&request));
        let Found::Token(token) = found else { panic!("{target}: {found:?}") };
        assert_eq!(matches!(token, std::borrow::Cow::Borrowed(_)), borrowed, "{target}");
    }
}

#[test]
fn stripping_the_query_keeps_the_other_parameters_byte_for_byte() {
    let cases = [
        ("/?access_token=a.b.c", "/"),
        ("/x?a=1&access_token=a.b.c&b=%20", "/x?a=1&b=%20"),
        ("/x?access_token=a.b.c&b=+&%zz", "/x?b=+&%zz"),
        ("/x?a&&access_token=a.b.c", "/x?a&"),
        ("/x?acc%65ss_token=a.b.c&a=access_token", "/x?a=access_token"),
        ("https://h:8443/x?access_token=a.b.c", "https://h:8443/x"),
        ("/x?a=1", "/x?a=1"),
        ("/x?", "/x?"),
        ("/x", "/x"),
        ("*", "*"),
    ];
    for (before, after) in cases {
        let mut request = Request::get(before).body(()).unwrap();
        strip(&QueryParameter::new("access_token").unwrap(), &mut request);
        assert_eq!(request.uri().to_string(), Request::get(after).body(()).unwrap().uri().to_string(), "{before}");
        assert_eq!(request.uri().query(), after.split_once('?').map(|(_, query)| query), "{before}");
    }
}

#[test]
fn stripping_the_subprotocol_keeps_the_other_protocols() {
    let cases: &[(&[&[u8]], &[&str])] = &[
        (&[b"app.v1, bearer.a.b.c"], &["app.v1"]),
        (&[b"bearer.a.b.c, app.v1,app.v2"], &["app.v1, app.v2"]),
        (&[b"app.v1", b"bearer.a.b.c", b"app.v2"], &["app.v1", "app.v2"]),
        (&[b"app.v1,app.v2", b"x, bearer.a.b.c"], &["app.v1,app.v2", "x"]),
        (&[b"bearer.a.b.c"], &[]),
        (&[b", bearer.a.b.c ,"], &[]),
        (&[b"app.v1"], &["app.v1"]),
        (&[], &[]),
    ];
    for (before, after) in cases {
        let headers: Vec<_> = before.iter().map(|&value| ("sec-websocket-protocol", value)).collect();
        let mut request = with_headers(&headers);
        strip(&WebSocketSubprotocol::new(), &mut request);
        let left: Vec<_> = request.headers().get_all("sec-websocket-protocol").iter().collect();
        assert_eq!(left, *after);
    }
}

#[test]
fn stripping_marks_headers_as_sensitive() {
    let custom = HttpHeader::new("x-user-jwt").unwrap();
    let cases: [(&dyn TokenLocation, &str, &[u8]); 3] = [
        (&AuthorizationHeader::new(), "authorization", b"Bearer a.b.c"),
        (&custom, "x-user-jwt", b"a.b.c"),
        (&Cookie::new("token").unwrap(), "cookie", b"token=a.b.c"),
    ];
    for (location, name, value) in cases {
        let mut request = with_headers(&[(name, value), ("accept", b"*/*")]);
        strip(location, &mut request);
        assert_eq!(request.headers()[name].as_bytes(), value);
        assert!(request.headers()[name].is_sensitive(), "{name}");
        assert!(!request.headers()["accept"].is_sensitive());
        assert!(!format!("{request:?}").contains("a.b.c"));
    }
}

#[test]
fn headers_that_are_found_and_marked_are_found_like_any_others() {
    let custom = HttpHeader::new("x-user-jwt").unwrap();
    let places: [(&dyn TokenLocation, &str); 2] =
        [(&AuthorizationHeader::new(), "authorization"), (&custom, "x-user-jwt")];
    for (location, name) in places {
        let values: [&[&[u8]]; 8] = [
            &[],
            &[b""],
            &[b" Bearer a.b.c "],
            &[b"bEARER  a.b.c"],
            &[b"Bearer\ta.b.c"],
            &[b"Basic a"],
            &[b"Basic a, Bearer a.b.c"],
            &[b"Bearer a.b.c", b"Bearer a.b.c"],
        ];
        for values in values {
            let headers: Vec<_> = values.iter().map(|value| (name, *value)).chain([("accept", &b"*/*"[..])]).collect();
            let mut request = with_headers(&headers);
            let shown = |found: &Found<'_>| match found {
                Found::Token(token) => String::from_utf8_lossy(token).into_owned(),
                other => format!("{other:?}"),
            };
            let expected = shown(&location.find((&request).into()));
            assert_eq!(shown(&location.find_and_mark(&mut (&mut request).into())), expected, "{name}: {values:?}");
            assert_eq!(shown(&location.find((&request).into())), expected, "the request can be read again");
            let is_marked = request.headers().get(name).is_some_and(http::HeaderValue::is_sensitive);
            assert_eq!(is_marked, values.len() == 1, "{name}: {values:?}");
            assert!(!request.headers()["accept"].is_sensitive());
        }
    }
}

#[test]
fn parts_are_stripped_like_requests() {
    let (mut parts, ()): (Parts, ()) = Request::get("/?access_token=a.b.c&x=1").body(()).unwrap().into_parts();
    let location = QueryParameter::new("access_token").unwrap();
    assert!(matches!(location.find(RequestHead::from(&parts)), Found::Token(_)));
    location.strip(&mut RequestHeadMut::from(&mut parts));
    assert!(matches!(location.find(RequestHead::from(&parts)), Found::Absent));
    assert_eq!(parts.uri, "/?x=1");
}

#[test]
fn every_location_describes_itself() {
    let cases: [(&dyn TokenLocation, &str, Option<BearerMethod>, ResponseCaching); 5] = [
        (&AuthorizationHeader::new(), "authorization header", Some(BearerMethod::Header), ResponseCaching::Untouched),
        (&HttpHeader::new("x-jwt").unwrap(), "header x-jwt", None, ResponseCaching::Private),
        (&Cookie::new("token").unwrap(), "cookie token", None, ResponseCaching::Private),
        (&WebSocketSubprotocol::new(), "websocket subprotocol bearer.…", None, ResponseCaching::Untouched),
        (&QueryParameter::new("t").unwrap(), "query parameter t", Some(BearerMethod::Query), ResponseCaching::Private),
    ];
    for (location, name, method, caching) in cases {
        let info = location.info();
        assert_eq!((info.name(), info.bearer_method(), info.caching()), (name, method, caching));
    }
}

#[test]
fn custom_locations_are_private_by_default_and_may_be_boxed() {
    #[derive(Debug)]
    struct Always;
    impl TokenLocation for Always {
        fn find<'r>(&self, _: RequestHead<'r>) -> Found<'r> {
            Found::Token(b"a.b.c".into())
        }
    }
    let location: Box<dyn TokenLocation> = Box::new(Always);
    assert_finds("own", &location, &Request::new(()), &Token("a.b.c"));
    assert_eq!(location.info().caching(), ResponseCaching::Private);
    assert!(location.info().name().ends_with("Always"));
}

#[test]
fn debug_of_a_found_credential_shows_no_token() {
    let request = Request::get("/?access_token=s3cr3t").body(()).unwrap();
    let head = RequestHead::from(&request);
    let found = QueryParameter::new("access_token").unwrap().find(head);
    assert!(!format!("{found:?} {head:?}").contains("s3cr3t"));
}

#[test]
fn a_name_that_cannot_occur_is_refused_at_start() {
    assert!(HttpHeader::new("X-User-JWT").is_ok());
    assert!(Cookie::new("__Host-token").is_ok());
    for name in ["", "a b", "a=b", "a;b", "a:b", "ä", "a\n"] {
        assert!(HttpHeader::new(name).is_err(), "{name:?}");
        assert!(Cookie::new(name).is_err(), "{name:?}");
        assert!(WebSocketSubprotocol::new().prefix(name).is_err(), "{name:?}");
    }
    assert!(QueryParameter::new("a b").is_ok(), "any text may be a parameter's name");
    assert!(QueryParameter::new("").is_err());
}
