//! TOML into a serde type, with every misfit reported and not only the first.
//!
//! serde stops at the first thing that does not fit. So that thing is reported, taken out of the document, and the
//! rest is tried again, until all of it fits.
//!
//! The messages of serde and of the TOML parser quote what they found, and what they found may be a secret that stands
//! in the wrong place. So only what was *expected* is passed on, with the line and the name of the place.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::problems::Problems;

type Table<'a> = Spanned<DeValue<'a>>;

/// Reads `text` as a `T`, as far as it goes.
pub(super) fn read<T: DeserializeOwned + Default>(text: &str, problems: &mut Problems) -> T {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        problems.add(&line(text, error.span()), error.message());
    }
    let mut document = Spanned::new(table.span(), DeValue::Table(table.into_inner()));
    loop {
        let error = match T::deserialize(ValueDeserializer::from(document.clone())) {
            Ok(fitting) => return fitting,
            Err(error) => error,
        };
        let misfit = error.span().and_then(|span| take_out(&mut document, &span));
        let place = misfit.as_deref().unwrap_or("the file");
        let expected = expected(error.message());
        problems.add(place, &format!("{expected} ({})", line(text, error.span())));
        if misfit.is_none() {
            return T::default();
        }
    }
}

/// Removes the entry whose name or value stands exactly at `span`, and gives its path.
fn take_out(value: &mut Table<'_>, span: &Range<usize>) -> Option<String> {
    match value.get_mut() {
        DeValue::Table(table) => take_out_of_table(table, span),
        DeValue::Array(array) => array.iter_mut().enumerate().find_map(|(at, item)| {
            let inner = take_out(item, span)?;
            Some(format!("#{}.{inner}", at + 1))
        }),
        _ => None,
    }
}

fn take_out_of_table(table: &mut DeTable<'_>, span: &Range<usize>) -> Option<String> {
    for (name, value) in table.iter_mut() {
        if let Some(inner) = take_out(value, span) {
            let dot = if inner.starts_with('#') { "" } else { "." };
            return Some(format!("{}{dot}{inner}", name.get_ref()));
        }
    }
    let here = |value: &Table<'_>| value.span() == *span || contains_item(value, span);
    let (name, _) = table.iter().find(|(name, value)| name.span() == *span || here(value))?;
    let name = name.get_ref().clone().into_owned();
    table.remove(name.as_str());
    Some(name)
}

/// Whether a plain item of this array (`scopes = ["a", 3]`) stands at `span`: the array then goes as a whole.
fn contains_item(value: &Table<'_>, span: &Range<usize>) -> bool {
    matches!(value.get_ref(), DeValue::Array(array) if array.iter().any(|item| item.span() == *span))
}

/// The part of serde's message that says what should be there.
fn expected(message: &str) -> String {
    let unknown = if message.starts_with("unknown field") { "unknown, " } else { "" };
    match message.split_once(", expected ") {
        Some((_, expected)) => format!("{unknown}expected {expected}"),
        None => "not of the form expected here".to_owned(),
    }
}

fn line(text: &str, span: Option<Range<usize>>) -> String {
    let before = span.and_then(|span| text.get(..span.start)).unwrap_or_default();
    format!("line {}", before.matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields, expecting = "a table")]
    struct Outer {
        inner: Inner,
        list: Vec<Inner>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields, expecting = "a table")]
    struct Inner {
        number: Option<u16>,
        words: Vec<String>,
    }

    fn problems(text: &str) -> (Outer, Vec<String>) {
        let mut problems = Problems::default();
        let outer = read(text, &mut problems);
        (outer, problems.into_list())
    }

    #[test]
    fn every_misfit_is_reported_and_the_rest_is_read() {
        let text = "elsewhere = 1\n[inner]\nnumber = 'hidden'\nwords = ['a']\n[[list]]\nnumber = 1\n\
                    [[list]]\nwords = ['b', 3]\nextra = 'hidden'\nnumber = 70000\n";
        let (outer, problems) = problems(text);
        assert_eq!(
            problems,
            [
                "elsewhere: unknown, expected `inner` or `list` (line 1)",
                "inner.number: expected u16 (line 3)",
                "list#2.extra: unknown, expected `number` or `words` (line 9)",
                "list#2.number: expected u16 (line 10)",
                "list#2.words: expected a string (line 8)",
            ]
        );
        assert_eq!((outer.inner.words.len(), outer.list[0].number), (1, Some(1)));
    }

    #[test]
    fn a_table_in_the_wrong_form_is_reported_as_a_whole() {
        assert_eq!(problems("inner = 3").1, ["inner: expected a table (line 1)"]);
        assert_eq!(problems("[list]\nnumber = 1").1, ["list: expected a sequence (line 1)"]);
    }

    #[test]
    fn what_is_not_toml_is_not_quoted() {
        let (_, problems) = problems("[inner]\nnumber = hidden text\n");
        assert!(!problems.is_empty());
        assert!(problems.iter().all(|problem| !problem.contains("hidden")), "{problems:?}");
    }
}
