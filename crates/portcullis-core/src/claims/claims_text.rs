//! The claims' text.

use crate::json::{Source, Text, text_at};

/// The claims as they were signed, and behind them copies of the strings that have escapes there: what a
/// [`Text`] is a place in.
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

    /// Finds the text at a JSON pointer. `None` if nothing is there, or something that is not text, or empty text.
    pub(crate) fn find_text(&mut self, pointer: &str) -> Option<Text> {
        let (json, copies) = self.text.split_at(self.json_len);
        let source = Source::with_copies(json, copies);
        let found = text_at(&source, pointer)?;
        let all_copies = source.into_copies();
        if all_copies.len() > copies.len() {
            self.set_copies(&all_copies);
        }
        Some(found).filter(|text| !text.of(&self.text).is_empty())
    }

    /// Puts a copy of a string behind it all, and gives its place.
    pub(crate) fn push_copy(&mut self, copy: &str) -> Option<Text> {
        let place = Text::new(self.text.len(), copy.len())?;
        self.text = [&self.text, copy].concat().into();
        Some(place)
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
