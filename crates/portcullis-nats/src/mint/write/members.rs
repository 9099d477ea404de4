//! [`Members`]: an object of the claims while it is written.

use std::fmt::Write as _;

/// An object of the claims while it is written, in the order of the calls, as Go's `encoding/json` writes it. Empty members are left out.
#[derive(Clone, Debug, Default)]
pub(in crate::mint) struct Members(String);

impl Members {
    /// Writes a text that is not empty.
    pub(in crate::mint) fn text(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.raw(name, &quoted(value));
        }
    }

    /// Writes a number that is not zero.
    pub(in crate::mint) fn number(&mut self, name: &str, value: i64) {
        if value != 0 {
            self.any_number(name, value);
        }
    }

    /// Writes a number, even zero.
    pub(in crate::mint) fn any_number(&mut self, name: &str, value: i64) {
        self.raw(name, &value.to_string());
    }

    /// Writes `true`.
    pub(in crate::mint) fn flag(&mut self, name: &str, value: bool) {
        if value {
            self.raw(name, "true");
        }
    }

    /// Writes a list of texts that is not empty.
    pub(in crate::mint) fn texts<T: AsRef<str>>(&mut self, name: &str, values: impl IntoIterator<Item = T>) {
        self.list(name, values.into_iter().map(|value| quoted(value.as_ref())));
    }

    /// Writes a list of JSON values that is not empty.
    pub(in crate::mint) fn list(&mut self, name: &str, values: impl IntoIterator<Item = String>) {
        let values: Vec<_> = values.into_iter().collect();
        if !values.is_empty() {
            self.raw(name, &array(&values));
        }
    }

    /// Writes a list, even an empty one.
    pub(in crate::mint) fn any_list(&mut self, name: &str, values: impl IntoIterator<Item = String>) {
        self.raw(name, &array(&values.into_iter().collect::<Vec<_>>()));
    }

    /// Writes an object that has members.
    pub(in crate::mint) fn object(&mut self, name: &str, value: Self) {
        if !value.0.is_empty() {
            self.raw(name, &value.finish());
        }
    }

    /// Writes a value that is JSON already.
    pub(in crate::mint) fn raw(&mut self, name: &str, json: &str) {
        let separator = if self.0.is_empty() { "" } else { "," };
        // Writing to a `String` does not fail.
        let _ = write!(self.0, "{separator}{}:{json}", quoted(name));
    }

    /// Returns the JSON.
    pub(in crate::mint) fn finish(self) -> String {
        format!("{{{}}}", self.0)
    }
}

fn array(values: &[String]) -> String {
    format!("[{}]", values.join(","))
}

/// Returns a text as Go writes it: `<`, `>`, `&`, U+2028 and U+2029 are escaped, so that the JSON can stand in HTML. Only the hash in `jti`
/// depends on it.
pub(in crate::mint) fn quoted(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            '\0'..'\u{20}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(json, "\\u{:04x}", u32::from(character));
            }
            character => json.push(character),
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_as_in_go() {
        assert_eq!(quoted("a <b> & \"c\" \u{e9}"), r#""a \u003cb\u003e \u0026 \"c\" é""#);
        assert_eq!(quoted("\u{2028}\u{2029}\u{1}\n\\"), r#""\u2028\u2029\u0001\n\\""#);
    }

    #[test]
    fn empty_members_are_left_out() {
        let mut members = Members::default();
        members.text("a", "");
        members.number("b", 0);
        members.flag("c", false);
        members.texts("d", [""; 0]);
        members.object("e", Members::default());
        assert_eq!(members.clone().finish(), "{}");
        members.any_number("b", 0);
        members.any_list("d", []);
        assert_eq!(members.finish(), r#"{"b":0,"d":[]}"#);
    }
}
