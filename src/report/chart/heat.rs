//! The rate of each guest over time, a row for each guest: who starves, and when, at a glance.

use plotters::style::RGBColor;

use super::axes::{TICK, UNIT};
use super::canvas::{AXIS, Align, Canvas, GREY, INK};
use super::frame::Frame;
use super::guests;
use super::picture::Picture;
use super::scale::Scale;
use super::text::Font;
use crate::figures::{Course, Metric, TrialFigures};
use crate::profile::{Configuration, Unit};
use crate::report::{Model, model};

/// From nothing to the most: cividis (Nuñez, Anderton, Renslow, 2018), which any colour vision and any printer can tell.
const COLOURS: [(f64, f64, f64); 6] = [
    (0.0, 34.0, 78.0),
    (50.0, 65.0, 109.0),
    (107.0, 109.0, 114.0),
    (148.0, 142.0, 119.0),
    (202.0, 185.0, 105.0),
    (254.0, 232.0, 56.0),
];
/// Width of the scale of colours, px.
const BAR: f64 = 28.0;

/// One trial.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct HeatMap {
    title: String,
    bias_percent: f64,
    drawn: [Configuration; 1],
    course: Course,
    unit: &'static str,
}

/// The trial of the largest bias among those of the configuration with the largest mean bias; none where no trial has two
/// guests to compare.
pub(super) fn worst(report: &Model) -> Option<HeatMap> {
    let row = guests::most_biased(report)?;
    let own = report.trials.iter().filter(|trial| trial.configuration == row.configuration);
    let biased = |trial: &&TrialFigures| trial.valid().and(Metric::BiasRate.value(trial)).unwrap_or(-1.0);
    let trial = own.max_by(|a, b| biased(a).total_cmp(&biased(b)))?;
    let numbers = trial.valid()?;
    let bias_percent = Metric::BiasRate.value(trial)?;
    let levels = model::describe(&trial.configuration, &report.experiment.factors);
    let comma = if levels.is_empty() { "" } else { ", " };
    let title = format!("Rate of each guest over time: {levels}{comma}repeat {}", trial.repeat);
    let unit = if numbers.total.unit == Unit::Transactions { "transactions/s" } else { "Mbit/s" };
    let (drawn, course) = ([trial.configuration.clone()], numbers.course.clone());
    (course.guests.len() > 1).then_some(HeatMap { title, bias_percent, drawn, course, unit })
}

/// Where rows and slices lie.
struct Grid {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    rows: usize,
    slices: usize,
}

impl Grid {
    fn x(&self, slice: usize) -> f64 {
        self.left + (self.right - self.left) * slice as f64 / self.slices as f64
    }

    fn y(&self, row: usize) -> f64 {
        self.top + (self.bottom - self.top) * row as f64 / self.rows as f64
    }

    /// What keeps two rows apart, px.
    fn gap(&self) -> f64 {
        if self.y(1) - self.y(0) > 12.0 { 2.0 } else { 0.0 }
    }
}

impl Picture for HeatMap {
    fn name(&self) -> String {
        "rate_over_time".into()
    }

    fn title(&self) -> String {
        self.title.clone()
    }

    fn statistics(&self, model: &Model) -> String {
        let trial = match model.repeats().as_str() {
            "single trials" => "a single trial".into(),
            repeats => format!("one trial of {repeats}"),
        };
        format!(
            "{trial}; each cell is {} s, dark: nothing moved; the most biased trial ({:.0}\u{a0}%) where guests differ most",
            self.course.slice_s, self.bias_percent
        )
    }

    fn drawn(&self) -> &[Configuration] {
        &self.drawn
    }

