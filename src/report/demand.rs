//! The section of the report about fairness to guests that do not want the same.

use super::table_line::line;
use super::{Model, number};
use crate::figures::{Metric, SummaryRow};

/// Jain's index of the rates beside that of what each guest was due, `## Fairness to what guests want`; empty where nothing is
/// known of what they want.
pub(super) fn demand(model: &Model) -> String {
    let rows: Vec<&SummaryRow> = model.rows.iter().filter(|row| row.jain_demand.is_some()).collect();
    if rows.is_empty() {
        return String::new();
    }
    let factors = &model.experiment.factors;
    let names = factors.iter().map(|factor| factor.column().to_owned());
    let header = line(names.chain(["Jain's index of rate", "demand-aware"].map(String::from)));
    let mut text =
        format!("## Fairness to what guests want\n\n{header}{}", line(vec!["---"; factors.len() + 2]));
    for row in rows {
        let levels = factors.iter().map(|factor| row.configuration.level(*factor));
        let indices = [row.get(Metric::JainRate), row.jain_demand.as_ref()];
        let cells = indices.map(|index| index.map_or("–".into(), number::with_interval));
        text.push_str(&line(levels.chain(cells)));
    }
    text + "\nDemand-aware: Jain's index of each guest's rate ÷ its max-min allocation of what all got together. A guest wants \
            what it gets alone (one guest with as many flows, all else equal, in the same block if it can be) and no more than \
            its cap lets through; where neither is known, all there is.\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{TrialFigures, fixture as raw, summarise};
    use crate::profile::{Configuration, Factor};
    use crate::raw::Accel;
    use crate::report::fixture;

    #[test]
    fn the_index_is_told_beside_the_plain_one_where_a_guest_ran_alone_with_as_many_flows() {
        let of = |vms| Configuration { flows: 4 * vms, ..raw::configuration("virtio", vms) };
        let configurations = [1, 2].map(of);
        let trials: Vec<TrialFigures> = configurations
            .iter()
            .map(|c| TrialFigures::compute(&raw::trial(c.clone(), &[800.0, 400.0]), &raw::timing()))
            .collect();
        let experiment = fixture::experiment(configurations.to_vec(), &[Factor::Vms]);
        let provenance = fixture::provenance(Accel::Kvm);
        let rows = summarise(&experiment.configurations, &trials);
        let text = demand(&fixture::model(&experiment, &provenance, rows));
        assert!(text.contains("| 2 | 0.9000 | 0.9000 |"), "{text}");
        assert_eq!(demand(&fixture::model(&experiment, &provenance, vec![])), "");
    }
}
