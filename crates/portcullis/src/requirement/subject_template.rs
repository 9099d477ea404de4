//! [`SubjectTemplate`]: a NATS subject that may contain path parameters.

use std::{borrow::Cow, fmt};

use portcullis_core::subjects::{SubjectError, SubjectPattern};

use super::{
    path_params::{Mistake, PathParams},
    placeholders::{self, Piece},
};

/// A NATS subject, or a pattern of subjects, that may contain path parameters: `orders.{id}.read`.
///
/// The value of a parameter is one word or a part of one, whatever characters it contains. Otherwise the caller could choose the subject by
/// choosing the path: `/orders/*/read`, or `1.admin` for `{id}`.
#[derive(Clone, Debug)]
pub(super) struct SubjectTemplate {
    text: String,
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    /// A subject without parameters.
    Fixed(SubjectPattern),
    /// A subject with parameters, and whether it has no wildcards.
    Template {
        parts: Vec<Part>,
        is_literal: bool,
    },
    Invalid(String),
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Parameter { name: String, spelling: Spelling },
}

/// How the value of a parameter is written in a subject.
#[derive(Clone, Copy, Debug)]
enum Spelling {
    /// As it is. A value that would have to be escaped is refused, so that no two values have the same spelling on any route.
    Plain,
    /// With `.`, `*`, `>` and `%` escaped.
    Escaped,
}

impl SubjectTemplate {
    pub(super) fn new(text: String) -> Self {
        let form = parse(&text).unwrap_or_else(Form::Invalid);
        Self { text, form }
    }

    /// Returns what is wrong with it.
    pub(super) fn problem(&self) -> Option<&str> {
        match &self.form {
            Form::Invalid(problem) => Some(problem),
            Form::Fixed(_) | Form::Template { .. } => None,
        }
    }

    /// Whether it stands for a single subject, once the parameters are filled in.
    pub(super) fn is_literal(&self) -> bool {
        match &self.form {
            Form::Fixed(subject) => subject.is_literal(),
            Form::Template { is_literal, .. } => *is_literal,
            Form::Invalid(_) => false,
        }
    }

    /// Returns the names of the path parameters.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &str> {
        self.parts().iter().filter_map(|part| match part {
            Part::Parameter { name, .. } => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// Returns the subject with its parameters filled in; `None` if the value of one is not one word.
    pub(super) fn fill<'a>(&'a self, params: &'a PathParams) -> Result<Option<Cow<'a, SubjectPattern>>, Mistake<'a>> {
        match &self.form {
            Form::Fixed(subject) => Ok(Some(Cow::Borrowed(subject))),
            Form::Template { parts, .. } => Ok(fill(parts, params)?.map(Cow::Owned)),
            Form::Invalid(_) => Err(Mistake::MalformedSubject),
        }
    }

    fn parts(&self) -> &[Part] {
        match &self.form {
            Form::Template { parts, .. } => parts,
            Form::Fixed(_) | Form::Invalid(_) => &[],
        }
    }
}

impl fmt::Display for SubjectTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

impl Part {
    fn parse(piece: Piece) -> Result<Self, String> {
        let name = match piece {
            Piece::Text(text) => return Ok(Self::Text(text)),
            Piece::Name(name) => name,
        };
        let (name, spelling) = match name.split_once(':') {
            None => (name, Spelling::Plain),
            Some((name, "escaped")) if !name.is_empty() => (name.to_owned(), Spelling::Escaped),
            Some(_) => return Err(format!("write {{{name}}} as `{{id}}` or `{{id:escaped}}`")),
        };
        Ok(Self::Parameter { name, spelling })
    }
}

impl Spelling {
    /// Returns the value as a word, or as a part of one; `None` if it is none.
    fn spell(self, value: &str) -> Option<Cow<'_, str>> {
        let is_forbidden = |c: char| c.is_whitespace() || c.is_control();
        if value.is_empty() || value.contains(is_forbidden) {
            return None;
        }
        match self {
            Self::Plain => (!value.contains(is_escaped)).then_some(Cow::Borrowed(value)),
            Self::Escaped => Some(escape(value)),
        }
    }
}

fn parse(text: &str) -> Result<Form, String> {
    let pieces = placeholders::parse(text).ok_or("close its braces, and double those that are meant")?;
    let parts = pieces.into_iter().map(Part::parse).collect::<Result<Vec<_>, _>>()?;
    // A word in place of each value: that a value is one word is checked for each request.
    let sample: String = parts.iter().map(|part| if let Part::Text(text) = part { text } else { "x" }).collect();
    let sample: SubjectPattern = sample.parse().map_err(|error: SubjectError| error.to_string())?;
    if parts.iter().all(|part| matches!(part, Part::Text(_))) {
        return Ok(Form::Fixed(sample));
    }
    if !is_unambiguous(&parts) {
        return Err("put at most one parameter into a word".to_owned());
    }
    Ok(Form::Template { is_literal: sample.is_literal(), parts })
}

