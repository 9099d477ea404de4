//! [`LogText`]: text for one line of a log.

use std::{
    error::Error,
    fmt::{self, Write},
};

use crate::invisible::is_invisible;

/// Displays an error with its causes, or any other text, in one line of a log, whatever it contains.
///
/// Errors may contain text from an issuer or a server. Characters that would begin another line, control a terminal or change the reading
/// order of a line are written as `\u{202e}`: control characters, line and paragraph separators, the controls of bidirectional text, and
/// characters without a width. All others are left unchanged.
///
/// ```
/// use portcullis_core::text::LogText;
///
/// assert_eq!(LogText::new(&"a\u{202e}b\n").to_string(), r"a\u{202e}b\u{a}");
/// ```
#[derive(Clone, Copy)]
pub struct LogText<'a>(Content<'a>);

#[derive(Clone, Copy)]
enum Content<'a> {
    Error(&'a dyn Error),
    Text(&'a dyn fmt::Display),
}

impl<'a> LogText<'a> {
    /// Returns the text as its `Display` writes it.
    pub const fn new(text: &'a dyn fmt::Display) -> Self {
        Self(Content::Text(text))
    }

    /// Returns the error with all its causes: `what: because: because`.
    pub const fn of_error(error: &'a dyn Error) -> Self {
        Self(Content::Error(error))
    }
}

impl fmt::Display for LogText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = OneLine(f);
        match self.0 {
            Content::Text(text) => write!(line, "{text}"),
            Content::Error(error) => {
                write!(line, "{error}")?;
                let mut cause = error.source();
                while let Some(error) = cause {
                    write!(line, ": {error}")?;
                    cause = error.source();
                }
                Ok(())
            }
        }
    }
}

impl fmt::Debug for LogText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

struct OneLine<'f, 'w>(&'f mut fmt::Formatter<'w>);

impl Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(place) = rest.find(is_unsafe) {
            let (plain, from) = rest.split_at(place);
            self.0.write_str(plain)?;
            let mut chars = from.chars();
            chars.next().map_or(Ok(()), |char| write!(self.0, "{}", char.escape_unicode()))?;
            rest = chars.as_str();
        }
        self.0.write_str(rest)
    }
}

/// Whether the character could leave its line, or could make the line look like another one. Joiners (U+200C, U+200D) are among them:
/// they are needed in names, but not in a log.
fn is_unsafe(char: char) -> bool {
    char.is_control() || is_invisible(char) || matches!(char, '\u{200c}' | '\u{200d}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn what_leaves_its_line_or_its_order_is_escaped() {
        for (text, shown) in [
            ("plain: ünïcode, `quotes` \"and\" \\ 日本", "plain: ünïcode, `quotes` \"and\" \\ 日本"),
            ("a\nb\r\tc\u{1b}[31m\u{7f}\u{85}", r"a\u{a}b\u{d}\u{9}c\u{1b}[31m\u{7f}\u{85}"),
            ("\u{2028}\u{2029}\u{202e}\u{2066}\u{2069}", r"\u{2028}\u{2029}\u{202e}\u{2066}\u{2069}"),
            ("\u{200b}\u{200f}\u{feff}\u{61c}\u{e0041}", r"\u{200b}\u{200f}\u{feff}\u{61c}\u{e0041}"),
            ("\u{200c}\u{200d}\u{115f}\u{3164}\u{ffa0}", r"\u{200c}\u{200d}\u{115f}\u{3164}\u{ffa0}"),
            ("", ""),
        ] {
            assert_eq!(LogText::new(&text).to_string(), shown);
        }
    }

    #[test]
    fn an_error_comes_with_its_causes() {
        #[derive(Debug)]
        struct Outer(io::Error);
        impl fmt::Display for Outer {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("outer")
            }
        }
        impl Error for Outer {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.0)
            }
        }
        let error = Outer(io::Error::other("inner\u{202e}"));
        assert_eq!(LogText::of_error(&error).to_string(), r"outer: inner\u{202e}");
    }
}
