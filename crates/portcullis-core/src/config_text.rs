//! Texts that a developer configures to be compared with what a token says: what is odd about one, and how to show it.

/// What is odd about a configured name, so that no token could have the same, or only a wrong one; `None` if nothing is.
///
/// Names with such characters come from files and environment variables: a line end, a tab, a byte order mark.
pub(crate) fn oddity(text: &str) -> Option<&'static str> {
    if text.trim() != text {
        return Some("white space around it");
    }
    text.contains(is_odd).then_some("a character in it that cannot be seen")
}

/// The text in quotation marks, with what cannot be seen in it written as an escape.
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

/// Control characters, white space but the blank, and what takes no place or changes the direction (Unicode: Cf and relatives).
fn is_odd(character: char) -> bool {
    character.is_control()
        || (character.is_whitespace() && character != ' ')
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}
