//! SVG -> PDF of one page: vectors, with texts as outlines. It draws what charts are made of: paths in one colour, their opacity,
//! dashes and clip paths.

use std::collections::BTreeSet;

use pdf_writer::types::{LineCapStyle, LineJoinStyle};
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, TextStr};
use resvg::tiny_skia::PathSegment;
use resvg::usvg::{Fill, FillRule, Group, LineCap, LineJoin, Node, Paint, Path, Stroke};

use super::png::{PngError, tree};

const CATALOG: Ref = Ref::new(1);
const PAGES: Ref = Ref::new(2);
const PAGE: Ref = Ref::new(3);
const CONTENT: Ref = Ref::new(4);
const INFO: Ref = Ref::new(5);
/// Of the graphics state with an opacity of 0 %; that of 1 % follows.
const TRANSPARENT: i32 = 100;

/// A page as large as a picture, with so many points for each of its px.
///
/// # Errors
/// If it is not an SVG.
pub fn pdf(svg: &str, title: &str, points_per_px: f64) -> Result<Vec<u8>, PngError> {
    let tree = tree(svg)?;
    let scale = points_per_px as f32;
    let (width, height) = (scale * tree.size().width(), scale * tree.size().height());
    let mut page = PageContent { content: Content::new(), opacities: BTreeSet::new() };
    page.content.transform([scale, 0.0, 0.0, -scale, 0.0, height]); // downwards, as in the SVG
    page.group(tree.root());
    let mut pdf = Pdf::new();
    pdf.catalog(CATALOG).pages(PAGES);
    pdf.pages(PAGES).kids([PAGE]).count(1);
    pdf.document_info(INFO).title(TextStr(title)).producer(TextStr("kvmfair"));
    let mut written = pdf.page(PAGE);
    written.media_box(Rect::new(0.0, 0.0, width, height)).parent(PAGES).contents(CONTENT);
    let mut resources = written.resources();
    let mut states = resources.ext_g_states();
    for percent in &page.opacities {
        states.pair(Name(state(*percent).as_bytes()), state_ref(*percent));
    }
    states.finish();
    resources.finish();
    written.finish();
    for percent in &page.opacities {
        let part = f32::from(*percent) / 100.0;
        pdf.ext_graphics(state_ref(*percent)).non_stroking_alpha(part).stroking_alpha(part);
    }
    pdf.stream(CONTENT, &page.content.finish());
    Ok(pdf.finish())
}

/// The name of the graphics state with an opacity.
fn state(percent: u8) -> String {
    format!("opacity{percent}")
}

fn state_ref(percent: u8) -> Ref {
    Ref::new(TRANSPARENT + i32::from(percent))
}

/// What is drawn so far.
struct PageContent {
    content: Content,
    /// Those in use, %.
    opacities: BTreeSet<u8>,
}

impl PageContent {
    fn group(&mut self, group: &Group) {
        self.content.save_state();
        if let Some(clip) = group.clip_path() {
            for node in clip.root().children() {
                if let Node::Path(path) = node {
                    self.outline(path);
                }
            }
            self.content.clip_nonzero().end_path();
        }
        for node in group.children() {
            match node {
                Node::Group(group) => self.group(group),
                Node::Path(path) => self.path(path),
                Node::Text(text) => self.group(text.flattened()),
                Node::Image(_) => {}
            }
        }
        self.content.restore_state();
    }

    fn path(&mut self, path: &Path) {
        if let Some(fill) = path.fill() {
            self.content.save_state();
            self.fill(fill, path);
            self.content.restore_state();
        }
        if let Some(stroke) = path.stroke() {
            self.content.save_state();
            self.stroke(stroke, path);
            self.content.restore_state();
        }
    }

    /// The way of a path on the page.
    fn outline(&mut self, path: &Path) {
        let Some(data) = path.data().clone().transform(path.abs_transform()) else { return };
        let content = &mut self.content;
        let mut from = (0.0, 0.0);
        for segment in data.segments() {
            from = match segment {
                PathSegment::MoveTo(to) => {
                    content.move_to(to.x, to.y);
                    (to.x, to.y)
                }
                PathSegment::LineTo(to) => {
                    content.line_to(to.x, to.y);
                    (to.x, to.y)
                }
                PathSegment::QuadTo(by, to) => {
                    let third = |end: f32, by: f32| end + 2.0 / 3.0 * (by - end);
                    let (a, b) =
                        ((third(from.0, by.x), third(from.1, by.y)), (third(to.x, by.x), third(to.y, by.y)));
                    content.cubic_to(a.0, a.1, b.0, b.1, to.x, to.y);
                    (to.x, to.y)
                }
                PathSegment::CubicTo(a, b, to) => {
                    content.cubic_to(a.x, a.y, b.x, b.y, to.x, to.y);
                    (to.x, to.y)
                }
                PathSegment::Close => {
                    content.close_path();
                    from
                }
            };
        }
    }

    fn fill(&mut self, fill: &Fill, path: &Path) {
        let [r, g, b] = rgb(fill.paint());
        self.opacity(fill.opacity().get());
        self.content.set_fill_rgb(r, g, b);
        self.outline(path);
        match fill.rule() {
            FillRule::NonZero => self.content.fill_nonzero(),
            FillRule::EvenOdd => self.content.fill_even_odd(),
        };
    }

    fn stroke(&mut self, stroke: &Stroke, path: &Path) {
        let [r, g, b] = rgb(stroke.paint());
        self.opacity(stroke.opacity().get());
        let cap = match stroke.linecap() {
            LineCap::Butt => LineCapStyle::ButtCap,
            LineCap::Round => LineCapStyle::RoundCap,
            LineCap::Square => LineCapStyle::ProjectingSquareCap,
        };
        let join = match stroke.linejoin() {
            LineJoin::Round => LineJoinStyle::RoundJoin,
            LineJoin::Bevel => LineJoinStyle::BevelJoin,
            LineJoin::Miter | LineJoin::MiterClip => LineJoinStyle::MiterJoin,
        };
        let dashes = stroke.dasharray().unwrap_or_default().iter().copied();
        let content = &mut self.content;
        content.set_stroke_rgb(r, g, b).set_line_width(stroke.width().get()).set_line_cap(cap);
        content.set_line_join(join).set_dash_pattern(dashes, stroke.dashoffset());
        self.outline(path);
        self.content.stroke();
    }

    fn opacity(&mut self, part: f32) {
        let percent = (100.0 * part).round() as u8;
        if percent < 100 {
            self.opacities.insert(percent);
            self.content.set_parameters(Name(state(percent).as_bytes()));
        }
    }
}

/// A colour, 0 to 1; charts have no gradients.
fn rgb(paint: &Paint) -> [f32; 3] {
    let Paint::Color(colour) = paint else { return [0.0; 3] };
    [colour.red, colour.green, colour.blue].map(|channel| f32::from(channel) / 255.0)
}

#[cfg(test)]
mod tests {
    use super::super::gallery::charts_of;
    use super::*;

    #[test]
    fn a_page_has_the_size_of_a_slide_and_ends_as_a_pdf_does() {
        let chart = &charts_of("wide")[0];
        let bytes = pdf(&chart.svg, &chart.title, 2.0 / 3.0).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with("%PDF-1.7") && text.trim_end().ends_with("%%EOF"), "{}", &text[..200]);
        assert!(text.contains("/MediaBox [0 0 960 540]"), "{}", &text[..400]);
        assert!(text.contains("/opacity17 gs"), "the bands are transparent");
        assert!(text.contains("W\nn"), "the bands are clipped");
    }
}
