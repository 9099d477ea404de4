//! [`Pointer`]: a place in the claims.

use std::{borrow::Cow, fmt};

use portcullis_core::{
    claims::{ClaimPlace, ClaimRef},
    verified::Facts,
};

use super::{
    path_params::{Mistake, PathParams},
    placeholders::{self, Piece},
};

/// A place in the claims whose JSON pointer (RFC 6901) may contain path parameters: `/grants/{instance}`.
///
/// A parameter's value is the name of one member, whatever it contains: `/` and `~` are escaped, and it is never an array index.
/// Otherwise the caller could choose the element by choosing the path.
#[derive(Clone, Debug)]
pub(super) struct Pointer {
    place: ClaimPlace,
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    /// A complete pointer.
    Fixed(String),
    /// A pointer with parameters, to be filled in segment by segment.
    Template(Vec<Segment>),
    Invalid,
}

#[derive(Clone, Debug)]
struct Segment(Vec<Piece>);

impl Pointer {
    pub(super) fn new(place: ClaimPlace) -> Self {
        let form = parse(place.pointer()).filter(|_| place.problem().is_none());
        Self { form: form.map_or(Form::Invalid, Form::from), place }
    }

    /// Returns the delimiter of strings at that place.
    pub(super) fn delimiter(&self) -> Option<char> {
        self.place.delimiter()
    }

    /// Returns the names of the path parameters.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &str> {
        let segments = match &self.form {
            Form::Template(segments) => segments.as_slice(),
            Form::Fixed(_) | Form::Invalid => &[],
        };
        segments.iter().flat_map(|segment| &segment.0).filter_map(|piece| match piece {
            Piece::Name(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// Whether the claim at this place is a name and is empty, which counts as absent.
    pub(super) fn is_empty_name(&self, claim: ClaimRef<'_>) -> bool {
        self.place.leads_to_name() && claim.as_str() == Some("")
    }

    /// Returns what is wrong with it.
    pub(super) fn problem(&self) -> Option<String> {
        let braces = || {
            let pointer = self.place.pointer().escape_debug();
            format!(
                "`{pointer}`: close its braces, double those that are meant, and put at most one parameter into a segment"
            )
        };
        matches!(self.form, Form::Invalid).then(|| self.place.problem().unwrap_or_else(braces))
    }

    /// Returns the pointer with its parameters filled in; `None` if a parameter would address something other than an object's member.
    pub(super) fn fill<'a>(
        &'a self,
        facts: &Facts,
        params: &'a PathParams,
    ) -> Result<Option<Cow<'a, str>>, Mistake<'a>> {
        match &self.form {
            Form::Fixed(pointer) => Ok(Some(Cow::Borrowed(pointer))),
            Form::Template(segments) => Ok(fill(segments, facts, params)?.map(Cow::Owned)),
            Form::Invalid => Err(Mistake::NoPointer),
        }
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.place.pointer())?;
        self.delimiter().map_or(Ok(()), |delimiter| write!(f, " delimited by {delimiter:?}"))
    }
}

impl From<Vec<Segment>> for Form {
    fn from(segments: Vec<Segment>) -> Self {
        if segments.iter().any(Segment::has_parameters) {
            return Self::Template(segments);
        }
        let pieces = segments.iter().flat_map(|segment| [Some("/"), segment.text()]).flatten();
        Self::Fixed(pieces.collect())
    }
}

impl Segment {
    /// With two parameters in one segment, `{a}:{b}`, different pairs of values could address the same member.
    fn is_unambiguous(&self) -> bool {
        self.0.iter().filter(|piece| matches!(piece, Piece::Name(_))).count() <= 1
    }

