//! A picture in the making: texts and single shapes by their place, and what surrounds them, drawn through plotters.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;

use plotters::coord::Shift;
use plotters::element::{Drawable, PointCollection};
use plotters::prelude::*;
use plotters_backend::text_anchor::{HPos, Pos, VPos};
use plotters_backend::{BackendColor, BackendCoord};

use super::font::{FAMILIES, FAMILY, Font};
use super::palette::{Colour, Marker};
use super::sheet::{ROOM, Sheet, tenths};
use super::theme::ChartTheme;
use crate::table::escape;

/// A point, px from the upper left corner.
pub(super) type Point = (f64, f64);

/// Why plotters could not draw.
pub type DrawError = DrawingAreaErrorKind<Infallible>;
/// Whether plotters could draw.
pub(super) type Drawn = Result<(), DrawError>;

/// Titles and values.
pub(super) const INK: Colour = Colour(0x1f, 0x22, 0x28);
/// Secondary text, and what has no level of its own.
pub(super) const GREY: Colour = Colour(0x5f, 0x65, 0x70);
/// Grid.
pub(super) const FAINT: Colour = Colour(0xdd, 0xdf, 0xe3);
/// Axis and ticks.
pub(super) const AXIS: Colour = Colour(0x8a, 0x8f, 0x98);
pub(super) const WHITE: Colour = Colour(0xff, 0xff, 0xff);

impl Color for Colour {
    fn to_backend_color(&self) -> BackendColor {
        BackendColor { alpha: 1.0, rgb: (self.0, self.1, self.2) }
    }
}

/// Which point of a text its position names, from left to right.
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

    /// Without the dash, which is the canvas's.
    pub fn style(self) -> ShapeStyle {
        self.colour.stroke_width(tenths(self.width).unsigned_abs())
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
    sheet: Sheet,
    pub theme: ChartTheme,
    /// All of the sheet.
    pub whole: DrawingArea<Sheet, Shift>,
    /// The picture.
    pub page: DrawingArea<Sheet, Shift>,
    clips: Cell<usize>,
    failed: RefCell<Option<DrawError>>,
}

