//! plotters' drawing backend for charts: SVG, with groups, clip paths, dashes and classes around what plotters draws.
//!
//! plotters counts whole pixels, so that its pixel is a tenth of the picture's. It also moves points beyond an area to that
//! area's edge: the sheet is larger than the picture, and a band that is cut at a frame keeps its slopes.

use std::cell::RefCell;
use std::convert::Infallible;
use std::fmt::{Arguments, Write};
use std::rc::Rc;

use plotters::prelude::DrawingBackend;
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingErrorKind, FontStyle,
};

use super::font::Font;
use super::palette::Colour;
use super::theme::ChartTheme;

/// plotters' pixels in one of the picture.
pub(super) const PER_PX: f64 = 10.0;
/// Around the picture on each side, plotters' pixels.
pub(super) const ROOM: i32 = 100_000;

/// The failure of a drawing backend that writes to a string.
pub(super) type BackendError = DrawingErrorKind<Infallible>;

/// An SVG in the making, shared by plotters' drawing areas and the canvas.
#[derive(Clone)]
pub(super) struct Sheet {
    size: (u32, u32),
    theme: ChartTheme,
    markup: Rc<RefCell<Markup>>,
}

#[derive(Default)]
struct Markup {
    svg: String,
    /// What the next elements are.
    class: String,
}

impl Sheet {
    /// An empty sheet for a picture of this size, px.
    pub fn new((width, height): (f64, f64), theme: ChartTheme) -> Sheet {
        let with_room = |length: f64| tenths(length).unsigned_abs() + 2 * ROOM.unsigned_abs();
        Sheet { size: (with_room(width), with_room(height)), theme, markup: Rc::default() }
    }

    /// A line of SVG.
    pub fn push(&self, element: Arguments) {
        // Writing to a string does not fail.
        let _ = writeln!(self.markup.borrow_mut().svg, "{element}");
    }

    /// Gives all elements a class until the next call.
    pub fn set_class(&self, class: &str) {
        self.markup.borrow_mut().class = class.to_owned();
    }

    /// What has been written.
    pub fn into_svg(self) -> String {
        std::mem::take(&mut self.markup.borrow_mut().svg)
    }

    /// A shape with a class and a colour; nothing where that is transparent.
    fn shape(&self, element: Arguments, style: &impl BackendStyle, fill: bool) -> Result<(), BackendError> {
        let BackendColor { alpha, rgb: (r, g, b) } = style.color();
        let colour = self.theme.colour(Colour(r, g, b));
        let class = self.class();
        let width = f64::from(style.stroke_width()) / PER_PX;
        match (alpha > 0.0, fill) {
            (false, _) => {}
            (_, true) => {
                self.push(format_args!("<{element}{class} fill=\"{colour}\" fill-opacity=\"{alpha}\"/>"))
            }
            (_, false) => self.push(format_args!(
                "<{element}{class} fill=\"none\" stroke=\"{colour}\" stroke-opacity=\"{alpha}\" \
                 stroke-width=\"{width}\" stroke-linejoin=\"round\"/>"
            )),
        }
        Ok(())
    }

    fn class(&self) -> String {
        match self.markup.borrow().class.as_str() {
            "" => String::new(),
            class => format!(" class=\"{class}\""),
        }
    }
}

impl DrawingBackend for Sheet {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Result<(), BackendError> {
        Ok(())
    }

    fn present(&mut self) -> Result<(), BackendError> {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, colour: BackendColor) -> Result<(), BackendError> {
        self.draw_rect((x, y), (x + 1, y + 1), &colour, true)
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Result<(), BackendError> {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Result<(), BackendError> {
        let ((left, top), (right, bottom)) = (px(from), px(to));
        let (width, height) = ((right - left).max(0.0), (bottom - top).max(0.0));
        let element = format_args!(
            "rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
             shape-rendering=\"crispEdges\""
        );
        self.shape(element, style, fill)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Result<(), BackendError> {
        self.shape(format_args!("polyline points=\"{}\"", list(path)), style, false)
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        centre: BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Result<(), BackendError> {
        let ((x, y), r) = (px(centre), f64::from(radius) / PER_PX);
        self.shape(format_args!("circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{r}\""), style, fill)
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        style: &S,
    ) -> Result<(), BackendError> {
        self.shape(format_args!("polygon points=\"{}\"", list(corners)), style, true)
    }

    fn draw_text<T: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &T,
        at: BackendCoord,
    ) -> Result<(), BackendError> {
        if text.is_empty() {
            return Ok(());
        }
        /// Height of Inter's capitals, em.
        const CAPITALS: f64 = 0.727;
        let (Font { size, bold }, (x, y), (r, g, b)) = (font(style), px(at), style.color().rgb);
        let below = match style.anchor().v_pos {
            VPos::Top => CAPITALS * size,
            VPos::Center => CAPITALS * size / 2.0,
            VPos::Bottom => 0.0,
        };
        let anchor = match style.anchor().h_pos {
            HPos::Left => "start",
            HPos::Center => "middle",
            HPos::Right => "end",
        };
        let weight = if bold { " font-weight=\"bold\"" } else { "" };
        // Where a viewer has another font than Inter, the words keep the room that was measured for them.
        let width = font(style).width(text);
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        self.push(format_args!(
            "<text{} x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\" font-size=\"{size}\"{weight} \
             textLength=\"{width:.1}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{}\">{text}</text>",
            self.class(),
            y + below,
            self.theme.colour(Colour(r, g, b)),
        ));
        Ok(())
    }

    fn estimate_text_size<T: BackendTextStyle>(
        &self,
        text: &str,
        style: &T,
    ) -> Result<(u32, u32), BackendError> {
        let font = font(style);
        Ok((tenths(font.width(text)).unsigned_abs(), tenths(font.size).unsigned_abs()))
    }
}

fn font(style: &impl BackendTextStyle) -> Font {
    Font { size: style.size() / PER_PX, bold: matches!(style.style(), FontStyle::Bold) }
}

/// plotters' pixels in a length, px.
pub(super) fn tenths(px: f64) -> i32 {
    (px * PER_PX).round() as i32
}

/// A place on the sheet, px from the picture's upper left corner.
pub(super) fn px((x, y): BackendCoord) -> (f64, f64) {
    (f64::from(x - ROOM) / PER_PX, f64::from(y - ROOM) / PER_PX)
}

fn list(points: impl IntoIterator<Item = BackendCoord>) -> String {
    let pair = |(x, y): (f64, f64)| format!("{x:.1},{y:.1}");
    points.into_iter().map(|point| pair(px(point))).collect::<Vec<_>>().join(" ")
}
