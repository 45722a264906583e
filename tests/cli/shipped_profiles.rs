//! Every profile that is shipped loads, and asks for what it says.

use std::fs;
use std::path::{Path, PathBuf};

use kvmfair::profile::{Experiment, Factor, HostFacts, Test, groups, load};

const FACTS: HostFacts = HostFacts { memory_mib: 65_536, cpus: 2 };

fn shipped() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
    let entries = fs::read_dir(directory).expect("the directory is there");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect()
}

fn experiment(path: &Path) -> Experiment {
    match load(path, FACTS) {
        Ok((_, experiment)) => experiment,
        Err(error) => panic!("{error}"),
    }
}

fn shipped_experiment(name: &str) -> Experiment {
    experiment(&Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles").join(name).with_extension("toml"))
}

#[test]
fn every_shipped_profile_loads_under_its_file_name() {
    let paths = shipped();
    assert!(paths.len() >= 3);
    for path in paths {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let experiment = experiment(&path);
        assert_eq!(experiment.name, name);
        assert!(!experiment.description.is_empty(), "{name} says nothing about itself");
        assert!(experiment.source.is_some(), "{name} names no source");
    }
}

#[test]
fn the_quickstart_is_six_configurations_in_the_order_written() {
    let experiment = shipped_experiment("quickstart");
    let points = experiment.configurations.iter();
    let points: Vec<_> = points.map(|point| (point.backend.to_string(), point.vms)).collect();
    let expected = [("virtio", 1), ("virtio", 2), ("virtio", 4), ("e1000", 1), ("e1000", 2), ("e1000", 4)];
    assert_eq!(points, expected.map(|(backend, vms)| (backend.to_string(), vms)));
    assert_eq!(experiment.factors, [Factor::Backend, Factor::Vms]);
}

#[test]
fn the_example_of_load_kinds_measures_each_kind_with_and_without_guests() {
    let experiment = experiment(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/load-kinds.toml"));
    let of = |bare: bool| experiment.configurations.iter().filter(move |point| (point.vms == 0) == bare);
    for bare in [true, false] {
        assert_eq!(of(bare).map(|point| point.test).collect::<Vec<_>>(), Test::ALL);
    }
}

#[test]
fn the_groups_of_the_studies_divide_their_guests() {
    for name in ["asada-shares", "asada-shares-small", "asada-cap", "asada-cap-small"] {
        let experiment = shipped_experiment(name);
        let all = groups::members(&experiment.groups, &experiment.configurations[0]);
        assert_eq!(all.len(), 2, "{name}");
        assert_eq!(all[0].guests, all[1].guests, "{name}");
    }
    for name in ["nishimura-interference", "nishimura-interference-small"] {
        let experiment = shipped_experiment(name);
        assert_eq!(experiment.factors.first(), Some(&Factor::Background), "{name}");
        assert!(experiment.factors.contains(&Factor::Quota), "{name}");
        assert!(experiment.configurations.iter().all(|point| point.targets() == 1), "{name}");
    }
}

#[test]
fn bare_metal_is_measured_once_however_many_guests_are_swept() {
    assert_eq!(shipped_experiment("backends-small").configurations.len(), 13);
    assert_eq!(shipped_experiment("density").configurations.len(), 11);
}

/// MSER-5 judges whether a rate was steady from twenty interim intervals on.
#[test]
fn every_window_of_a_shipped_profile_has_twenty_intervals() {
    let examples = ["load-kinds"].map(|name| format!("examples/{name}.toml"));
    let examples = examples.map(|path| Path::new(env!("CARGO_MANIFEST_DIR")).join(path));
    for path in shipped().into_iter().chain(examples) {
        let timing = experiment(&path).timing;
        let intervals = timing.window.as_secs_f64() / timing.interval.as_secs_f64();
        assert!(intervals >= 20.0 - 1e-9, "{}: {intervals} intervals", path.display());
    }
}
