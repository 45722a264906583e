//! Colours that people with any colour vision can tell apart (Okabe and Ito, 2008), without the yellow, which white swallows.

use plotters::style::RGBColor;

/// Colours of lines and bars.
const LINES: [RGBColor; 7] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x33, 0x36, 0x3c),
];
/// The same, dark enough for text.
const TEXTS: [RGBColor; 7] = [
    RGBColor(0x00, 0x66, 0xa0),
    RGBColor(0xc0, 0x52, 0x00),
    RGBColor(0x00, 0x80, 0x5c),
    RGBColor(0xa8, 0x55, 0x84),
    RGBColor(0xa8, 0x72, 0x00),
    RGBColor(0x23, 0x80, 0xb8),
    RGBColor(0x33, 0x36, 0x3c),
];

/// Colour of the line at an index.
pub(super) fn line(index: usize) -> RGBColor {
    LINES[index % LINES.len()]
}

/// Colour of a text that belongs to the line at an index.
pub(super) fn text(index: usize) -> RGBColor {
    TEXTS[index % TEXTS.len()]
}

/// Whether the colour at an index has been used before.
pub(super) fn is_repeated(index: usize) -> bool {
    index >= LINES.len()
}
