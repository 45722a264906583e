//! What a chart shows, read back from the classes of its SVG's texts.

use std::path::Path;

/// A line of text.
struct Line {
    class: String,
    left: f64,
    top: f64,
    words: String,
}

/// What a chart names besides its values.
#[derive(Debug, PartialEq)]
pub struct Shown {
    /// The title of the axis below.
    pub axis: String,
    /// Along that axis, from left to right: levels, or the ticks of a scale.
    pub below: Vec<String>,
    /// The names in the key, at the ends of lines, above groups of bars or above panels.
    pub key: Vec<String>,
    /// Names of bars, from top to bottom.
    pub bars: Vec<String>,
}

impl Shown {
    /// Reads a chart.
    pub fn read(svg: &Path) -> Shown {
        let lines = lines(&std::fs::read_to_string(svg).unwrap_or_else(|e| panic!("{}: {e}", svg.display())));
        Shown {
            axis: sorted(&lines, "axis", |line| line.top).pop().unwrap_or_default(),
            below: sorted(&lines, "tick", |line| line.left),
            key: key(&lines),
            bars: sorted(&lines, "bar", |line| line.top),
        }
    }
}

fn lines(svg: &str) -> Vec<Line> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    let line = |node: roxmltree::Node| {
        let number = |name| node.attribute(name).unwrap().parse::<f64>().unwrap();
        Line {
            class: node.attribute("class").unwrap().to_owned(),
            left: number("x"),
            top: number("y"),
            words: node.text().unwrap_or_default().trim().replace('\u{a0}', " "),
        }
    };
    texts.map(line).collect()
}

/// The words of one class, by a position.
fn sorted(lines: &[Line], class: &str, by: fn(&Line) -> f64) -> Vec<String> {
    let mut of_class: Vec<&Line> = lines.iter().filter(|line| line.class == class).collect();
    of_class.sort_by(|a, b| by(a).total_cmp(&by(b)));
    of_class.into_iter().map(|line| line.words.clone()).collect()
}

/// Names of series in the order drawn, with their further lines; without values beyond the scale, and without indices.
fn key(lines: &[Line]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for line in lines.iter().filter(|line| !line.words.ends_with('↑')) {
        match (line.class.as_str(), names.last_mut()) {
            ("series", _) => names.push(line.words.clone()),
            ("more", Some(name)) => *name = format!("{name} {}", line.words),
            _ => {}
        }
    }
    let without_index = |name: String| match name.strip_prefix("J_w ").and_then(|name| name.split_once(", "))
    {
        Some((_, title)) => title.to_owned(),
        None => name,
    };
    names.into_iter().map(without_index).collect()
}
