//! A server of account tokens over HTTP, for servers with a URL resolver.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    thread,
};

/// Answers until the process ends. Returns the URL.
pub(crate) fn start(accounts: BTreeMap<String, String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/accounts/", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let accounts = accounts.clone();
            // A server keeps its connection.
            thread::spawn(move || answer(stream.unwrap(), &accounts));
        }
    });
    url
}

fn answer(mut stream: TcpStream, accounts: &BTreeMap<String, String>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request).unwrap_or_default() == 0 {
            return;
        }
        let mut line = String::new();
        while reader.read_line(&mut line).unwrap_or_default() > 2 {
            line.clear();
        }
        let path = request.split(' ').nth(1).unwrap_or_default();
        let id = path.trim_start_matches("/accounts/");
        // The server asks for the folder itself when it starts.
        let (status, body) = match accounts.get(id) {
            Some(token) => ("200 OK", &**token),
            None if id.is_empty() => ("200 OK", "ok"),
            None => ("404 Not Found", ""),
        };
        let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    }
}
