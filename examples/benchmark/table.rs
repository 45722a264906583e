//! The rows of the result and their Markdown.

use kvmfair::host::Environment;
use kvmfair::machine::{Machine, blocking};

/// What a figure has to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// No larger than this.
    AtMost(f64),
    /// This, give or take.
    Near(f64, f64),
    /// It is told for the reader's judgement.
    None,
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What was measured.
    pub what: String,
    /// The figure; not a number if it could not be measured.
    pub figure: f64,
    /// Digits behind the point.
    pub decimals: usize,
    /// Behind the figure: ` s`, ` MiB`, or nothing for a ratio.
    pub unit: &'static str,
    /// What it has to be.
    pub goal: Goal,
    /// How it was measured, and what else was seen.
    pub how: String,
}

/// All rows, and the machine they come from.
pub struct Table {
    rows: Vec<Row>,
    environment: Environment,
    load_before: String,
    complete: bool,
}

impl Goal {
    fn met(self, figure: f64) -> Option<bool> {
        match self {
            Goal::AtMost(limit) => Some(figure <= limit),
            Goal::Near(centre, tolerance) => Some((figure - centre).abs() <= tolerance),
            Goal::None => None,
        }
    }

    fn text(self, decimals: usize, unit: &str) -> String {
        match self {
            Goal::AtMost(limit) => format!("≤ {}{unit}", number(limit, decimals)),
            Goal::Near(centre, tolerance) => format!("{centre:.decimals$} ± {tolerance:.decimals$}{unit}"),
            Goal::None => "–".into(),
        }
    }
}

/// A limit without decimals that say nothing.
fn number(value: f64, decimals: usize) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.decimals$}") }
}

impl Row {
    fn line(&self) -> String {
        let figure = if self.figure.is_finite() {
            format!("{:.*}{}", self.decimals, self.figure, self.unit)
        } else {
            "not measured".into()
        };
        let met = match self.goal.met(self.figure) {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "–",
        };
        let goal = self.goal.text(self.decimals, self.unit);
        format!("| {} | {figure} | {goal} | {met} | {} |\n", self.what, self.how.replace('|', "/"))
    }
}

impl Table {
    /// No rows yet; the machine as it is before anything runs.
    pub fn new() -> Table {
        let facts = blocking::wait(kvmfair::host::gather(&Machine::local()));
        let facts = facts.ok().and_then(Result::ok).unwrap_or_default();
        Table {
            rows: Vec::new(),
            environment: Environment::from_facts(&facts, "benchmark", ""),
            load_before: load_average(),
            complete: true,
        }
    }

    /// More rows.
    pub fn add(&mut self, rows: Vec<Row>) {
        self.complete &= rows.iter().all(|row| row.figure.is_finite());
        self.rows.extend(rows);
    }

    /// A measurement that could not be made.
    pub fn impossible(&mut self, what: &str, error: &anyhow::Error) {
        let how = format!("{error:#}").replace('\n', " ");
        eprintln!("error: {what}: {how}");
        let what = what.to_owned();
        self.add(vec![Row { what, figure: f64::NAN, decimals: 0, unit: "", goal: Goal::None, how }]);
    }

    /// Whether every measurement could be made.
    pub fn complete(&self) -> bool {
        self.complete
    }

    /// When it was measured, fit for a file name.
    pub fn stamp(&self) -> String {
        self.environment.date.replace(['-', ':'], "")
    }

    /// Everything, as it is printed and written.
    pub fn markdown(&self) -> String {
        let lines: String = self.rows.iter().map(Row::line).collect();
        format!(
            "# What kvmfair costs\n\n{}\n\n| what | figure | goal | met | how it was measured |\n\
             | --- | ---: | ---: | :---: | --- |\n{lines}",
            self.machine()
        )
    }

    fn machine(&self) -> String {
        let machine = &self.environment;
        let known = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".into());
        format!(
            "{}, {} CPUs, {} MiB, {}; Linux {}, QEMU {}, netperf {}; kvmfair {} ({} build); load average {} before; {}",
            known(&machine.cpu_model),
            machine.cpus,
            machine.memory_mib,
            if machine.kvm_usable {
                "KVM"
            } else {
                "no KVM: emulated guests (TCG); compare shapes, do not quote absolute numbers"
            },
            machine.kernel,
            known(&machine.qemu),
            known(&machine.netperf),
            machine.tool_version,
            if cfg!(debug_assertions) { "debug" } else { "release" },
            self.load_before,
            machine.date,
        )
    }
}

fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(figure: f64, goal: Goal) -> String {
        Row { what: "x".into(), figure, decimals: 2, unit: " s", goal, how: "a | b".into() }.line()
    }

    #[test]
    fn a_row_says_whether_its_goal_is_met() {
        assert_eq!(row(1.0, Goal::AtMost(1.15)), "| x | 1.00 s | ≤ 1.15 s | yes | a / b |\n");
        assert_eq!(row(1.05, Goal::Near(1.0, 0.02)), "| x | 1.05 s | 1.00 ± 0.02 s | **no** | a / b |\n");
        assert_eq!(row(3.0, Goal::None), "| x | 3.00 s | – | – | a / b |\n");
    }

    #[test]
    fn what_could_not_be_measured_meets_no_goal() {
        assert_eq!(row(f64::NAN, Goal::AtMost(2.0)), "| x | not measured | ≤ 2 s | **no** | a / b |\n");
    }
}
