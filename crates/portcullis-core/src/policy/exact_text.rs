//! Configured text that has to be exactly what a token says.

/// Returns why no token is ever likely to have this very text, with the text in quotes; `None` if nothing speaks against it.
///
/// For names in a configuration: an issuer, an audience, a scope, a role, the value of a claim. They are compared byte by byte, so
/// white space around one, or a character that nobody sees, makes a rule that nothing ever meets.
///
/// ```
/// use portcullis_core::exact_text_problem;
///
/// assert_eq!(exact_text_problem("Former Admins"), None);
/// assert_eq!(exact_text_problem(" admin").as_deref(), Some(r#"" admin" begins or ends with white space"#));
/// assert_eq!(exact_text_problem("ad\u{feff}min").as_deref(), Some(r#""ad\u{feff}min" has an invisible character in it"#));
/// ```
pub fn exact_text_problem(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("\"\" is empty".to_owned());
    }
    if text.trim() != text {
        return Some(format!("{text:?} begins or ends with white space"));
    }
    text.contains(is_invisible).then(|| format!("{text:?} has an invisible character in it"))
}

/// White space that is no plain space, control characters, and what has no width or changes the direction of text. (Joiners are not
/// among them: some scripts are written with them.)
fn is_invisible(char: char) -> bool {
    (char.is_whitespace() && char != ' ')
        || char.is_control()
        || matches!(char, '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_and_what_nobody_sees_is_a_problem() {
        for text in [
            "",
            " ",
            " a",
            "a ",
            "a\n",
            "\ta",
            "\u{a0}a",
            "\u{feff}a",
            "a\u{feff}",
            "a\tb",
            "a\u{a0}b",
            "a\u{200b}b",
            "a\u{202e}b",
        ] {
            assert!(exact_text_problem(text).is_some_and(|problem| problem.contains(&format!("{text:?}"))), "{text:?}");
        }
        for text in ["a", "Former Admins", "https://issuer.example/", "Größe", "a,b", "می\u{200c}خواهم"] {
            assert_eq!(exact_text_problem(text), None, "{text:?}");
        }
    }
}
