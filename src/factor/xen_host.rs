//! Factors of a Xen host: which scheduler runs the guests' vCPUs, and its parameters.

use std::time::Duration;

use super::descriptor::{AppliedAt, Descriptor, Hosts, Phrase, Scope, Store};
use super::field::field;
use super::level_kind::LevelKind;
use super::names::Factor;
use super::value::Value;
use super::xen::XenScheduler;

/// One descriptor for each.
pub(super) static FACTORS: &[Descriptor] = &[
    Descriptor {
        kind: LevelKind::Word {
            words: || XenScheduler::ALL.map(|scheduler| scheduler.to_string()).into(),
            level: |word| word.parse::<XenScheduler>().ok().map(|known| Value::Word(known.to_string())),
            instead: &[
                ("csched", "did you mean `credit`?"),
                ("csched2", "did you mean `credit2`?"),
                ("rtds", "kvmfair knows `credit` and `credit2`"),
                ("null", "kvmfair knows `credit` and `credit2`"),
            ],
        },
        about: "Xen only: scheduler of the guests' vCPUs, \"credit\" or \"credit2\": that of the run's own cpupool, or, without \
                one, that of the hypervisor, which must have been booted with it. Left out: the hypervisor's",
        levels: &["\"credit\"", "\"credit2\""],
        phrase: Phrase::Own(|c| match c.xen.scheduler {
            Some(scheduler) => scheduler.to_string(),
            None => "Xen's scheduler as found".into(),
        }),
        hosts: Hosts::Xen,
        ..Descriptor::new(Factor::XenScheduler, "host.xen_scheduler", Scope::Guest, SCHEDULER)
    },
    Descriptor {
        column: "xen_slice_ms",
        applied: AppliedAt::Live,
        kind: LevelKind::Time {
            unit: Duration::from_millis(1),
            least: Duration::from_millis(1),
            most: Duration::from_secs(1),
        },
        about: "Xen only: slice of the credit scheduler in the run's own cpupool, for example \"30 ms\" (Xen's own choice); ignored \
                by credit2, which has none",
        levels: &["\"30 ms\"", "\"5 ms\""],
        phrase: Phrase::Own(|c| c.xen.slice_ms.map(|slice| format!("slice {slice} ms")).unwrap_or_default()),
        hosts: Hosts::Xen,
        ..Descriptor::new(Factor::XenSlice, "host.xen_slice", Scope::Guest, field!(xen.slice_ms))
    },
    Descriptor {
        column: "xen_ratelimit_us",
        applied: AppliedAt::Live,
        kind: LevelKind::Time {
            unit: Duration::from_micros(1),
            least: Duration::from_micros(100),
            most: Duration::from_millis(500),
        },
        about: "Xen only: the least time that a vCPU runs before another one takes its place, in the run's own cpupool, for example \
                \"1 ms\" (Xen's own choice)",
        levels: &["\"1 ms\"", "\"100 us\""],
        phrase: Phrase::Own(|c| {
            c.xen.ratelimit_us.map(|least| format!("ratelimit {least} µs")).unwrap_or_default()
        }),
        hosts: Hosts::Xen,
        ..Descriptor::new(Factor::XenRatelimit, "host.xen_ratelimit", Scope::Guest, field!(xen.ratelimit_us))
    },
];

/// A field whose levels are words.
const SCHEDULER: Store = Store::Field {
    get: |c| c.xen.scheduler.map_or(Value::AsFound, |scheduler| Value::Word(scheduler.to_string())),
    set: |c, value| {
        c.xen.scheduler = match value {
            Value::AsFound => None,
            Value::Word(word) => Some(word.parse().ok()?),
            _ => return None,
        };
        Some(())
    },
};

#[cfg(test)]
mod tests {
    use super::super::Configuration;
    use super::*;

    #[test]
    fn another_scheduler_boots_other_guests_and_another_slice_does_not() {
        let of = |word: &str, slice| {
            let scheduler = Value::Word(word.into());
            let configuration = Configuration::default().with(Factor::XenScheduler, scheduler).unwrap();
            configuration.with(Factor::XenSlice, Value::Number(slice)).unwrap()
        };
        assert!(of("credit", 30).same_boot(&of("credit", 5)));
        assert!(!of("credit", 30).same_boot(&of("credit2", 30)));
        assert_eq!(of("credit2", 30).level(Factor::XenScheduler), "credit2");
        assert!(Configuration::default().with(Factor::XenScheduler, Value::Word("rtds".into())).is_err());
    }

    #[test]
    fn a_label_says_scheduler_and_slice_and_nothing_of_a_slice_that_there_is_not() {
        let credit =
            Configuration::default().with(Factor::XenScheduler, Value::Word("credit".into())).unwrap();
        let words =
            |c: &Configuration| [Factor::XenScheduler, Factor::XenSlice].map(|factor| factor.phrase(c));
        assert_eq!(words(&credit), ["credit", ""]);
        assert_eq!(
            words(&credit.with(Factor::XenSlice, Value::Number(5)).unwrap()),
            ["credit", "slice 5 ms"]
        );
    }

    #[test]
    fn a_configuration_without_xen_is_written_as_before() {
        let json = serde_json::to_string(&Configuration::default()).unwrap();
        assert!(!json.contains("\"xen\""), "{json}");
    }
}
