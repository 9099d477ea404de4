//! The `jti` that the library in Go computes, which escapes what HTML does not have in a text: E13. Computed with it, by Go 1.19 (`\b` and `\f` as since
//! Go 1.22).

use serde_json::json;

use super::{
    Rows,
    world::{IAT, id},
};

pub(super) fn add(rows: &mut Rows) {
    let mut with = |name: &str, title: &str, text: &str, jti: &str| {
        let claims = json!({"iat": IAT, "iss": id("acc"), "name": text, "sub": id("user")});
        rows.add("jti", &format!("e13-{name}"), title, &["E13"], None, &json!({"claims": claims, "jti": jti}));
    };
    with("html", "what HTML would read", "<a> & 'b'", "D7DXXBQEUUYMR6SNKHCMGF7TXYT6H3I5ZCTKQAEKSGLVKBSCYIDQ");
    let separators = "a\u{2028}b\u{2029}c";
    with("separators", "U+2028 and U+2029", separators, "Z4QDSBSHNURPWENAXPUB77BG55O6VX6CQHACMIIDPSEAAIT3RSKA");
    let controls = "a\tb\nc\rd\u{1}e\u{7f}";
    with("controls", "control characters", controls, "BZ6Z7VWQPELBSR5DBUFL63ANFXKRINSC4DEWZJWRTWV7QGTYIA6Q");
    let short = "a\u{8}b\u{c}c";
    with("short", "backspace and form feed", short, "PX75FANUSW2VMW3Z2DUJFWUM6LW75RL257TYL4UAK5R6TNOS376Q");
    with("quotes", "quotation marks", "\"a\\b\"/", "6JAON7B3Z3VQAEYR6GZWXWMPJ6XLSK7FXP62E3DAV522K5HUT5EA");
    with("unicode", "beyond ASCII", "é 🦀", "SHVQ6BXOQDCKHFVFSW74OVJV2U25US57JCJBWWZGLND6273RTHYA");
}
