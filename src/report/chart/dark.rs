//! The colours of charts within a page whose theme is dark.

use std::collections::BTreeSet;

use super::frame::ALERT;
use super::palette::{Colour, PENS};
use super::scatter::ZONES;
use super::svg::{AXIS, FAINT, GREY, INK, WHITE};
use super::theme::counterpart;

/// A style sheet with a rule for each colour of a chart, apart from those of heat maps, which are a scale.
pub fn dark_style() -> String {
    let rule =
        |name: &str, colour: Colour| format!("svg [{name}=\"{colour}\"]{{{name}:{}}}\n", counterpart(colour));
    let each = |colour: Colour| rule("fill", colour) + &rule("stroke", colour);
    let rules: BTreeSet<String> = colours().map(each).collect();
    rules.into_iter().collect()
}

fn colours() -> impl Iterator<Item = Colour> {
    let frame = [INK, GREY, FAINT, AXIS, WHITE, ALERT];
    let pens = PENS.iter().flat_map(|pen| [pen.colour, pen.colour.of_text()]);
    frame.into_iter().chain(pens).chain(ZONES.iter().map(|(.., colour)| *colour))
}

#[cfg(test)]
mod tests {
    use super::super::theme::{DARK_PAPER, dark_contrast};
    use super::*;

    #[test]
    fn what_is_read_on_white_is_read_on_dark_paper_too() {
        let pens = PENS.iter().flat_map(|pen| [pen.colour, pen.colour.of_text()]);
        for colour in pens.chain([INK, GREY, ALERT]) {
            assert!(dark_contrast(counterpart(colour)) >= 4.5, "{colour} {}", counterpart(colour));
        }
        assert_eq!(counterpart(WHITE), DARK_PAPER);
    }

    #[test]
    fn bands_stay_as_far_in_the_background_as_they_were() {
        for (.., colour) in ZONES {
            assert!(dark_contrast(counterpart(colour)) < 1.5, "{colour} {}", counterpart(colour));
        }
    }

    #[test]
    fn no_two_levels_become_alike() {
        let dark: BTreeSet<String> = PENS.iter().map(|pen| counterpart(pen.colour).to_string()).collect();
        assert_eq!(dark.len(), PENS.len());
    }
}
