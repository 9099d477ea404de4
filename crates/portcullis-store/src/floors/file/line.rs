//! [`Line`]: a line of the file.

use std::collections::HashMap;

use portcullis_core::UnixTime;
use serde_json::{Map, Value, json};

/// The first line. A later form has another one.
pub(super) const HEAD: &str = r#"{"form":1}"#;

/// The floor of a name; `None` if it was reset.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) time: Option<UnixTime>,
}

impl Line {
    /// Returns the text, without a line end: JSON escapes those of a name.
    pub(super) fn to_json(&self) -> String {
        json!({ "name": self.name, "time": self.time.map(UnixTime::as_secs) }).to_string()
    }

    /// Returns the line of a text that [`to_json`](Self::to_json) has made.
    pub(super) fn from_json(text: &str) -> Option<Self> {
        let mut members: Map<String, Value> = serde_json::from_str(text).ok()?;
        let time = match members.remove("time")? {
            Value::Null => None,
            secs => Some(UnixTime::from_secs(secs.as_u64()?)),
        };
        let Value::String(name) = members.remove("name")? else { return None };
        members.is_empty().then_some(Self { name, time })
    }

    pub(super) fn apply(self, floors: &mut HashMap<String, UnixTime>) {
        match self.time {
            Some(time) => floors.insert(self.name, time),
            None => floors.remove(&self.name),
        };
    }
}
