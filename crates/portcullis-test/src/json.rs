//! JSON objects that may also be invalid.

use serde::Serialize;
use serde_json::Value;

use crate::must::must;

/// The members of an object, as text, in order; a name may occur more than once.
#[derive(Clone, Default)]
pub(crate) struct Members(Vec<Member>);

#[derive(Clone)]
struct Member {
    /// The name with quotes and escapes.
    name: String,
    value: String,
}

impl Members {
    /// Sets a member; an existing member with that name keeps its position.
    #[track_caller]
    pub(crate) fn set(&mut self, name: &str, value: impl Serialize) {
        self.set_text(name, text_of(name, value));
    }

    /// Sets a member to JSON text, which is not checked.
    pub(crate) fn set_text(&mut self, name: &str, value: impl Into<String>) {
        let (name, value) = (quote(name), value.into());
        match self.0.iter_mut().find(|member| member.name == name) {
            Some(member) => member.value = value,
            None => self.0.push(Member { name, value }),
        }
    }

    /// Adds a member, even if the name already exists. The name includes its quotes.
    pub(crate) fn push_text(&mut self, quoted_name: &str, value: impl Into<String>) {
        self.0.push(Member { name: quoted_name.to_owned(), value: value.into() });
    }

    pub(crate) fn remove(&mut self, name: &str) {
        let name = quote(name);
        self.0.retain(|member| member.name != name);
    }

    /// Returns the value's text.
    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        let name = quote(name);
        self.0.iter().find(|member| member.name == name).map(|member| member.value.as_str())
    }

    /// Returns the value, if it is JSON.
    pub(crate) fn get(&self, name: &str) -> Option<Value> {
        serde_json::from_str(self.text_of(name)?).ok()
    }

    /// Returns the string, or an empty one.
    pub(crate) fn string(&self, name: &str) -> String {
        self.get(name).as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// Returns the values' texts as a JSON array: an object without its names.
    pub(crate) fn positional(&self) -> String {
        let values: Vec<_> = self.0.iter().map(|member| member.value.as_str()).collect();
        format!("[{}]", values.join(","))
    }

    /// Returns the object's text.
    pub(crate) fn text(&self) -> String {
        let members: Vec<_> = self.0.iter().map(|member| format!("{}:{}", member.name, member.value)).collect();
        format!("{{{}}}", members.join(","))
    }
}

/// Returns the JSON text of a value.
#[track_caller]
fn text_of(name: &str, value: impl Serialize) -> String {
    must(serde_json::to_string(&value), &format!("`{name}` cannot be written as JSON"))
}

fn quote(name: &str) -> String {
    Value::from(name).to_string()
}
