//! What a chart shows, read back from where the texts of its SVG stand and how they are set.

use std::path::Path;

/// A line of text.
struct Line {
    left: f64,
    top: f64,
    size: f64,
    bold: bool,
    anchor: String,
    words: String,
}

/// What a chart names besides its values.
#[derive(Debug, PartialEq)]
pub struct Shown {
    /// The title of the axis below.
    pub axis: String,
    /// Along that axis, from left to right: levels, or the ticks of a scale. Empty where bars lie.
    pub below: Vec<String>,
    /// The names in the key, at the ends of lines, or above groups of bars.
    pub key: Vec<String>,
    /// What is named at the left edge, from top to bottom: bars, or the ticks of a scale.
    pub left: Vec<String>,
}

impl Shown {
    /// Reads a chart.
    pub fn read(svg: &Path) -> Shown {
        let lines = lines(&std::fs::read_to_string(svg).unwrap_or_else(|e| panic!("{}: {e}", svg.display())));
        Shown { axis: axis(&lines), below: below(&lines), key: key(&lines), left: left(&lines) }
    }
}

fn lines(svg: &str) -> Vec<Line> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    let line = |node: roxmltree::Node| {
        let number = |name| node.attribute(name).unwrap().parse::<f64>().unwrap();
        Line {
            left: number("x"),
            top: number("y"),
            size: number("font-size").round(),
            bold: node.attribute("font-weight") == Some("bold"),
            anchor: node.attribute("text-anchor").unwrap().to_owned(),
            words: node.text().unwrap_or_default().trim().replace('\u{a0}', " "),
        }
    };
    texts.map(line).collect()
}

/// Of the lines that pass, the words by a position.
fn sorted(lines: &[Line], passes: impl Fn(&&Line) -> bool, by: fn(&Line) -> f64) -> Vec<String> {
    let mut passing: Vec<&Line> = lines.iter().filter(passes).collect();
    passing.sort_by(|a, b| by(a).total_cmp(&by(b)));
    passing.into_iter().map(|line| line.words.clone()).collect()
}

/// The lowest line of its kind: bars that lie have their ticks above it.
fn axis(lines: &[Line]) -> String {
    let is_title = |line: &&Line| !line.bold && line.anchor == "middle" && line.size == 20.0;
    sorted(lines, is_title, |line| line.top).pop().unwrap_or_default()
}

/// The lowest row of ticks; without one, what stands below the bars of panels.
fn below(lines: &[Line]) -> Vec<String> {
    let is_tick = |line: &&Line| !line.bold && line.anchor == "middle" && line.size == 21.0;
    if !lines.iter().any(|line| is_tick(&line)) {
        return below_panels(lines);
    }
    let lowest = lines.iter().filter(is_tick).map(|line| line.top).fold(0.0, f64::max);
    sorted(lines, |line| is_tick(line) && line.top == lowest, |line| line.left)
}

/// Names of one or two lines; the values of bars are as large, and stand above the zero of the scale.
fn below_panels(lines: &[Line]) -> Vec<String> {
    let zero = lines.iter().filter(|line| line.anchor == "end" && line.size == 21.0).map(|line| line.top);
    let zero = zero.fold(0.0, f64::max);
    let is_name = |line: &&Line| line.anchor == "middle" && line.size == 19.0 && line.top > zero;
    let mut parts: Vec<&Line> = lines.iter().filter(is_name).collect();
    parts.sort_by(|a, b| a.left.total_cmp(&b.left).then(a.top.total_cmp(&b.top)));
    let names = parts.chunk_by(|a, b| a.left == b.left);
    names.map(|parts| parts.iter().map(|line| line.words.as_str()).collect::<Vec<_>>().join(" ")).collect()
}

/// Names in bold, in the order drawn. One of two lines is one name; values beyond the scale, and indices, are none.
fn key(lines: &[Line]) -> Vec<String> {
    /// From a line of a name to its next.
    const HEIGHT: f64 = 28.0;
    let is_name = |line: &&Line| line.bold && line.anchor == "start" && line.size <= 22.0;
    let mut names: Vec<(f64, f64, String)> = Vec::new();
    for line in lines.iter().filter(is_name).filter(|line| !line.words.ends_with('↑')) {
        match names.last_mut() {
            Some((left, top, name)) if *left == line.left && line.top - *top == HEIGHT => {
                (*top, *name) = (line.top, format!("{name} {}", line.words));
            }
            _ => names.push((line.left, line.top, line.words.clone())),
        }
    }
    let without_index = |name: String| match name.strip_prefix("J_w ").and_then(|name| name.split_once(", "))
    {
        Some((_, title)) => title.to_owned(),
        None => name,
    };
    names.into_iter().map(|(_, _, name)| without_index(name)).collect()
}

fn left(lines: &[Line]) -> Vec<String> {
    sorted(lines, |line| !line.bold && line.anchor == "end" && line.size > 15.0, |line| line.top)
}