/// With two parameters in one word, `{a}-{b}`, different pairs of values could make the same subject.
fn is_unambiguous(parts: &[Part]) -> bool {
    let mut has_parameter = false;
    parts.iter().all(|part| match part {
        Part::Text(text) => {
            has_parameter &= !text.contains('.');
            true
        }
        Part::Parameter { .. } => !std::mem::replace(&mut has_parameter, true),
    })
}

fn fill<'a>(parts: &'a [Part], params: &'a PathParams) -> Result<Option<SubjectPattern>, Mistake<'a>> {
    let spell = |part: &'a Part| match part {
        Part::Text(text) => Ok(Some(Cow::Borrowed(text.as_str()))),
        Part::Parameter { name, spelling } => params.require(name).map(|value| spelling.spell(value)),
    };
    // All of them first, so that a missing parameter is reported for every request.
    let words = parts.iter().map(spell).collect::<Result<Vec<_>, _>>()?;
    let subject: Option<String> = words.into_iter().collect();
    Ok(subject.and_then(|subject| subject.parse().ok()))
}

/// Escapes like a URL, but only what has a meaning in a subject, and `%`, without which two values could have the same spelling.
fn escape(value: &str) -> Cow<'_, str> {
    if !value.contains(is_escaped) {
        return Cow::Borrowed(value);
    }
    let mut escaped = String::with_capacity(value.len() + 8);
    for character in value.chars() {
        match character {
            '.' => escaped.push_str("%2E"),
            '*' => escaped.push_str("%2A"),
            '>' => escaped.push_str("%3E"),
            '%' => escaped.push_str("%25"),
            other => escaped.push(other),
        }
    }
    Cow::Owned(escaped)
}

const fn is_escaped(character: char) -> bool {
    matches!(character, '.' | '*' | '>' | '%')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str, id: &str) -> Option<String> {
        let params = PathParams::from_iter([("id", id)]);
        let template = SubjectTemplate::new(template.to_owned());
        template.fill(&params).unwrap().map(|subject| subject.to_string())
    }

    #[test]
    fn a_plain_parameter_is_one_word() {
        for id in ["7", "a", "größe", "a/b", "$x", "A-1_2~"] {
            assert_eq!(filled("orders.{id}.read", id), Some(format!("orders.{id}.read")), "{id}");
        }
        for id in ["", ".", "1.admin", "*", ">", "a*", "a>", "a b", " ", "a\t", "a\n", "\0", "a\u{a0}", "%2E", "a%2Eb"]
        {
            assert_eq!(filled("orders.{id}.read", id), None, "{id:?}");
        }
    }

    #[test]
    fn an_escaped_parameter_is_one_word_for_each_value() {
        let rows = [
            ("7", "7"),
            ("größe", "größe"),
            ("a.b", "a%2Eb"),
            ("a%2Eb", "a%252Eb"),
            ("*", "%2A"),
            (">", "%3E"),
            (".", "%2E"),
            ("%", "%25"),
            ("%2a", "%252a"),
        ];
        for (id, word) in rows {
            assert_eq!(filled("orders.{id:escaped}.read", id), Some(format!("orders.{word}.read")), "{id}");
            assert_eq!(filled("orders.{id}.read", id).is_some(), id == word, "{id}");
        }
        for id in ["", " ", "a b", "a\t", "\0", "a\u{a0}"] {
            assert_eq!(filled("orders.{id:escaped}.read", id), None, "{id:?}");
        }
    }

    #[test]
    fn a_malformed_template_is_a_problem() {
        for text in [
            "",
            "orders.",
            "orders..new",
            ".{id}",
            "{id}.",
            "a b",
            "orders.{",
            "orders.{id",
            "orders.}",
            "orders.{}",
            "orders.{:escaped}",
            "orders.{id:}",
            "orders.{id:upper}",
            "orders.{id:escaped:escaped}",
            "{a}{b}",
            "{a}-{b}",
            "a.>.{id}",
            "orders.{id}\n",
        ] {
            assert!(SubjectTemplate::new(text.to_owned()).problem().is_some(), "{text:?}");
        }
        for text in ["orders", "orders.{id}", "{a}.{b}", "o-{id:escaped}.*", "{id}.>", "{{x}}", "{{{id}}}"] {
            assert_eq!(SubjectTemplate::new(text.to_owned()).problem(), None, "{text:?}");
        }
    }

    #[test]
    fn only_a_subject_without_wildcards_is_literal() {
        for (text, is_literal) in [("a.b", true), ("a.{id}", true), ("a.*", false), ("{id}.>", false), ("a..b", false)]
        {
            assert_eq!(SubjectTemplate::new(text.to_owned()).is_literal(), is_literal, "{text}");
        }
    }

    #[test]
    fn doubled_braces_are_part_of_the_word() {
        assert_eq!(filled("{{{id}}}.a", "7").as_deref(), Some("{7}.a"));
        assert_eq!(filled("{{id}}", "7").as_deref(), Some("{id}"));
    }
}
