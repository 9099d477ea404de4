//! Whether the name of a client can be shown.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// How long a name is, at most, in characters.
const MOST_CHARACTERS: usize = 100;

/// Letters and symbols that are blank (Unicode 17: Hangul fillers, the blank of Braille, and the null notehead), by which a name could show nothing.
const BLANK: [char; 6] = ['\u{115f}', '\u{1160}', '\u{2800}', '\u{3164}', '\u{ffa0}', '\u{1d159}'];

/// Whether a name can be shown: it is of the client's own choice, so it must not look like something else in the page. It has a letter or a digit that is
/// seen, and nothing that turns the direction, begins a line, or is not seen at all.
pub(super) fn is_name(name: &str) -> bool {
    let is_shown = |character: char| {
        use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator, PrivateUse, Surrogate, Unassigned};
        let is_hidden = matches!(
            character.general_category(),
            Control | Format | LineSeparator | ParagraphSeparator | PrivateUse | Surrogate | Unassigned
        );
        !is_hidden && !BLANK.contains(&character)
    };
    name.chars().count() <= MOST_CHARACTERS && name.chars().all(is_shown) && name.chars().any(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn a_name_that_shows_nothing_or_begins_a_line_is_not_shown() {
        for shown in ["Orders", "Zażółć gęślą", "注文", "الطلبات", "3", "Orders & Bills (test) \u{1f680}", "a\u{a0}b"]
        {
            assert!(is_name(shown), "{shown:?}");
        }
        for hidden in [
            "",
            " ",
            "...",
            "\u{1f680}",
            "a\nb",
            "a\u{85}b",
            "a\u{2028}b",
            "a\u{2029}b",
            "a\u{202e}b",
            "a\u{2066}b",
            "a\u{200b}b",
            "a\u{ad}b",
            "a\u{61c}b",
            "a\u{180e}b",
            "a\u{e0041}b",
            "\u{3164}",
            "\u{115f}\u{1160}",
            "\u{ffa0}",
            "a\u{2800}b",
            "a\u{3164}b",
            "a\u{e000}b",
            "a\u{feff}b",
            "a\u{2064}b",
            "a\u{1d173}b",
            "a\u{378}b",
        ] {
            assert!(!is_name(hidden), "{hidden:?}");
        }
        assert!(is_name(&"x".repeat(100)) && !is_name(&"x".repeat(101)));
    }
}
