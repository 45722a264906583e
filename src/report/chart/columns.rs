//! Upright bars in panels, one panel for each of several values, over the same levels of a factor.
//!
//! Each panel has a scale of its own: beside a maximum of fifty times as much a mean would be hardly a line.

use plotters::style::WHITE;

use super::axes::{self, Plane, UNIT};
use super::canvas::{AXIS, Align, Canvas, GREY, INK};
use super::estimate::{Estimate, reach};
use super::frame::{self, Frame};
use super::picture::Picture;
use super::scale::Scale;
use super::text::Font;
use super::{palette, parts};
use crate::profile::Configuration;
use crate::report::Model;

const NAME: Font = Font::bold(21.0);
/// Names of levels and values of bars.
const LEVEL: Font = Font::regular(19.0);
const VALUE: Font = Font::regular(19.0);
/// Widest bar, px.
const WIDEST: f64 = 130.0;
/// Part of a level's place that its bar fills.
const FILLED: f64 = 0.78;
/// Between panels side by side, px.
const GAP: f64 = 44.0;
/// Between a panel's lower end and the name of the next below it, px.
const BETWEEN: f64 = 40.0;
/// From the upper end of a panel to its name's baseline, and to its highest tick, px.
const NAME_BASELINE: f64 = 14.0;
const ABOVE: f64 = 56.0;
/// Narrowest place of a level side by side, px.
const NARROWEST: f64 = 90.0;
/// Lines of a level's name, and their height, px.
const NAME_LINES: usize = 2;
const NAME_LINE: f64 = 26.0;

/// One picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Columns {
    /// Beginning of the file's name.
    pub name: &'static str,
    /// Beginning of the title.
    pub title: &'static str,
    /// The levels that all of it has in common, in words.
    pub part: Vec<String>,
    /// Every configuration of which something is drawn.
    pub drawn: Vec<Configuration>,
    pub explanation: &'static str,
    pub unit: &'static str,
    /// What the levels are of.
    pub axis: &'static str,
    /// One for each value of a level.
    pub panels: Vec<Panel>,
    pub levels: Vec<Level>,
}

/// What one panel shows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Panel {
    pub name: &'static str,
    /// Upper end of what has to be visible.
    pub largest: f64,
}

/// The values at one level, one for each panel; what is undefined is a gap.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Level {
    pub label: String,
    pub values: Vec<Option<Estimate>>,
}

/// Where the panels lie, and the lines of the levels' names.
struct Layout {
    planes: Vec<Plane>,
    names: Vec<Vec<String>>,
}

impl Columns {
    /// What the scale of a panel has to reach.
    pub fn reach(&self, panel: usize) -> f64 {
        reach(self.values(panel))
    }

    fn values(&self, panel: usize) -> impl Iterator<Item = &Estimate> {
        self.levels.iter().filter_map(move |level| level.values[panel].as_ref())
    }

    /// The panels that have something to show, with their scales.
    fn shown(&self) -> Vec<(usize, Scale)> {
        let scaled = |(index, panel): (usize, &Panel)| (index, Scale::new(panel.largest, self.unit));
        let panels = self.panels.iter().enumerate().map(scaled);
        panels.filter(|(index, _)| self.values(*index).next().is_some()).collect()
    }

    fn is_cut(&self) -> bool {
        let cut = |(panel, scale): &(usize, Scale)| self.values(*panel).any(|v| v.high() > 1.001 * scale.top);
        self.shown().iter().any(cut)
    }

    /// Side by side where every level's name has room there, which leaves the bars the most height; else one above the
    /// other, with the names below the last.
    fn layout(&self, frame: &Frame, count: usize, numbers: f64) -> Layout {
        let width = (frame.right - frame.left + GAP) / count as f64 - GAP;
        let place = (width - numbers) / self.levels.len() as f64;
        let names = self.names(place);
        if count == 1 || place >= NARROWEST && self.are_whole(&names) {
            let bottom = frame.bottom - below(&names);
            let left = |index: usize| frame.left + index as f64 * (width + GAP);
            let plane = |index| Plane {
                left: left(index) + numbers,
                right: left(index) + width,
                top: frame.top + ABOVE,
                bottom,
            };
            return Layout { planes: (0..count).map(plane).collect(), names };
        }
        let left = frame.left + numbers;
        let names = self.names((frame.right - left) / self.levels.len() as f64);
        let height = (frame.bottom - below(&names) - frame.top + BETWEEN) / count as f64 - BETWEEN;
        let top = |index: usize| frame.top + index as f64 * (height + BETWEEN);
        let plane =
            |index| Plane { left, right: frame.right, top: top(index) + ABOVE, bottom: top(index) + height };
        Layout { planes: (0..count).map(plane).collect(), names }
    }