    fn paint(&self, canvas: &mut Canvas, frame: &Frame) {
        let rates = self.course.guests.iter().flat_map(|(_, rates)| rates.iter().copied());
        let scale = Scale::new(rates.fold(0.0, f64::max), self.unit);
        let grid = Grid {
            left: frame.left + 90.0,
            right: frame.right - 190.0,
            top: frame.top + 30.0,
            bottom: frame.bottom - 96.0,
            rows: self.course.guests.len(),
            slices: self.course.guests.iter().map(|(_, rates)| rates.len()).max().unwrap_or(0).max(1),
        };
        canvas.text("guest", (frame.left, frame.top + 14.0), Align::Left, UNIT, &GREY);
        for (row, (guest, rates)) in self.course.guests.iter().enumerate() {
            for (slice, rate) in rates.iter().enumerate() {
                let colour = colour(rate / scale.top);
                let below = grid.y(row + 1) - grid.gap();
                canvas.rectangle((grid.x(slice), grid.y(row)), (grid.x(slice + 1), below), &colour);
            }
            name(canvas, &grid, row, *guest);
        }
        self.time(canvas, &grid);
        key(canvas, &grid, &scale);
    }
}

impl HeatMap {
    /// Seconds of the window.
    fn time(&self, canvas: &mut Canvas, grid: &Grid) {
        let length_s = self.course.slice_s * grid.slices as f64;
        let scale = Scale::new(length_s, "s");
        for tick in scale.ticks.iter().filter(|tick| **tick <= length_s + 1e-9) {
            let x = grid.left + (grid.right - grid.left) * tick / length_s;
            canvas.path(&[(x, grid.bottom), (x, grid.bottom + 9.0)], &AXIS, 2);
            canvas.text(&scale.label(*tick), (x, grid.bottom + 38.0), Align::Middle, TICK, &INK);
        }
        let middle = (grid.left + grid.right) / 2.0;
        canvas.text("time in the window, s", (middle, grid.bottom + 80.0), Align::Middle, UNIT, &GREY);
    }
}

/// A guest's number, where there is room for it.
fn name(canvas: &mut Canvas, grid: &Grid, row: usize, guest: u32) {
    let height = (grid.bottom - grid.top) / grid.rows as f64;
    let every = (16.0 / height).ceil().max(1.0) as usize;
    if row.is_multiple_of(every) {
        let font = Font::regular(height.clamp(13.0, 21.0));
        let y = (grid.y(row) + grid.y(row + 1)) / 2.0;
        canvas.centred(&guest.to_string(), (grid.left - 16.0, y), Align::Right, font, &INK);
    }
}

/// The scale of colours, from zero up.
fn key(canvas: &mut Canvas, grid: &Grid, scale: &Scale) {
    let left = grid.right + 50.0;
    let y = |part: f64| grid.bottom - part * (grid.bottom - grid.top);
    const STEPS: u32 = 64;
    for step in 0..STEPS {
        let [from, to] = [step, step + 1].map(|step| f64::from(step) / f64::from(STEPS));
        canvas.rectangle((left, y(to)), (left + BAR, y(from)), &colour((from + to) / 2.0));
    }
    for tick in &scale.ticks {
        canvas.centred(
            &scale.label(*tick),
            (left + BAR + 12.0, y(tick / scale.top)),
            Align::Left,
            TICK,
            &INK,
        );
    }
    canvas.text(scale.unit, (left, grid.top - 16.0), Align::Left, UNIT, &GREY);
}

/// The colour of a part of the scale, 0 to 1.
fn colour(part: f64) -> RGBColor {
    let place = part.clamp(0.0, 1.0) * (COLOURS.len() - 1) as f64;
    let below = (place as usize).min(COLOURS.len() - 2);
    let (from, to, between) = (COLOURS[below], COLOURS[below + 1], place - below as f64);
    let mix = |from: f64, to: f64| (from + between * (to - from)).round() as u8;
    RGBColor(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_get_brighter_from_nothing_to_the_most() {
        let light = |part: f64| {
            let RGBColor(r, g, b) = colour(part);
            0.2126 * f64::from(r) + 0.7152 * f64::from(g) + 0.0722 * f64::from(b)
        };
        let steps: Vec<f64> = (0..=20).map(|step| light(f64::from(step) / 20.0)).collect();
        assert!(steps.windows(2).all(|pair| pair[0] < pair[1]), "{steps:?}");
    }
}
