//! The share of the CPU time that each group got, beside the share that its weight would give it, under Jain's index by
//! weight.

use super::axis::Axis;
use super::metrics::{MAX_BARS, one};
use super::palette::Pens;
use super::plot::{Bar, BarGroup, Bars, Body, Plot, reach};
use crate::figures::{GroupRow, Metric};
use crate::profile::Configuration;
use crate::report::{Model, model};
use crate::stats::Estimate;
use crate::table::with_interval;

const EXPLANATION: &str =
    "share of all guests' CPU time (vCPU, emulator, vhost); grey: the share that the weights would give";
/// Where J_w is known.
const WITH_INDEX: &str =
    "; J_w: Jain's index of each guest's CPU time ÷ its weight, 1 as the weights want it";

/// One picture, or one for each configuration where one would hold too many bars; none without groups.
pub(super) fn plots(report: &Model) -> Vec<Plot> {
    let rows = report.group_rows();
    let pens = Pens::assign(rows.iter().map(|row| row.name.to_string()));
    let mut groups: Vec<(&Configuration, BarGroup)> = Vec::new();
    for configuration in &report.experiment.configurations {
        let own = rows.iter().filter(|row| row.configuration == *configuration);
        let bars: Vec<Bar> = own.flat_map(|row| bars(row, &pens)).collect();
        if !bars.is_empty() {
            let title = with_index(report, configuration, title(report, configuration));
            groups.push((configuration, BarGroup { title, bars }));
        }
    }
    let count: usize = groups.iter().map(|(_, group)| group.bars.len()).sum();
    match count {
        0 => Vec::new(),
        count if count <= MAX_BARS => vec![plot(report, &[], groups)],
        _ => groups.into_iter().map(|one| plot(report, &[title(report, one.0)], vec![one])).collect(),
    }
}

fn title(report: &Model, configuration: &Configuration) -> String {
    match report.experiment.factors.as_slice() {
        [] => configuration.backend.to_string(),
        factors => model::describe(configuration, factors),
    }
}

/// With J_w of the CPU time in front, where a long title is not cut; as it is where weights decided nothing.
fn with_index(report: &Model, configuration: &Configuration, title: String) -> String {
    let row = report.rows.iter().find(|row| row.configuration == *configuration);
    match row.and_then(|row| row.get(Metric::JainWeightedCpu)) {
        Some(index) => format!("J_w {}, {title}", with_interval(index)),
        None => title,
    }
}

fn plot(report: &Model, levels: &[String], groups: Vec<(&Configuration, BarGroup)>) -> Plot {
    let known = report.rows.iter().any(|row| row.get(Metric::JainWeightedCpu).is_some());
    let (drawn, groups): (Vec<&Configuration>, Vec<BarGroup>) = groups.into_iter().unzip();
    let values = groups.iter().flat_map(|group| &group.bars).filter_map(|bar| bar.values[0].as_ref());
    let axis = Axis::numbers("", "%", reach(values).min(100.0));
    let explanation = format!("{EXPLANATION}{}", if known { WITH_INDEX } else { "" });
    let body = Body::Bars(Bars { panels: vec![axis], segments: Vec::new(), groups });
    let plot = Plot::new(("cpu_share_percent", "CPU time of each group"), levels, explanation, body);
    plot.of_configurations(drawn.into_iter().cloned().collect())
}

fn bars(row: &GroupRow, pens: &Pens) -> Vec<Bar> {
    let shares = row.shares.map_or(String::new(), |shares| format!(", {shares} shares"));
    let guests = if row.guests == 1 { "1 guest".into() } else { format!("{} guests", row.guests) };
    let label = format!("{} ({}, {guests}{shares})", row.name, row.role);
    let pen = pens.get(&row.name);
    let got = row.cpu_share_percent.map(|value| one(label, Some(pen), value, None));
    let due = row.expected_share_percent;
    let due = due.map(|percent| one(format!("{} by weight", row.name), None, Estimate::exact(percent), None));
    got.into_iter().chain(due).collect()
}

#[cfg(test)]
mod tests {
    use crate::raw::Accel;
    use crate::report::{Model, chart, fixture};

    #[test]
    fn each_group_has_a_bar_for_what_it_got_and_one_for_what_it_was_due() {
        let (experiment, provenance, trials) = fixture::grouped_run();
        let model = Model::new(&experiment, &provenance, &trials);
        let charts = chart::charts(&model).unwrap();
        let chart = charts.iter().find(|chart| chart.name == "cpu_share_percent").expect("there");
        for text in ["gold (measured, 1 guest, 1024 shares)", "silver by weight", "33.3", Accel::Tcg.label()]
        {
            assert!(chart.svg.contains(text), "{text}");
        }
    }

    #[test]
    fn each_configuration_tells_how_well_the_weights_were_kept() {
        let (experiment, provenance, mut trials) = fixture::grouped_run();
        let titles = |trials: &[crate::figures::TrialFigures]| {
            let plots = super::plots(&Model::new(&experiment, &provenance, trials));
            let super::Body::Bars(bars) = &plots[0].body else { panic!("bars") };
            bars.groups.iter().map(|group| group.title.clone()).collect::<Vec<_>>()
        };
        let found = titles(&trials);
        assert!(found[0].starts_with("J_w 0.9") && found[0].ends_with(", no background"), "{found:?}");
        for numbers in trials.iter_mut().filter_map(|trial| trial.numbers.as_mut()) {
            numbers.sharing.jain_weighted_cpu = None;
        }
        assert_eq!(titles(&trials)[0], "no background");
    }

    #[test]
    fn a_run_without_groups_has_no_such_chart() {
        let (experiment, provenance, trials) = fixture::run();
        let model = Model::new(&experiment, &provenance, &trials);
        assert!(super::plots(&model).is_empty());
    }
}