    /// The levels' names in lines that fit their places.
    fn names(&self, place: f64) -> Vec<Vec<String>> {
        self.levels.iter().map(|level| LEVEL.wrap(&level.label, place - 8.0, NAME_LINES)).collect()
    }

    /// Whether no name had to be shortened.
    fn are_whole(&self, names: &[Vec<String>]) -> bool {
        self.levels.iter().zip(names).all(|(level, lines)| lines.join(" ") == level.label)
    }

    fn panel(&self, canvas: &mut Canvas, plane: &Plane, (index, scale): &(usize, Scale), left: f64) {
        let name = axes::with_unit(self.panels[*index].name, scale);
        let baseline = plane.top - ABOVE + NAME_BASELINE;
        canvas.text(&name, (left, baseline), Align::Left, NAME, &palette::text(*index));
        axes::grid(canvas, plane, scale);
        for (level, middle) in self.levels.iter().zip(middles(plane, self.levels.len())) {
            if let Some(value) = &level.values[*index] {
                let half = (FILLED * place(plane, self.levels.len())).min(WIDEST) / 2.0;
                column(canvas, plane, scale, (middle, half), value, *index);
            }
        }
        canvas.path(&[(plane.left, plane.bottom), (plane.right, plane.bottom)], &AXIS, 2);
    }
}

impl Picture for Columns {
    fn name(&self) -> String {
        parts::file_name(self.name, &self.part)
    }

    fn title(&self) -> String {
        parts::title(self.title, &self.part)
    }

    fn statistics(&self, model: &Model) -> String {
        let untold = self.levels.iter().flat_map(|level| level.values.iter().flatten()).any(|v| v.untold);
        frame::statistics(model, self.explanation, "whisker", self.is_cut().then_some("top"), untold)
    }

    fn drawn(&self) -> &[Configuration] {
        &self.drawn
    }

    fn paint(&self, canvas: &mut Canvas, frame: &Frame) {
        let shown = self.shown();
        let numbers = shown.iter().map(|(_, scale)| axes::numbers_width(scale)).fold(0.0, f64::max);
        let Layout { planes, names } = self.layout(frame, shown.len().max(1), numbers);
        let lowest = planes.iter().map(|plane| plane.bottom).fold(0.0, f64::max);
        for (plane, shown) in planes.iter().zip(&shown) {
            self.panel(canvas, plane, shown, plane.left - numbers);
            if plane.bottom == lowest {
                write_names(canvas, plane, &names);
            }
        }
        let middle = (frame.left + frame.right) / 2.0;
        canvas.text(self.axis, (middle, frame.bottom - 16.0), Align::Middle, UNIT, &GREY);
    }
}

/// What the levels' names and the axis' title take below a panel, px.
fn below(names: &[Vec<String>]) -> f64 {
    let lines = names.iter().map(Vec::len).max().unwrap_or(0).max(1);
    96.0 + NAME_LINE * (lines - 1) as f64
}

/// Width of a level's place, px.
fn place(plane: &Plane, levels: usize) -> f64 {
    (plane.right - plane.left) / levels as f64
}

/// The middle of each level's place.
fn middles(plane: &Plane, levels: usize) -> impl Iterator<Item = f64> {
    let (left, place) = (plane.left, place(plane, levels));
    (0..levels).map(move |index| left + (index as f64 + 0.5) * place)
}

fn write_names(canvas: &mut Canvas, plane: &Plane, names: &[Vec<String>]) {
    for (lines, middle) in names.iter().zip(middles(plane, names.len())) {
        for (line, text) in lines.iter().enumerate() {
            let baseline = plane.bottom + 38.0 + NAME_LINE * line as f64;
            canvas.text(text, (middle, baseline), Align::Middle, LEVEL, &INK);
        }
    }
}

