//! A picture of horizontal bars, as SVG, readable on light and on dark pages.

use std::fmt;

use super::results::Bar;

/// Panels of bars below each other, all on one scale.
#[derive(Debug)]
pub(super) struct Chart {
    title: &'static str,
    panels: Vec<Panel>,
}

#[derive(Debug)]
struct Panel {
    title: &'static str,
    bars: Vec<Bar>,
}

/// Wide enough for the longest name at this size of letters, then for the longest bar, then for its number.
const NAMES: f64 = 324.0;
const BARS: f64 = 340.0;
const NUMBERS: f64 = 100.0;

const WIDTH: f64 = NAMES + BARS + NUMBERS;
const MARGIN: f64 = 16.0;
const LINE: f64 = 24.0;
const BAR: f64 = 14.0;

/// The background is part of the picture, because a page need not follow the reader's choice of theme.
const STYLE: &str = "\
text { font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #1f2328 }
.title { font-size: 16px; font-weight: 600 } .panel { font-weight: 600 } .name { text-anchor: end }
.page { fill: #ffffff } .ours { fill: #2f6fde } .floor { fill: #c3c9d0 } .other { fill: #828b95 }
.cut { stroke: #ffffff; stroke-width: 4 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .page { fill: #0d1117 } .ours { fill: #6ea8fe } .floor { fill: #444c56 }
.other { fill: #7d8590 } .cut { stroke: #0d1117 }
}";

impl Chart {
    pub(super) fn new(title: &'static str) -> Self {
        Self { title, panels: Vec::new() }
    }

    pub(super) fn panel(mut self, title: &'static str, bars: Vec<Bar>) -> Self {
        self.panels.push(Panel { title, bars });
        self
    }

    /// The time at the right end. One that would make all others look alike is cut there, and marked.
    fn end(&self) -> f64 {
        let mut times: Vec<f64> = self.panels.iter().flat_map(|panel| &panel.bars).map(|bar| bar.ns).collect();
        times.sort_by(f64::total_cmp);
        let longest = times.last().copied().unwrap_or(1.0);
        let next = times.iter().rev().copied().find(|time| time * 2.0 < longest);
        // as long as those near the top are few: else they are what the picture is about
        let near = times.iter().filter(|time| **time * 2.0 >= longest).count();
        match next {
            Some(next) if near <= self.panels.len() => next * 1.25,
            _ => longest,
        }
    }

    fn height(&self) -> f64 {
        let lines: f64 = self.panels.iter().map(|panel| panel.bars.iter().map(|_| 1.0).sum::<f64>() + 2.0).sum();
        2.0 * MARGIN + LINE * (1.0 + lines)
    }
}

impl fmt::Display for Chart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (width, height, title) = (WIDTH, self.height(), escaped(self.title));
        let size = format!("width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\"");
        writeln!(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" {size} role=\"img\">")?;
        writeln!(f, "<title>{title}</title>\n<style>{STYLE}</style>")?;
        writeln!(f, "<rect class=\"page\" width=\"{width}\" height=\"{height}\" rx=\"6\"/>")?;
        let mut baseline = MARGIN + 16.0;
        writeln!(f, "<text class=\"title\" x=\"{MARGIN}\" y=\"{baseline}\">{title}</text>")?;
        let end = self.end();
        for panel in &self.panels {
            baseline += 2.0 * LINE;
            writeln!(f, "<text class=\"panel\" x=\"{MARGIN}\" y=\"{baseline}\">{}</text>", escaped(panel.title))?;
            for bar in &panel.bars {
                baseline += LINE;
                bar.draw(f, baseline, end)?;
            }
        }
        writeln!(f, "</svg>")
    }
}

impl Bar {
    fn draw(&self, f: &mut fmt::Formatter<'_>, baseline: f64, limit: f64) -> fmt::Result {
        let (name, number, class) = (escaped(&self.name), grouped(self.ns), self.class());
        let length = BARS * (self.ns / limit).min(1.0);
        let (top, end) = (baseline - BAR + 2.0, NAMES + length);
        writeln!(f, "<text class=\"name\" x=\"{}\" y=\"{baseline}\">{name}</text>", NAMES - 8.0)?;
        writeln!(
            f,
            "<rect class=\"{class}\" x=\"{NAMES}\" y=\"{top}\" width=\"{length:.1}\" height=\"{BAR}\" rx=\"2\"/>"
        )?;
        if self.ns > limit {
            let (from, to, bottom) = (end - 24.0, end - 16.0, top + BAR + 2.0);
            writeln!(f, "<line class=\"cut\" x1=\"{from}\" y1=\"{bottom}\" x2=\"{to}\" y2=\"{}\"/>", top - 2.0)?;
        }
        writeln!(f, "<text x=\"{:.1}\" y=\"{baseline}\">{number} ns</text>", end + 8.0)
    }

    fn class(&self) -> &'static str {
        match self.name.as_str() {
            name if name.starts_with("portcullis") => "ours",
            name if name.starts_with("bare") => "floor",
            _ => "other",
        }
    }
}

/// Thousands apart.
fn grouped(ns: f64) -> String {
    let digits = format!("{ns:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(times: &[(&str, f64)]) -> Chart {
        let bars = times.iter().map(|&(name, ns)| Bar { name: name.to_owned(), ns }).collect();
        Chart::new("a & b").panel("one", bars)
    }

    #[test]
    fn bars_are_as_long_as_their_times() {
        let text = chart(&[("bare", 500.0), ("portcullis", 1000.0)]).to_string();
        assert!(text.contains("class=\"floor\" x=\"324\" y=\"92\" width=\"170.0\""), "{text}");
        assert!(text.contains("class=\"ours\" x=\"324\" y=\"116\" width=\"340.0\""), "{text}");
        assert!(text.contains("1 000 ns") && !text.contains("class=\"cut\""), "{text}");
    }

    #[test]
    fn one_far_beyond_the_rest_is_cut_and_keeps_its_number() {
        let text = chart(&[("a", 100.0), ("b", 200.0), ("c", 1_234_567.0)]).to_string();
        assert!(text.contains("class=\"cut\"") && text.contains("1 234 567 ns"), "{text}");
        assert!(text.contains("width=\"272.0\""), "the next one is a fifth shorter than the end: {text}");
    }

    #[test]
    fn text_is_escaped_and_no_bars_are_no_problem() {
        assert!(chart(&[]).to_string().contains("<title>a &amp; b</title>"));
        assert_eq!(["7", "70", "700", "7 000", "70 000"], [7.0, 70.0, 700.0, 7000.0, 70_000.0].map(grouped).as_slice());
    }
}
