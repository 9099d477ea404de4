//! Reads `WWW-Authenticate` (RFC 9110 section 11.6.1) by its grammar, so that a comma too few is a failure.

use std::collections::BTreeMap;

/// One challenge: a scheme and its parameters, names in lower case.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(crate) scheme: String,
    pub(crate) parameters: BTreeMap<String, String>,
}

/// The challenges of all the fields' values.
///
/// # Errors
///
/// What is wrong, if it is not `#challenge`. The form with a `token68` is not among ours and refused.
pub(crate) fn parse<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Challenge>, String> {
    let mut challenges = Vec::new();
    for value in values {
        let text = std::str::from_utf8(value).map_err(|_| "not ASCII".to_owned())?;
        Reader(text).challenges(&mut challenges)?;
    }
    Ok(challenges)
}

struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    fn challenges(&mut self, challenges: &mut Vec<Challenge>) -> Result<(), String> {
        loop {
            let name = self.token()?;
            // A name with `=` behind it is a parameter of the challenge before; without, it begins the next one.
            match challenges.last_mut() {
                Some(challenge) if self.0.starts_with('=') => self.parameter(name, challenge)?,
                _ => {
                    let mut challenge = Challenge { scheme: name.to_owned(), parameters: BTreeMap::new() };
                    if self.eat(" ") {
                        let name = self.token()?;
                        self.parameter(name, &mut challenge)?;
                    }
                    challenges.push(challenge);
                }
            }
            if self.0.is_empty() {
                return Ok(());
            }
            if !self.eat(",") {
                return Err(format!("no comma before {:?}", self.0));
            }
            self.0 = self.0.trim_start_matches([' ', '\t']);
        }
    }

    fn parameter(&mut self, name: &str, challenge: &mut Challenge) -> Result<(), String> {
        if !self.eat("=") {
            return Err(format!("no value of {name}"));
        }
        let value = if self.eat("\"") { self.quoted()? } else { self.token()?.to_owned() };
        match challenge.parameters.insert(name.to_ascii_lowercase(), value) {
            None => Ok(()),
            Some(_) => Err(format!("{name} stands twice")),
        }
    }

    fn token(&mut self) -> Result<&'a str, String> {
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        let end = self.0.find(|c| !is_token(c)).unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at(end);
        if token.is_empty() {
            return Err(format!("a token is missing before {rest:?}"));
        }
        self.0 = rest;
        Ok(token)
    }

    /// The rest of a quoted string whose first quote is read (RFC 9110 section 5.6.4).
    fn quoted(&mut self) -> Result<String, String> {
        let mut value = String::new();
        let mut chars = self.0.chars();
        loop {
            match chars.next() {
                Some('"') => break,
                Some('\\') => value.extend(chars.next()),
                Some(c) if c == '\t' || (' '..='~').contains(&c) => value.push(c),
                other => return Err(format!("{other:?} in a quoted string")),
            }
        }
        self.0 = chars.as_str();
        Ok(value)
    }

    fn eat(&mut self, expected: &str) -> bool {
        let rest = self.0.strip_prefix(expected);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }
}

#[test]
fn challenges_are_told_apart() {
    let parsed = parse([&br#"Bearer realm="a, \"b\"", error=invalid_token, Basic realm="c", DPoP"#[..]]).unwrap();
    let schemes: Vec<_> = parsed.iter().map(|challenge| challenge.scheme.as_str()).collect();
    assert_eq!(schemes, ["Bearer", "Basic", "DPoP"]);
    assert_eq!(parsed[0].parameters["realm"], "a, \"b\"");
    assert_eq!(parsed[0].parameters["error"], "invalid_token");
}

#[test]
fn what_is_no_list_of_challenges_is_an_error() {
    for value in [
        "",
        "Bearer ",
        r#"Bearer realm="a" error="b""#,
        r#"Bearer realm="a"#,
        r#"Bearer realm="a", realm="b""#,
        "Bearer realm=",
        "Bearer realm",
    ] {
        assert!(parse([value.as_bytes()]).is_err(), "{value}");
    }
}
