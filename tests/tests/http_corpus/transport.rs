//! Two ways to bring a case to the service: as a value, and as octets over a socket.

use axum::{Router, body::Body, http::Request};
use http::{HeaderMap, HeaderName, HeaderValue, header::WWW_AUTHENTICATE};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tower::ServiceExt;

use super::{corpus::Case, http1};

/// An answer, as far as it is looked at.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The values of `WWW-Authenticate`, in order.
    pub(crate) challenges: Vec<Vec<u8>>,
}

/// The answer to a request made of `http` types; `None` if the case cannot be made of them.
pub(crate) async fn as_value(router: &Router, case: &Case) -> Option<Answer> {
    let mut request = Request::get(&case.target).body(Body::empty()).unwrap();
    *request.headers_mut() = headers(case)?;
    let response = router.clone().oneshot(request).await.unwrap();
    let challenges = response.headers().get_all(WWW_AUTHENTICATE);
    Some(Answer {
        status: response.status().as_u16(),
        challenges: challenges.iter().map(|value| value.as_bytes().to_vec()).collect(),
    })
}

/// The answer to exactly these octets over a connection of their own.
pub(crate) async fn over_socket(server: &http1::Server, case: &Case) -> Answer {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(&request_octets(case)).await.unwrap();
    let mut octets = Vec::new();
    stream.read_to_end(&mut octets).await.unwrap();
    read_head(&octets)
}

fn headers(case: &Case) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in case.header_octets() {
        headers.append(HeaderName::from_bytes(&name).ok()?, HeaderValue::from_bytes(&value).ok()?);
    }
    Some(headers)
}

fn request_octets(case: &Case) -> Vec<u8> {
    let mut octets = format!("GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", case.target).into_bytes();
    for (name, value) in case.header_octets() {
        octets.extend([&name, &b": "[..], &value, b"\r\n"].concat());
    }
    octets.extend(b"\r\n");
    octets
}

/// Status and challenges of a response whose form is our own server's, so read without ceremony.
fn read_head(octets: &[u8]) -> Answer {
    let end = octets.windows(4).position(|window| window == b"\r\n\r\n").expect("a whole head");
    let mut lines = octets[..end].split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let status = lines.next().unwrap().strip_prefix(b"HTTP/1.1 ").expect("a status line");
    let fields = lines.map(|line| line.split_at(line.iter().position(|&byte| byte == b':').unwrap()));
    let challenges = fields.filter(|(name, _)| name.eq_ignore_ascii_case(b"www-authenticate"));
    Answer {
        status: std::str::from_utf8(&status[..3]).unwrap().parse().unwrap(),
        challenges: challenges.map(|(_, value)| value[1..].trim_ascii().to_vec()).collect(),
    }
}
