//! The claims' text.

/// The claims as they were signed, and behind them copies of the strings that have escapes there: what a
/// [`Text`](crate::json::Text) is a place in.
pub(crate) struct ClaimsText {
    text: Box<str>,
    json_len: usize,
}

impl ClaimsText {
    /// The claims as they were signed: JSON.
    pub(crate) fn json(&self) -> &str {
        &self.text[..self.json_len]
    }

    /// The same with the copies behind it.
    pub(crate) fn with_copies(&self) -> &str {
        &self.text
    }

    /// Puts `copies` behind the JSON. Without any, as is usual, nothing moves.
    pub(super) fn set_copies(&mut self, copies: &str) {
        if !copies.is_empty() {
            self.text = [self.json(), copies].concat().into();
        }
    }
}

impl From<String> for ClaimsText {
    /// Without copying the text if it fills its allocation, as a decoded one does.
    fn from(json: String) -> Self {
        Self { json_len: json.len(), text: json.into() }
    }
}
