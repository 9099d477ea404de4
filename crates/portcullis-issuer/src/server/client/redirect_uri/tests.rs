#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::RedirectUri;

fn allows(registered: &str, asked: &str) -> bool {
    RedirectUri::parse(registered).unwrap().allows(asked)
}

#[test]
fn only_the_same_text_is_the_same_uri() {
    let registered = "https://app.example.com/callback";
    assert!(allows(registered, registered));
    for other in [
        "https://app.example.com/callback/",
        "https://app.example.com/callback?x=1",
        "https://app.example.com/Callback",
        "https://APP.example.com/callback",
        "https://app.example.com:443/callback",
        "https://app.example.com/a/../callback",
        "https://app.example.com/callback#x",
        "https://app.example.com.evil.test/callback",
        "https://app.example.com@evil.test/callback",
        "https://app.example.com\\@evil.test/callback",
        "http://app.example.com/callback",
        "https://app.example.com/%63allback",
        "",
    ] {
        assert!(!allows(registered, other), "{other}");
    }
}

#[test]
fn the_port_of_a_loopback_address_may_differ_and_nothing_else() {
    for host in ["127.0.0.1", "[::1]", "localhost"] {
        let registered = format!("http://{host}/callback");
        for asked in [format!("http://{host}:51004/callback"), format!("http://{host}:1/callback")] {
            assert!(allows(&registered, &asked), "{asked}");
            assert!(allows(&asked, &registered), "{asked}");
        }
        for other in [
            format!("http://{host}:51004/other"),
            format!("http://{host}:0/callback"),
            format!("http://{host}:99999/callback"),
            format!("http://{host}:51004@evil.test/callback"),
            format!("http://{host}.evil.test/callback"),
            format!("https://{host}:51004/callback"),
            format!("http://{host}:51004/callback#x"),
            format!("http://{host}:+80/callback"),
        ] {
            assert!(!allows(&registered, &other), "{other}");
        }
    }
    assert!(!allows("http://localhost/callback", "http://127.0.0.1/callback"));
}

#[test]
fn uris_that_cannot_be_registered_say_why() {
    for (refused, why) in [
        ("http://app.example.com/callback", "is not an https URL"),
        ("javascript:alert(1)", "would run"),
        ("data:text/html,x", "would run"),
        ("https://app.example.com/callback#x", "has a fragment"),
        ("https://user@app.example.com/", "user information"),
        ("https:///callback", "has no host"),
        ("https://app.example.com:port/", "a port that is no number"),
        ("app.example.com:8443/callback", "is not absolute"),
        ("//evil.example/x:y", "is not absolute"),
        ("/callback", "is not absolute"),
        ("myapp:/callback", "any application may claim"),
        ("https://app.example.com/ä", "cannot stand in a URI"),
    ] {
        let error = RedirectUri::parse(refused).unwrap_err().to_string();
        assert!(error.contains(why) && error.contains(refused), "{error}");
    }
    for accepted in ["https://app.example.com/callback?tenant=1", "com.example.app:/callback", "http://localhost:3000/"]
    {
        assert!(RedirectUri::parse(accepted).is_ok(), "{accepted}");
    }
}
