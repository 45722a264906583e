//! Better, same, worse or inconclusive: how a family of comparisons is decided so that an unchanged campaign stays green.
//!
//! - worse: one-sided test, Holm over the family, *and* the estimate beyond the threshold
//! - better: the same the other way round
//! - same: non-inferiority, the one-sided bound of the worsening inside the threshold, which needs no correction for the family
//! - else it is measured again, 5 → 10 → 15 blocks with α spent over the analyses, and after the last one inconclusive

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

/// One time at which data are judged, and the part of α = 5 % that may be spent then.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Analysis {
    /// Blocks that are measured by then.
    pub blocks: usize,
    /// The part of α.
    pub level: f64,
    /// Whether nothing is measured afterwards.
    pub is_final: bool,
}

impl Analysis {
    /// Of finished data, judged once.
    pub const ONCE: Analysis = Analysis { blocks: 15, level: 0.05, is_final: true };

    /// The analyses of a gate of so many blocks at most: after 5 and 10 blocks, with 1 % and 2 %, and after the last with the rest.
    pub fn schedule(most_blocks: usize) -> Vec<Analysis> {
        const INTERIM: [(usize, f64); 2] = [(5, 0.01), (10, 0.02)];
        let interim = INTERIM.iter().filter(|(blocks, _)| *blocks < most_blocks);
        let mut all: Vec<Analysis> =
            interim.map(|&(blocks, level)| Analysis { blocks, level, is_final: false }).collect();
        let spent: f64 = all.iter().map(|analysis| analysis.level).sum();
        all.push(Analysis { blocks: most_blocks, level: 0.05 - spent, is_final: true });
        all
    }
}

/// A verdict for each comparison of a family; `None`: undecided, measure again. At the last analysis everything has one.
///
/// A comparison without a known difference (fewer than two boots on a side) is in the family and cannot be decided.
pub fn decide(family: &[Option<Worsening>], analysis: Analysis) -> Vec<Option<Verdict>> {
    let adjusted = |p: fn(&Difference) -> f64| {
        holm(&family.iter().map(|one| one.map_or(1.0, |one| p(&one.difference))).collect::<Vec<_>>())
    };
    let worse = adjusted(|difference| difference.p_above(0.0));
    let better = adjusted(|difference| difference.p_below(0.0));
    let undecided = analysis.is_final.then_some(Verdict::Inconclusive);
    let one = |(index, worsening): (usize, &Option<Worsening>)| {
        let Worsening { difference, threshold } = worsening.as_ref()?;
        let is_not_worse = difference.p_below(*threshold) <= analysis.level;
        match () {
            () if worse[index] <= analysis.level && difference.estimate > *threshold => Some(Verdict::Worse),
            () if better[index] <= analysis.level && difference.estimate < -threshold => {
                Some(Verdict::Better)
            }
            () if is_not_worse && (analysis.is_final || difference.estimate >= -threshold) => {
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
        assert_eq!(decide(&family, Analysis::ONCE), expected.map(Some));
        assert_eq!(decide(&family, Analysis::schedule(15)[0])[3], None);
    }

    #[test]
    fn a_certain_worsening_below_the_threshold_is_the_same() {
        assert_eq!(decide(&[worsening(0.02, 0.001)], Analysis::schedule(15)[0]), [Some(Verdict::Same)]);
    }

    #[test]
    fn what_cannot_be_compared_is_inconclusive_in_the_end() {
        assert_eq!(decide(&[None], Analysis::schedule(15)[0]), [None]);
        assert_eq!(decide(&[None], Analysis::ONCE), [Some(Verdict::Inconclusive)]);
    }

    #[test]
    fn the_analyses_of_a_gate_spend_five_percent_together_however_many_there_are() {
        for (most, blocks) in [(3, vec![3]), (5, vec![5]), (10, vec![5, 10]), (15, vec![5, 10, 15])] {
            let all = Analysis::schedule(most);
            assert_eq!(all.iter().map(|analysis| analysis.blocks).collect::<Vec<_>>(), blocks);
            assert!((all.iter().map(|analysis| analysis.level).sum::<f64>() - 0.05).abs() < 1e-12);
            assert_eq!(all.iter().filter(|analysis| analysis.is_final).count(), 1);
        }
    }

    proptest! {
        #[test]
        fn a_larger_family_makes_nothing_worse(own in (-0.3..0.3_f64, 0.001..0.1_f64), others in 0..60_usize) {
            let alone = decide(&[worsening(own.0, own.1)], Analysis::ONCE)[0];
            let mut family = vec![worsening(0.0, 0.05); others];
            family.push(worsening(own.0, own.1));
            let together = decide(&family, Analysis::ONCE)[others];
            prop_assert!(together != Some(Verdict::Worse) || alone == Some(Verdict::Worse));
        }
    }
}