/// A bar with its whisker, and its value above both.
fn column(
    canvas: &mut Canvas,
    plane: &Plane,
    scale: &Scale,
    (middle, half): (f64, f64),
    value: &Estimate,
    colour: usize,
) {
    let top = plane.y(scale, value.mean);
    canvas.rectangle((middle - half, top), (middle + half, plane.bottom), &palette::line(colour));
    let reached = value.ends.map(|(low, high)| {
        let ends = (plane.y(scale, low), plane.y(scale, high));
        axes::whisker(canvas, middle, ends, 0.24 * half, &INK);
        ends.1
    });
    let above = reached.unwrap_or(top).min(top) - 10.0;
    let text = scale.value(value.mean);
    let font = if VALUE.width(&text) > 2.0 * half + 8.0 { Font::regular(14.0) } else { VALUE };
    // On white: the grid runs behind it.
    let half = font.width(&text) / 2.0 + 3.0;
    canvas.rectangle((middle - half, above - 0.8 * font.size), (middle + half, above + 4.0), &WHITE);
    canvas.text(&text, (middle, above), Align::Middle, font, &INK);
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame = Frame { left: 60.0, right: 1860.0, top: 190.0, bottom: 1000.0 };

    fn columns(labels: &[&str], values: [Option<f64>; 3]) -> Columns {
        let level = |label: &&str| Level {
            label: label.to_string(),
            values: values.map(|value| value.map(Estimate::exact)).to_vec(),
        };
        let panel =
            |(name, value): (&'static str, Option<f64>)| Panel { name, largest: value.unwrap_or(0.0) };
        Columns {
            name: "latency",
            title: "Latency",
            part: Vec::new(),
            drawn: Vec::new(),
            explanation: "",
            unit: "µs",
            axis: "what the neighbours do",
            panels: ["mean", "P99", "longest"].into_iter().zip(values).map(panel).collect(),
            levels: labels.iter().map(level).collect(),
        }
    }

    const BACKGROUNDS: [&str; 4] =
        ["no background", "CPU background", "network background", "paced background"];

    #[test]
    fn a_mean_beside_a_maximum_of_fifty_times_as_much_fills_its_own_panel() {
        let shown = columns(&BACKGROUNDS, [Some(900.0), Some(2_000.0), Some(45_000.0)]).shown();
        let filled =
            [900.0, 2_000.0, 45_000.0].iter().zip(&shown).map(|(value, (_, scale))| value / scale.top);
        assert!(filled.clone().all(|part| part > 0.6), "{:?}", filled.collect::<Vec<f64>>());
    }

    #[test]
    fn a_value_that_nobody_has_takes_no_panel() {
        let shown = columns(&BACKGROUNDS, [Some(900.0), None, Some(45_000.0)]).shown();
        assert_eq!(shown.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0, 2]);
    }

    #[test]
    fn panels_of_four_backgrounds_stand_side_by_side_with_their_names_whole() {
        let columns = columns(&BACKGROUNDS, [Some(900.0); 3]);
        let layout = columns.layout(&FRAME, 3, 70.0);
        assert!(layout.planes.windows(2).all(|pair| pair[0].right < pair[1].left));
        assert!(layout.planes.iter().all(|plane| plane.bottom - plane.top > 500.0));
        assert!(columns.are_whole(&layout.names));
    }

    #[test]
    fn panels_whose_names_have_no_room_stand_one_above_the_other_over_the_same_levels() {
        let settings = ["quota\u{a0}50\u{a0}%, base\u{a0}slice\u{a0}in\u{a0}ns\u{a0}3000000"; 4];
        let columns = columns(&settings, [Some(900.0); 3]);
        let layout = columns.layout(&FRAME, 3, 70.0);
        assert!(layout.planes.windows(2).all(|pair| pair[0].bottom < pair[1].top));
        assert!(layout.planes.iter().all(|plane| plane.left == 130.0 && plane.bottom - plane.top > 110.0));
        assert!(columns.are_whole(&layout.names));
    }
}
