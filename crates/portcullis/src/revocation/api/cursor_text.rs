//! A cursor as text for the client.

use portcullis_core::revocation::Cursor;

/// Hexadecimal digits of each of the two numbers.
const DIGITS: usize = 32;

pub(super) fn write(cursor: Cursor) -> String {
    format!("{:032x}{:032x}", cursor.incarnation(), cursor.position())
}

/// Returns the cursor if the text is exactly what [`write`] wrote.
pub(super) fn read(text: &str) -> Option<Cursor> {
    let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !is_hex || text.len() != 2 * DIGITS {
        return None;
    }
    let (incarnation, position) = text.split_at(DIGITS);
    let number = |digits| u128::from_str_radix(digits, 16).ok();
    Some(Cursor::new(number(incarnation)?, number(position)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_being_text() {
        for (incarnation, position) in [(0, 0), (7, u128::MAX), (u128::MAX, 1), (0x1234 << 100, 0xabcd)] {
            let cursor = Cursor::new(incarnation, position);
            assert_eq!(read(&write(cursor)), Some(cursor));
        }
    }

    #[test]
    fn other_texts_are_no_cursors() {
        let text = write(Cursor::new(0xab, 1));
        assert!(read(&text).is_some());
        let upper = text.to_uppercase();
        let (short, long) = (&text[1..], format!("0{text}"));
        let signed = format!("+{}", &text[1..]);
        let wide = format!("{}é", &text[2..]);
        for other in ["", "0", upper.as_str(), short, long.as_str(), signed.as_str(), wide.as_str()] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
