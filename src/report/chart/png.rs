//! SVG -> PNG, or SVG without fonts; with the embedded fonts only: the same bytes on every machine.

use std::sync::{Arc, LazyLock};

use resvg::{tiny_skia, usvg};

use super::font;

/// A picture that cannot be rasterised.
#[derive(Debug, thiserror::Error)]
pub enum PngError {
    /// Not an SVG.
    #[error("failed to read the SVG: {0}")]
    Svg(#[from] usvg::Error),
    /// Zero or huge.
    #[error("failed to allocate a picture of {0} × {1}")]
    Size(u32, u32),
    /// Not encodable.
    #[error("failed to encode the PNG: {0}")]
    Encode(#[from] ::png::EncodingError),
}

/// The embedded fonts.
static FONTS: LazyLock<Arc<usvg::fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = usvg::fontdb::Database::new();
    fonts.load_font_data(font::REGULAR.to_vec());
    fonts.load_font_data(font::SEMI_BOLD.to_vec());
    Arc::new(fonts)
});

/// Pixels for each px of the SVG: a chart of the usual size is 1920 × 1080.
const SCALE: f32 = 4.0 / 3.0;

/// Rasterises a chart of the usual size.
///
/// # Errors
/// If it is not an SVG, or too large.
pub fn png(svg: &str) -> Result<Vec<u8>, PngError> {
    let tree = tree(svg)?;
    let size = tree.size().to_int_size().scale_by(SCALE).ok_or(PngError::Size(0, 0))?;
    encode(render(&tree, (size.width(), size.height()))?)
}

/// Rasterises a picture in so many pixels.
///
/// # Errors
/// As [`png()`].
pub fn png_of_size(svg: &str, pixels: (u32, u32)) -> Result<Vec<u8>, PngError> {
    encode(render(&tree(svg)?, pixels)?)
}

/// The same SVG with its texts as outlines, so that it looks the same without the font. Groups keep their ids.
///
/// # Errors
/// If it is not an SVG.
pub fn outlined(svg: &str) -> Result<String, PngError> {
    let options = usvg::WriteOptions {
        coordinates_precision: 2,
        transforms_precision: 4,
        indent: usvg::Indent::None,
        ..usvg::WriteOptions::default()
    };
    let shapes = tree(svg)?.to_string(&options);
    // Size, title and description are lost on the way.
    let head = svg.split_inclusive("</desc>").next().unwrap_or_default();
    Ok(shapes.split_once('>').map_or(shapes.clone(), |(_, rest)| format!("{head}{rest}")))
}

/// A picture as shapes, with its texts as outlines.
pub(super) fn tree(svg: &str) -> Result<usvg::Tree, PngError> {
    let options = usvg::Options {
        font_family: font::FAMILY.into(),
        fontdb: Arc::clone(&FONTS),
        ..usvg::Options::default()
    };
    Ok(usvg::Tree::from_str(svg, &options)?)
}

fn encode(picture: tiny_skia::Pixmap) -> Result<Vec<u8>, PngError> {
    let mut bytes = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut bytes, picture.width(), picture.height());
    encoder.set_color(::png::ColorType::Rgba);
    encoder.set_depth(::png::BitDepth::Eight);
    encoder.set_compression(::png::Compression::Fast); // the usual one takes as long as drawing
    encoder.write_header()?.write_image_data(&picture.take_demultiplied())?;
    Ok(bytes)
}

fn render(tree: &usvg::Tree, (width, height): (u32, u32)) -> Result<tiny_skia::Pixmap, PngError> {
    let mut pixmap = tiny_skia::Pixmap::new(width, height).ok_or(PngError::Size(width, height))?;
    let scale = (width as f32 / tree.size().width(), height as f32 / tree.size().height());
    resvg::render(tree, tiny_skia::Transform::from_scale(scale.0, scale.1), &mut pixmap.as_mut());
    Ok(pixmap)
}

#[cfg(test)]
mod tests {
    use super::super::font::Font;
    use super::super::svg::{Align, Canvas, INK};
    use super::super::theme::ChartTheme;
    use super::*;

    /// Pixels that are not white in a picture of one text.
    fn coverage(font: Font) -> usize {
        let svg = Canvas::draw(("", ""), (1440.0, 200.0), ChartTheme::Light, |canvas| {
            canvas.text("", "kvmfair", (100.0, 100.0), Align::Left, (font, INK));
            Ok(())
        });
        let picture = render(&tree(&svg.unwrap()).unwrap(), (1920, 267)).unwrap();
        picture.pixels().iter().filter(|pixel| pixel.red() < 200).count()
    }

    #[test]
    fn the_fonts_have_the_family_that_the_charts_ask_for() {
        let families: Vec<&str> =
            FONTS.faces().flat_map(|face| face.families.iter().map(|(name, _)| name.as_str())).collect();
        assert_eq!(families.iter().filter(|family| **family == font::FAMILY).count(), 2, "{families:?}");
    }

    #[test]
    fn text_is_rendered_and_bold_text_is_heavier() {
        let (regular, bold) = (coverage(Font::regular(40.0)), coverage(Font::bold(40.0)));
        assert!(regular > 1000, "{regular} px");
        assert!(bold > regular + regular / 10, "{bold} px against {regular} px");
    }

    #[test]
    fn text_that_looks_like_markup_is_drawn_as_text() {
        let text = |text| {
            let font = Font::regular(40.0);
            let svg = Canvas::draw(("", ""), (1440.0, 200.0), ChartTheme::Light, |canvas| {
                canvas.text("", text, (100.0, 100.0), Align::Left, (font, INK));
                Ok(())
            });
            render(&tree(&svg.unwrap()).unwrap(), (1920, 267))
                .unwrap()
                .pixels()
                .iter()
                .filter(|pixel| pixel.red() < 200)
                .count()
        };
        let [all, a, b] = ["a & <b>", "a", "b"].map(text);
        assert!(all > a + b, "{all} px of all, {a} and {b} of the letters");
    }

    #[test]
    fn what_is_not_an_svg_is_refused() {
        assert!(matches!(png("no picture"), Err(PngError::Svg(_))));
    }
}
