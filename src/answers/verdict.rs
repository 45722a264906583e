//! Better, same, worse or inconclusive: how a family of comparisons is decided so that an unchanged campaign stays green.
//!
//! - worse: one-sided test, Holm over the family, *and* the estimate beyond the threshold
//! - better: the same the other way round
//! - same: non-inferiority, the one-sided bound of the worsening inside the threshold, which needs no correction for the family
//! - else it is measured again, 5 → 10 → 15 blocks with α spent over the looks, and after the last one inconclusive

use schemars::JsonSchema;
use serde::Serialize;

use crate::stats::{Difference, holm};

/// What a comparison came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Better by more than the threshold.
    Better,
    /// Not worse by as much as the threshold.
    Same,
    /// Worse by more than the threshold.
    Worse,
    /// The data allow both.
    Inconclusive,
}

impl Verdict {
    /// As in tables and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Better => "better",
            Verdict::Same => "same",
            Verdict::Worse => "worse",
            Verdict::Inconclusive => "inconclusive",
        }
    }
}

/// A difference as a worsening: above 0 is worse, on the metric's own scale (logarithm of a ratio, or points).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Worsening {
    /// New − base, so turned that above 0 is worse.
    pub difference: Difference,
    /// Smallest worsening that matters, above 0, on the same scale.
    pub threshold: f64,
}

/// When the data are judged. The levels of the three looks of a gate add up to 5 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// After five blocks.
    First,
    /// After ten.
    Second,
    /// After fifteen.
    Last,
    /// At data that are finished, once.
    Only,
}

impl Look {
    /// The looks of a gate, in order.
    pub const GATE: [Look; 3] = [Look::First, Look::Second, Look::Last];

    /// Blocks after which a gate looks.
    pub fn blocks(self) -> usize {
        match self {
            Look::First => 5,
            Look::Second => 10,
            Look::Last | Look::Only => 15,
        }
    }

    /// The part of α that this look may spend.
    pub fn level(self) -> f64 {
        match self {
            Look::First => 0.01,
            Look::Second | Look::Last => 0.02,
            Look::Only => 0.05,
        }
    }

    fn is_final(self) -> bool {
        matches!(self, Look::Last | Look::Only)
    }
}

/// A verdict for each comparison of a family; `None`: undecided, measure again. At the last look everything has one.
///
/// A comparison without a known difference (fewer than two boots on a side) is in the family and cannot be decided.
pub fn decide(family: &[Option<Worsening>], look: Look) -> Vec<Option<Verdict>> {
    let adjusted = |p: fn(&Difference) -> f64| {
        holm(&family.iter().map(|one| one.map_or(1.0, |one| p(&one.difference))).collect::<Vec<_>>())
    };
    let worse = adjusted(|difference| difference.p_above(0.0));
    let better = adjusted(|difference| difference.p_below(0.0));
    let undecided = look.is_final().then_some(Verdict::Inconclusive);
    let one = |(index, worsening): (usize, &Option<Worsening>)| {
        let Worsening { difference, threshold } = worsening.as_ref()?;
        let is_not_worse = difference.p_below(*threshold) <= look.level();
        match () {
            () if worse[index] <= look.level() && difference.estimate > *threshold => Some(Verdict::Worse),
            () if better[index] <= look.level() && difference.estimate < -threshold => Some(Verdict::Better),
            () if is_not_worse && (look.is_final() || difference.estimate >= -threshold) => {
                Some(Verdict::Same)
            }
            () => None,
        }
    };
    family.iter().enumerate().map(|pair| one(pair).or(undecided)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn worsening(estimate: f64, error: f64) -> Option<Worsening> {
        let difference = Difference { estimate, error, degrees: 8.0, n: 5 };
        Some(Worsening { difference, threshold: 0.05 })
    }

    #[test]
    fn each_verdict_has_its_case() {
        let family =
            [worsening(0.2, 0.01), worsening(-0.2, 0.01), worsening(0.0, 0.01), worsening(0.04, 0.05)];
        let expected = [Verdict::Worse, Verdict::Better, Verdict::Same, Verdict::Inconclusive];
        assert_eq!(decide(&family, Look::Last), expected.map(Some));
        assert_eq!(decide(&family, Look::First)[3], None);
    }

    #[test]
    fn a_certain_worsening_below_the_threshold_is_the_same() {
        assert_eq!(decide(&[worsening(0.02, 0.001)], Look::First), [Some(Verdict::Same)]);
    }

    #[test]
    fn what_cannot_be_compared_is_inconclusive_in_the_end() {
        assert_eq!(decide(&[None], Look::First), [None]);
        assert_eq!(decide(&[None], Look::Last), [Some(Verdict::Inconclusive)]);
    }

    #[test]
    fn the_looks_of_a_gate_spend_five_percent_together() {
        assert!((Look::GATE.iter().map(|look| look.level()).sum::<f64>() - 0.05).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn a_larger_family_makes_nothing_worse(own in (-0.3..0.3_f64, 0.001..0.1_f64), others in 0..60_usize) {
            let alone = decide(&[worsening(own.0, own.1)], Look::Last)[0];
            let mut family = vec![worsening(0.0, 0.05); others];
            family.push(worsening(own.0, own.1));
            let together = decide(&family, Look::Last)[others];
            prop_assert!(together != Some(Verdict::Worse) || alone == Some(Verdict::Worse));
        }
    }
}
