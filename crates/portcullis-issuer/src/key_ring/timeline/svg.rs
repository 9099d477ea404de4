//! A timeline as an image.

use std::fmt::Write;

use portcullis_core::{UnixTime, keys::KeyState};

use super::{KeyTimes, Moment, Timeline};
use crate::date::Date;

/// The width of the image and of the part with the bars, in pixels.
const WIDTH: u64 = 960;
const LEFT: u64 = 30;
const SPAN: u64 = 900;

/// The height of the part above the keys, and of each key.
const TOP: u64 = 60;
const ROW: u64 = 64;

const STYLE: &str = "text{font:14px sans-serif;fill:#1a1a1a}.small{font-size:12px}.page{fill:#fff}.standby{fill:#8a6d00}.signs{fill:#0a6b3d}\
    .retiring{fill:#4a5a78}.revoked{fill:#b3261e}.now{stroke:#1a1a1a;stroke-dasharray:4 3}\
    @media(prefers-color-scheme:dark){text{fill:#f0f0f0}.page{fill:#161616}.standby{fill:#e0b93a}.signs{fill:#5fce96}\
    .retiring{fill:#a9b8d6}.revoked{fill:#ff8a80}.now{stroke:#f0f0f0}}";

pub(super) fn draw(timeline: &Timeline) -> String {
    let scale = Scale::of(timeline);
    let height = TOP + ROW * timeline.keys.len() as u64 + 50;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"t d\">\
         <title id=\"t\">Signing keys at {}</title><desc id=\"d\">{}</desc><style>{STYLE}</style>\
         <rect class=\"page\" width=\"{WIDTH}\" height=\"{height}\"/>",
        Date(timeline.now),
        escaped(&timeline.to_string()),
    );
    let now = scale.x(timeline.now);
    // Writing to a text cannot fail.
    let _ = write!(svg, "<text x=\"{LEFT}\" y=\"24\">Signing keys at {}</text>", Date(timeline.now));
    for (key, row) in timeline.keys.iter().zip(0..) {
        draw_key(&mut svg, key, TOP + ROW * row, &scale);
    }
    let bottom = TOP + ROW * timeline.keys.len() as u64;
    let _ = write!(svg, "<line class=\"now\" x1=\"{now}\" y1=\"40\" x2=\"{now}\" y2=\"{bottom}\"/>");
    let _ = write!(svg, "<text class=\"small\" x=\"{now}\" y=\"52\">now</text>");
    for (instant, anchor, x) in [(scale.first, "start", LEFT), (scale.last, "end", LEFT + SPAN)] {
        let y = bottom + 24;
        let _ =
            write!(svg, "<text class=\"small\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{}</text>", Date(instant));
    }
    svg.push_str("</svg>");
    svg
}

/// Draws a bar for each time between two moments, with the name of what the key does then: the colour alone says nothing.
fn draw_key(svg: &mut String, key: &KeyTimes, y: u64, scale: &Scale) {
    let label = format!("{} ({}), {}", key.id, key.algorithm, key.state_text());
    let _ = write!(svg, "<text x=\"{LEFT}\" y=\"{}\">{}</text>", y + 16, escaped(&label));
    let ends = key.moments.iter().skip(1).map(|(instant, _)| *instant).chain([scale.last]);
    for ((start, moment), end) in key.moments.iter().zip(ends) {
        let Some((class, name)) = phase(*moment, key.state) else { continue };
        let (from, to) = (scale.x(*start), scale.x(end));
        let width = to.saturating_sub(from).max(2);
        let _ = write!(svg, "<rect class=\"{class}\" x=\"{from}\" y=\"{}\" width=\"{width}\" height=\"12\"/>", y + 24);
        let _ = write!(svg, "<text class=\"small\" x=\"{from}\" y=\"{}\">{name}</text>", y + 50);
    }
}

/// Returns what a key does from this moment on, until its next one.
fn phase(moment: Moment, state: KeyState) -> Option<(&'static str, &'static str)> {
    Some(match (moment, state) {
        (Moment::Published, _) => ("standby", "published"),
        (Moment::MaySign, _) => ("standby", "may sign"),
        (Moment::Signs, KeyState::Retiring { .. }) => ("retiring", "signed"),
        (Moment::Signs, KeyState::Standby) => ("standby", "signed"),
        (Moment::Signs, _) => ("signs", "signs"),
        (Moment::Revoked, _) => ("revoked", "revoked"),
        (Moment::EndIfReplacedNow | Moment::End | Moment::Forgotten, _) => return None,
    })
}

/// The times at both ends.
struct Scale {
    first: UnixTime,
    last: UnixTime,
}

impl Scale {
    fn of(timeline: &Timeline) -> Self {
        let instants = || timeline.keys.iter().flat_map(|key| &key.moments).map(|(instant, _)| *instant);
        let (first, last) = (instants().min(), instants().max());
        Self {
            first: first.map_or(timeline.now, |it| it.min(timeline.now)),
            last: last.map_or(timeline.now, |it| it.max(timeline.now)),
        }
    }

    fn x(&self, instant: UnixTime) -> u64 {
        let all = self.last.since(self.first).as_secs().max(1);
        LEFT + instant.since(self.first).as_secs().saturating_mul(SPAN) / all
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Not allowed in XML.
            control if control.is_control() && control != '\n' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}
