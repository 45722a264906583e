//! A picture in the making: the few shapes that charts are made of, written as SVG.
//!
//! Written here rather than through a plotting library because a chart needs groups with ids, clip paths, dash patterns and
//! positions between pixels.

use std::fmt::{Display, Write};

use super::font::{FAMILIES, Font};
use super::palette::{Colour, Marker};

/// A point, px from the upper left corner.
pub(super) type Point = (f64, f64);

/// Width of every picture and its usual height, px. On a slide of 16:9, 13.33 inches wide, 21 px are 14 pt.
pub(super) const SIZE: (f64, f64) = (1440.0, 810.0);

/// Titles and values.
pub(super) const INK: Colour = Colour(0x1f, 0x22, 0x28);
/// Secondary text, and what has no level of its own.
pub(super) const GREY: Colour = Colour(0x5f, 0x65, 0x70);
/// Grid.
pub(super) const FAINT: Colour = Colour(0xdd, 0xdf, 0xe3);
/// Axis and ticks.
pub(super) const AXIS: Colour = Colour(0x8a, 0x8f, 0x98);
pub(super) const WHITE: Colour = Colour(0xff, 0xff, 0xff);

/// Which point of a text its position names; vertically always the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Middle,
    Right,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stroke {
    pub colour: Colour,
    pub width: f64,
    /// SVG's `stroke-dasharray`; empty for a solid line.
    pub dash: &'static str,
}

impl Stroke {
    pub const fn solid(colour: Colour, width: f64) -> Stroke {
        Stroke { colour, width, dash: "" }
    }
}

/// How the inside of a marker is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fill {
    Full,
    /// A white dot in the middle.
    Dotted,
    /// White within an outline.
    Hollow,
}

/// A rectangle between edges, px.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Area {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

impl Area {
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }

    pub fn middle(&self) -> f64 {
        (self.left + self.right) / 2.0
    }
}

/// The picture so far.
pub(super) struct Canvas {
    svg: String,
    clips: usize,
}

impl Canvas {
    /// Draws a picture on white, [`SIZE`] wide and so high, and returns its SVG.
    pub fn draw(height: f64, paint: impl FnOnce(&mut Canvas)) -> String {
        let mut canvas = Canvas { svg: String::new(), clips: 0 };
        // A whole number of the PNG's pixels, of which 4 are 3 px.
        let (width, height) = (SIZE.0, 3.0 * (height / 3.0).ceil());
        canvas.push(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"{FAMILIES}\">"
        ));
        canvas.rectangle(Area { left: 0.0, right: width, top: 0.0, bottom: height }, WHITE, 1.0);
        paint(&mut canvas);
        canvas.push("</svg>");
        canvas.svg
    }

    /// Shapes with an id in common, such as `series-virtio`.
    pub fn group(&mut self, kind: &str, name: &str, paint: impl FnOnce(&mut Canvas)) {
        self.push(format_args!("<g id=\"{kind}-{}\">", slug(name)));
        paint(self);
        self.push("</g>");
    }

    /// Shapes of which nothing is visible outside of an area.
    pub fn clipped(&mut self, area: Area, paint: impl FnOnce(&mut Canvas)) {
        self.clips += 1;
        let clip = self.clips;
        let Area { left, top, .. } = area;
        self.push(format_args!(
            "<clipPath id=\"clip-{clip}\"><rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>\
             </clipPath>\n<g clip-path=\"url(#clip-{clip})\">",
            area.width(),
            area.height()
        ));
        paint(self);
        self.push("</g>");
    }

    /// A line through points.
    pub fn path(&mut self, points: &[Point], stroke: Stroke) {
        let Stroke { colour, width, dash } = stroke;
        let dash = if dash.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dash}\"") };
        self.push(format_args!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" \
             stroke-linejoin=\"round\"{dash}/>",
            list(points)
        ));
    }

    /// A filled shape.
    pub fn polygon(&mut self, points: &[Point], colour: Colour, opacity: f64) {
        self.push(format_args!(
            "<polygon points=\"{}\" fill=\"{colour}\" fill-opacity=\"{opacity}\"/>",
            list(points)
        ));
    }

    /// A filled rectangle.
    pub fn rectangle(&mut self, area: Area, colour: Colour, opacity: f64) {
        let Area { left, top, .. } = area;
        self.push(format_args!(
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{colour}\" \
             fill-opacity=\"{opacity}\" shape-rendering=\"crispEdges\"/>",
            area.width().max(0.0),
            area.height().max(0.0)
        ));
    }

    /// A small open circle: one repeat.
    pub fn dot(&mut self, (x, y): Point, colour: Colour) {
        self.push(format_args!(
            "<circle class=\"repeat\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"#ffffff\" \
             fill-opacity=\"0.6\" stroke=\"{colour}\" stroke-width=\"1.5\"/>"
        ));
    }

    /// A point with a white halo, which keeps it apart from lines that cross it.
    pub fn marker(&mut self, at: Point, marker: Marker, fill: Fill, colour: Colour) {
        let inside = if fill == Fill::Hollow { WHITE } else { colour };
        let outline = list(&marker.outline(at));
        self.push(format_args!(
            "<polygon points=\"{outline}\" fill=\"#ffffff\" stroke=\"#ffffff\" stroke-width=\"5\"/>"
        ));
        self.push(format_args!(
            "<polygon class=\"point\" points=\"{outline}\" fill=\"{inside}\" stroke=\"{colour}\" stroke-width=\"2\"/>"
        ));
        if fill == Fill::Dotted {
            self.push(format_args!(
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.6\" fill=\"#ffffff\"/>",
                at.0, at.1
            ));
        }
    }

    /// One line of text on a baseline; its class says what it names.
    pub fn text(&mut self, class: &str, text: &str, at: Point, align: Align, (font, colour): (Font, Colour)) {
        let anchor = match align {
            Align::Left => "start",
            Align::Middle => "middle",
            Align::Right => "end",
        };
        let weight = if font.bold { " font-weight=\"bold\"" } else { "" };
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        self.push(format_args!(
            "<text class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\" font-size=\"{}\"{weight} \
             fill=\"{colour}\">{text}</text>",
            at.0, at.1, font.size
        ));
    }

    /// One line of text with the middle of its capitals at a height.
    pub fn centred(&mut self, class: &str, text: &str, at: Point, align: Align, style: (Font, Colour)) {
        // Inter's capitals: 0.727 em
        self.text(class, text, (at.0, at.1 + 0.364 * style.0.size), align, style);
    }

    fn push(&mut self, element: impl Display) {
        // Writing to a string does not fail.
        let _ = writeln!(self.svg, "{element}");
    }
}

fn list(points: &[Point]) -> String {
    points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")
}

/// Lower-case letters, digits and hyphens, for ids and file names.
pub(super) fn slug(words: &str) -> String {
    let dashed: String =
        words.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    dashed.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}
