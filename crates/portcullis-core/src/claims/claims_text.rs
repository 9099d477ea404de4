//! [`ClaimsText`]: the claims' text.

use crate::json::{Source, Text, text_at};

/// The claims as they were signed, followed by copies of the strings that have escapes there: a [`Text`] is a position in both.
pub(crate) struct ClaimsText {
    text: Box<str>,
    json_len: usize,
}

impl ClaimsText {
    /// Returns the claims as they were signed: JSON.
    pub(crate) fn json(&self) -> &str {
        &self.text[..self.json_len]
    }

    /// Returns the claims followed by the copies.
    pub(crate) fn with_copies(&self) -> &str {
        &self.text
    }

    /// Finds the text at a JSON pointer. Returns `None` if there is nothing, something other than text, or an empty string.
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

    /// Appends a copy of a string, and returns its position.
    pub(crate) fn push_copy(&mut self, copy: &str) -> Option<Text> {
        let place = Text::new(self.text.len(), copy.len())?;
        self.text = [&self.text, copy].concat().into();
        Some(place)
    }

    /// Appends `copies` to the JSON. Usually there are none, and nothing moves.
    pub(super) fn set_copies(&mut self, copies: &str) {
        if !copies.is_empty() {
            self.text = [self.json(), copies].concat().into();
        }
    }
}

impl From<String> for ClaimsText {
    /// Does not copy the text if it fills its allocation, as a decoded one does.
    fn from(json: String) -> Self {
        Self { json_len: json.len(), text: json.into() }
    }
}