    fn has_parameters(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Name(_)))
    }

    /// Returns the text of a segment without parameters.
    fn text(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    fn fill<'a>(&'a self, params: &'a PathParams) -> Result<String, Mistake<'a>> {
        let fill = |filled: String, piece: &'a Piece| match piece {
            Piece::Text(text) => Ok(filled + text),
            Piece::Name(name) => params.require(name).map(|value| filled + &escape(value)),
        };
        self.0.iter().try_fold(String::new(), fill)
    }
}

fn parse(text: &str) -> Option<Vec<Segment>> {
    let segments = text.strip_prefix('/')?.split('/');
    let parse = |segment| placeholders::parse(segment).map(Segment).filter(Segment::is_unambiguous);
    segments.map(parse).collect()
}

fn fill<'a>(segments: &'a [Segment], facts: &Facts, params: &'a PathParams) -> Result<Option<String>, Mistake<'a>> {
    // All of them first, so that a missing parameter is reported for every token.
    let filled = segments.iter().map(|segment| segment.fill(params)).collect::<Result<Vec<_>, _>>()?;
    let mut pointer = String::new();
    for (segment, filled) in segments.iter().zip(filled) {
        let is_object = || facts.claim(&pointer).and_then(ClaimRef::members).is_some();
        if segment.has_parameters() && !is_object() {
            return Ok(None);
        }
        pointer.push('/');
        pointer.push_str(&filled);
    }
    Ok(Some(pointer))
}

/// RFC 6901 section 4. `~` first, because otherwise the `~` of `~1` would be escaped again.
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {

    use portcullis_core::verified::Conventions;

    use super::*;

    fn found(pointer: &str, claims: &str, instance: &str) -> Option<String> {
        let facts = Facts::assertion(claims, Conventions::new("https://issuer")).unwrap();
        let params = PathParams::from_iter([("instance", instance)]);
        let pointer = Pointer::new(pointer.into());
        let filled = pointer.fill(&facts, &params).unwrap()?;
        facts.claim(&filled)?.as_str().map(str::to_owned)
    }

    #[test]
    fn a_parameter_names_a_member() {
        let claims = r#"{"grants":{"i1":"admin","a/b":"slash","a~1b":"tilde"}}"#;
        assert_eq!(found("/grants/{instance}", claims, "i1").as_deref(), Some("admin"));
        assert_eq!(found("/grants/i{instance}", claims, "1").as_deref(), Some("admin"));
        assert_eq!(found("/grants/{instance}", claims, "i2"), None);
        assert_eq!(found("/grants/{instance}", claims, "a/b").as_deref(), Some("slash"));
        assert_eq!(found("/grants/{instance}", claims, "a~1b").as_deref(), Some("tilde"));
    }

    #[test]
    fn a_parameter_leads_no_further_than_one_member() {
        let claims = r#"{"grants":{"a":{"b":"deep"}}}"#;
        assert_eq!(found("/grants/{instance}", claims, "a/b"), None);
        assert_eq!(found("/grants/{instance}/b", claims, "a").as_deref(), Some("deep"));
    }

    #[test]
    fn a_parameter_is_no_index() {
        let claims = r#"{"grants":["admin"],"by_number":{"0":"admin"}}"#;
        assert_eq!(found("/grants/{instance}", claims, "0"), None);
        assert_eq!(found("/by_number/{instance}", claims, "0").as_deref(), Some("admin"));
        assert_eq!(found("/grants/0", claims, "").as_deref(), Some("admin"));
    }

    #[test]
    fn doubled_braces_are_part_of_the_name() {
        assert_eq!(found("/{{x}}", r#"{"{x}":"braces"}"#, "").as_deref(), Some("braces"));
    }

    #[test]
    fn what_is_no_pointer_is_a_problem() {
        for text in ["", "grants", "/a/{", "/a~2", "/a~"] {
            assert!(Pointer::new(text.into()).problem().is_some(), "{text:?}");
        }
        for text in ["/", "/a//b", "/a~1b~0", "/{a}/{b}"] {
            assert!(Pointer::new(text.into()).problem().is_none(), "{text:?}");
        }
    }
}
