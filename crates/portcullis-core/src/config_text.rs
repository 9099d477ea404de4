//! Checks configured names that are compared with the content of tokens, and shows them.

use crate::invisible::is_invisible;

/// Returns why no token is likely to contain exactly this text, with the text in quotes; `None` if there is no problem.
///
/// For names in a configuration: a scope, a role, the value of a claim. They are compared byte by byte, so a name with surrounding white
/// space or an invisible character makes a rule that is never met.
///
/// ```
/// use portcullis_core::text::exact_text_problem;
///
/// assert_eq!(exact_text_problem("Former Admins"), None);
/// assert_eq!(exact_text_problem(" admin").as_deref(), Some(r#"" admin" has white space around it"#));
/// assert_eq!(exact_text_problem("ad\u{feff}min").as_deref(), Some(r#""ad\u{feff}min" has a character in it that cannot be seen"#));
/// ```
pub fn exact_text_problem(text: &str) -> Option<String> {
    let problem = if text.is_empty() { "is empty".to_owned() } else { format!("has {}", oddity(text)?) };
    Some(format!("{} {problem}", quoted(text)))
}

/// Returns what is wrong with a configured name, so that no token, or only a wrong one, could contain it; `None` if there is no problem.
///
/// Such characters come from files and environment variables: a line end, a tab, a byte order mark.
pub(crate) fn oddity(text: &str) -> Option<&'static str> {
    if text.trim() != text {
        return Some("white space around it");
    }
    text.contains(is_odd).then_some("a character in it that cannot be seen")
}

/// Returns the text in quotation marks, with invisible characters written as escapes.
pub(crate) fn quoted(text: &str) -> String {
    const SHOWN: usize = 200;
    let mut shown = String::from('"');
    for character in text.chars().take(SHOWN) {
        match character {
            '"' | '\\' => shown.extend(character.escape_default()),
            character if is_odd(character) => shown.extend(character.escape_default()),
            character => shown.push(character),
        }
    }
    shown.push_str(if text.chars().nth(SHOWN).is_some() { "…\"" } else { "\"" });
    shown
}

/// Whether a character is invisible, a control character, or white space other than the plain space. Joiners and variation selectors are
/// allowed, because some scripts and symbols need them.
fn is_odd(character: char) -> bool {
    character.is_control() || (character.is_whitespace() && character != ' ') || is_invisible(character)
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