impl Canvas {
    /// Draws a picture of this width and height, px, on the theme's paper, and returns its SVG. Its title and description are for
    /// readers who do not see it.
    ///
    /// # Errors
    /// The first thing that plotters could not draw.
    pub fn draw(
        (title, description): (&str, &str),
        (width, height): (f64, f64),
        theme: ChartTheme,
        paint: impl FnOnce(&Canvas) -> Drawn,
    ) -> Result<String, DrawError> {
        let sheet = Sheet::new((width, height), theme);
        let whole = sheet.clone().into_drawing_area();
        let page = whole.clone().shrink((ROOM, ROOM), (tenths(width), tenths(height)));
        let canvas = Canvas { sheet, theme, whole, page, clips: Cell::new(0), failed: RefCell::new(None) };
        let open = format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"{FAMILIES}\" role=\"img\" aria-label=\"{}\">\n<desc>{}</desc>",
            escape(title),
            escape(description)
        )
        .to_string();
        let mut painted = Ok(());
        canvas.within(&open, "</svg>", || {
            canvas.rectangle(Area { left: 0.0, right: width, top: 0.0, bottom: height }, WHITE, 1.0);
            painted = paint(&canvas);
        });
        painted?;
        match canvas.failed.into_inner() {
            Some(failure) => Err(failure),
            None => Ok(canvas.sheet.into_svg()),
        }
    }

    /// Keeps the first failure for the end.
    pub fn note(&self, drawn: Drawn) {
        if let Err(failure) = drawn {
            self.failed.borrow_mut().get_or_insert(failure);
        }
    }

    fn within(&self, open: &str, close: &str, paint: impl FnOnce()) {
        self.sheet.push(format_args!("{open}"));
        paint();
        self.sheet.push(format_args!("{close}"));
    }

    /// Shapes with an id in common, such as `series-virtio`.
    pub fn group(&self, kind: &str, name: &str, paint: impl FnOnce(&Canvas)) {
        self.within(&format!("<g id=\"{kind}-{}\">", slug(name)), "</g>", || paint(self));
    }

    /// Shapes of which nothing is visible outside of an area.
    pub fn clipped(&self, area: Area, paint: impl FnOnce()) {
        self.clips.set(self.clips.get() + 1);
        let (clip, Area { left, top, .. }) = (self.clips.get(), area);
        let open = format!(
            "<clipPath id=\"clip-{clip}\"><rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>\
             </clipPath>\n<g clip-path=\"url(#clip-{clip})\">",
            area.width(),
            area.height()
        );
        self.within(&open, "</g>", paint);
    }

    /// Lines with a dash, SVG's `stroke-dasharray`.
    pub fn dashed(&self, dash: &str, paint: impl FnOnce()) {
        if dash.is_empty() {
            return paint();
        }
        self.within(&format!("<g stroke-dasharray=\"{dash}\">"), "</g>", paint);
    }

    /// Shapes with what a reader is shown who points at them, a line for each fact.
    pub fn hint(&self, facts: &[String], paint: impl FnOnce()) {
        let lines: Vec<String> =
            facts.iter().filter(|fact| !fact.is_empty()).map(|fact| escape(fact)).collect();
        if lines.is_empty() {
            return paint();
        }
        self.within(&format!("<g data-hint=\"{}\">", lines.join("&#10;")), "</g>", paint);
    }

    /// Elements of a class, which says what they are.
    pub fn classed(&self, class: &str, paint: impl FnOnce()) {
        self.sheet.set_class(class);
        paint();
        self.sheet.set_class("");
    }

    /// An element by its place on the picture.
    fn element<E>(&self, element: &E)
    where
        for<'e> &'e E: PointCollection<'e, BackendCoord>,
        E: Drawable<Sheet>,
    {
        self.note(self.page.draw(element));
    }

    /// A line through points.
    pub fn path(&self, points: &[Point], stroke: Stroke) {
        let points: Vec<BackendCoord> = points.iter().copied().map(place).collect();
        self.dashed(stroke.dash, || self.element(&PathElement::new(points, stroke.style())));
    }

    /// A filled rectangle.
    pub fn rectangle(&self, Area { left, right, top, bottom }: Area, colour: Colour, opacity: f64) {
        let corners = [place((left, top)), place((right, bottom))];
        self.element(&Rectangle::new(corners, colour.mix(opacity).filled()));
    }

    /// A point with a white halo, which keeps it apart from lines that cross it.
    pub fn marker(&self, at: Point, marker: Marker, fill: Fill, colour: Colour) {
        let inside = if fill == Fill::Hollow { WHITE } else { colour };
        let mut outline: Vec<BackendCoord> = marker.outline(at).into_iter().map(place).collect();
        outline.extend_from_within(..1);
        self.element(&PathElement::new(outline.clone(), Stroke::solid(WHITE, 7.0).style()));
        self.classed("point", || self.element(&Polygon::new(outline.clone(), inside.filled())));
        self.element(&PathElement::new(outline, Stroke::solid(colour, 2.0).style()));
        if fill == Fill::Dotted {
            self.element(&Circle::new(place(at), 26, WHITE.filled()));
        }
    }

    /// One line of text on a baseline; its class says what it names.
    pub fn text(&self, class: &str, text: &str, at: Point, align: Align, style: (Font, Colour)) {
        self.anchored(class, text, at, (align, VPos::Bottom), style);
    }

    /// One line of text with the middle of its capitals at a height.
    pub fn centred(&self, class: &str, text: &str, at: Point, align: Align, style: (Font, Colour)) {
        self.anchored(class, text, at, (align, VPos::Center), style);
    }

    fn anchored(
        &self,
        class: &str,
        text: &str,
        at: Point,
        (align, vertical): (Align, VPos),
        (font, colour): (Font, Colour),
    ) {
        let horizontal = match align {
            Align::Left => HPos::Left,
            Align::Middle => HPos::Center,
            Align::Right => HPos::Right,
        };
        let style = text_style(font, colour).pos(Pos::new(horizontal, vertical));
        self.classed(class, || self.note(self.page.draw_text(text, &style, place(at))));
    }
}

/// A font and its colour as plotters has them.
pub(super) fn text_style(font: Font, colour: Colour) -> TextStyle<'static> {
    let weight = if font.bold { FontStyle::Bold } else { FontStyle::Normal };
    FontDesc::new(FontFamily::Name(FAMILY), f64::from(tenths(font.size)), weight).color(&colour)
}

fn place((x, y): Point) -> BackendCoord {
    (tenths(x), tenths(y))
}

/// Lower-case letters, digits and hyphens, for ids and file names.
pub(super) fn slug(words: &str) -> String {
    let dashed: String =
        words.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    dashed.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}
