//! The few shapes that charts are made of, in px of the picture.
//!
//! Over plotters' SVG backend. Its error type for a string is never seen in practice; the first one is kept until the end,
//! so that drawing code reads as a list of shapes.

use plotters::coord::Shift;
use plotters::element::Drawable;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::text::Font;
use super::{ChartError, SIZE};
use crate::stats::Zone;

/// A point, px from the upper left corner.
pub(super) type Point = (f64, f64);

/// Text, titles.
pub(super) const INK: RGBColor = RGBColor(0x1f, 0x22, 0x28);
/// Secondary text.
pub(super) const GREY: RGBColor = RGBColor(0x5f, 0x65, 0x70);
/// Grid.
pub(super) const FAINT: RGBColor = RGBColor(0xdd, 0xdf, 0xe3);
/// Axis and ticks.
pub(super) const AXIS: RGBColor = RGBColor(0x8a, 0x8f, 0x98);

/// Which point of a text its position names; vertically always the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Middle,
    Right,
}

/// A picture in the making.
pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
    error: Option<String>,
}

impl Canvas<'_> {
    /// Draws a picture of [`SIZE`] on white and returns its SVG.
    pub fn draw(paint: impl FnOnce(&mut Canvas)) -> Result<String, ChartError> {
        let mut svg = String::new();
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let mut canvas = Canvas { area, error: None };
        canvas.rectangle((0.0, 0.0), (f64::from(SIZE.0), f64::from(SIZE.1)), &WHITE);
        paint(&mut canvas);
        let presented = canvas.area.present().map_err(|error| error.to_string());
        let error = canvas.error.take().or(presented.err());
        drop(canvas);
        error.map_or(Ok(svg), |error| Err(ChartError(error)))
    }

    /// A line through `points`.
    pub fn path(&mut self, points: &[Point], colour: &impl Color, width: u32) {
        let points: Vec<(i32, i32)> = points.iter().copied().map(pixel).collect();
        self.add(&PathElement::new(points, colour.stroke_width(width)));
    }

    /// A dashed straight line.
    pub fn dashes(&mut self, from: Point, to: Point, colour: &impl Color, width: u32, dash: f64) {
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let at = |along: f64| {
            let part = (along / length).min(1.0);
            (from.0 + part * (to.0 - from.0), from.1 + part * (to.1 - from.1))
        };
        let count = (length / (2.0 * dash)).ceil() as u32;
        for start in (0..count).map(|index| f64::from(index) * 2.0 * dash) {
            self.path(&[at(start), at(start + dash)], colour, width);
        }
    }

    /// A filled shape.
    pub fn polygon(&mut self, points: &[Point], colour: &impl Color) {
        let points: Vec<(i32, i32)> = points.iter().copied().map(pixel).collect();
        self.add(&Polygon::new(points, colour.filled()));
    }

    /// A filled rectangle.
    pub fn rectangle(&mut self, from: Point, to: Point, colour: &impl Color) {
        self.add(&Rectangle::new([pixel(from), pixel(to)], colour.filled()));
    }

    /// A dot with a white halo, which keeps it apart from lines that cross it.
    pub fn dot(&mut self, centre: Point, colour: &impl Color) {
        self.add(&Circle::new(pixel(centre), 8, WHITE.filled()));
        self.add(&Circle::new(pixel(centre), 6, colour.filled()));
    }

    /// A point: a dot, or by its zone a ring or a cross.
    pub fn mark(&mut self, (x, y): Point, zone: Option<Zone>, colour: &RGBColor) {
        match zone {
            None | Some(Zone::BestService) => self.dot((x, y), colour),
            Some(Zone::LowestCost) => {
                self.dot((x, y), colour);
                self.add(&Circle::new(pixel((x, y)), 3, WHITE.filled()));
            }
            Some(Zone::OnlyPain) => {
                for (ink, width) in [(&WHITE, 9), (colour, 4)] {
                    self.path(&[(x - 6.0, y - 6.0), (x + 6.0, y + 6.0)], ink, width);
                    self.path(&[(x - 6.0, y + 6.0), (x + 6.0, y - 6.0)], ink, width);
                }
            }
        }
    }

    /// One line of text on a baseline.
    pub fn text(&mut self, text: &str, at: Point, align: Align, font: Font, colour: &impl Color) {
        let horizontal = match align {
            Align::Left => HPos::Left,
            Align::Middle => HPos::Center,
            Align::Right => HPos::Right,
        };
        let style = font.plotters().color(colour).pos(Pos::new(horizontal, VPos::Top));
        let top = at.1 - 0.76 * font.size; // plotters' "top" is a shift of 0.76 em from the baseline
        self.add(&Text::new(text.to_string(), pixel((at.0, top)), style));
    }

    /// One line of text with the middle of its capitals at a height.
    pub fn centred(&mut self, text: &str, at: Point, align: Align, font: Font, colour: &impl Color) {
        self.text(text, (at.0, at.1 + 0.364 * font.size), align, font, colour); // Inter's capitals: 0.727 em
    }

    fn add<'e, E>(&mut self, element: &'e E)
    where
        &'e E: plotters::element::PointCollection<'e, (i32, i32)>,
        E: for<'b> Drawable<SVGBackend<'b>>,
    {
        if let Err(error) = self.area.draw(element) {
            self.error.get_or_insert(error.to_string());
        }
    }
}

fn pixel(point: Point) -> (i32, i32) {
    (point.0.round() as i32, point.1.round() as i32)
}
