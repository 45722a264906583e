//! What holds for every text: the parser never panics, every message points into the text, the sweep is complete.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use kvmfair::plan::plan;
use kvmfair::profile::{Experiment, HostFacts, ProfileError, parse, starter};
use kvmfair::raw::Accel;
use proptest::prelude::*;

const FACTS: HostFacts = HostFacts { memory_mib: 1 << 30, cpus: 8 };

fn parsed(text: &str) -> Result<Experiment, ProfileError> {
    parse(text, Path::new("p.toml"), FACTS)
}

/// Renders, locates and counts whatever is wrong.
fn survives(text: &str) {
    if let Err(error) = parsed(text) {
        assert!(!error.diagnostics.is_empty());
        assert!(error.diagnostics.iter().all(|diagnostic| error.position(diagnostic).is_some()));
        assert!(error.render(false).contains("error: "));
    }
}

fn swept(backends: &BTreeSet<&str>, vms: &BTreeSet<u32>, vcpus: &BTreeSet<u32>, flows: u32) -> String {
    format!(
        "schema = 1\nname = \"x\"\nworkload.flows = {flows}\n[sweep]\nbackend = {:?}\nvms = {:?}\nvcpus = {:?}\n",
        backends, vms, vcpus
    )
    .replace('{', "[")
    .replace('}', "]")
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "\\PC*") {
        survives(&text);
    }

    #[test]
    fn arbitrary_bytes_of_toml_never_panic(text in "[\\[\\]{}=\"'.,#\\\\\n\r\t a-c0-9é\u{feff}]{0,120}") {
        survives(&text);
    }

    #[test]
    fn a_starter_with_a_part_replaced_never_panics(at in 0_usize..4000, length in 0_usize..40, by in "\\PC{0,12}") {
        let characters: Vec<char> = starter("mine").chars().collect();
        let from = at.min(characters.len());
        let to = (from + length).min(characters.len());
        let parts = [&characters[..from], &by.chars().collect::<Vec<_>>(), &characters[to..]];
        survives(&parts.concat().iter().collect::<String>());
    }

    #[test]
    fn a_starter_with_a_value_replaced_never_panics(
        line in 0_usize..80,
        value in prop_oneof![
            Just("-1".to_string()), Just("1e400".into()), Just("[]".into()), Just("[[1], {a = 1}]".into()),
            Just("{ b.c = true }".into()), Just("1979-05-27".into()), Just("9223372036854775807".into()),
            Just("\"99999999999999999999 y\"".into()), Just("\"18446744073709551615 KiB\"".into()),
            any::<i64>().prop_map(|n| n.to_string()), any::<u32>().prop_map(|n| format!("\"{n} h\"")),
        ],
    ) {
        let replace = |(index, text): (usize, &str)| match text.split_once(" = ") {
            Some((key, _)) if index == line => format!("{}= {value}\n", key.trim_start_matches('#')),
            _ => format!("{text}\n"),
        };
        survives(&starter("mine").lines().enumerate().map(replace).collect::<String>());
    }

    #[test]
    fn every_combination_is_measured_once(
        backends in prop::collection::btree_set(prop::sample::select(vec!["baremetal", "virtio", "e1000"]), 1..=3),
        vms in prop::collection::btree_set(1_u32..=6, 1..=4),
        vcpus in prop::collection::btree_set(1_u32..=16, 1..=4),
    ) {
        let experiment = parsed(&swept(&backends, &vms, &vcpus, 60)).expect("valid");
        let bare = usize::from(backends.contains("baremetal"));
        let expected = bare + (backends.len() - bare) * vms.len() * vcpus.len();
        prop_assert_eq!(experiment.configurations.len(), expected);
        for point in &experiment.configurations {
            prop_assert_eq!(point.flows % point.targets(), 0);
        }
    }

    #[test]
    fn flows_are_accepted_exactly_if_they_divide(
        vms in prop::collection::btree_set(1_u32..=12, 1..=4),
        flows in 1_u32..=120, // what one guest can serve
    ) {
        let text = swept(&BTreeSet::from(["virtio"]), &vms, &BTreeSet::from([1]), flows);
        prop_assert_eq!(parsed(&text).is_ok(), vms.iter().all(|vms| flows % vms == 0));
    }
}

#[test]
fn ten_thousand_configurations_are_planned_and_each_is_measured_once() {
    let levels = |from: u32| format!("{:?}", (from..from + 100).collect::<Vec<_>>());
    let text = format!(
        "schema = 1\nname = \"x\"\nnetwork.backend = \"virtio\"\nworkload.flows = 1\nworkload.repeats = 1\n\
         [sweep]\nrequest = {}\nmtu = {}\n",
        levels(1),
        levels(1401)
    );
    let plan = plan(&parsed(&text).expect("valid"), Accel::Kvm, 2);
    let seen: HashSet<_> = plan.trials.iter().map(|trial| &trial.configuration).collect();
    assert_eq!((plan.trials.len(), seen.len()), (10_000, 10_000));
    let boots = plan.trials.iter().filter(|trial| !trial.transition.boot.is_empty()).count();
    assert_eq!(boots, 100, "one for each MTU");
}

#[test]
fn deep_nesting_is_refused_rather_than_overflowing() {
    survives(&format!("a = {}", "[".repeat(100_000)));
    survives(&format!("[{}x]", "a.".repeat(5_000)));
}
