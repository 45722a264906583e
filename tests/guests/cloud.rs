//! Guests of a cloud image, measured by the real program: a small Debian that `tests/cloud-image/build` makes.
//!
//! Needs root and the packages of `.ci/install tests`; fails without. The image is built once, into the cache. Nothing here
//! asserts a time; without KVM a distribution boots for a minute or two.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::image::{debian, qemu_img, run, trace};
use crate::support::json::{json_lines, of_type};
use crate::support::tables::{number, raw_trials, rows};
use crate::support::{Sandbox, entries};
use kvmfair::raw::Check;
use serde_json::Value;

/// One short trial of `vms` guests of an image, on a test network whose MTU is not the usual one.
fn trial(image: &Path, vms: u32) -> String {
    let load = "flows = 4\nwarmup = \"1 s\"\nwindow = \"3 s\"\ncooldown = \"500 ms\"\ninterval = \"250 ms\"\nrepeats = 1";
    let limits = "boot = \"500 s\"\nboot_attempts = 1";
    let network = "backend = \"virtio\"\nmtu = 1400";
    format!(
        "[guest]\nimage = {image:?}\nvms = {vms}\n[network]\n{network}\n[workload]\n{load}\n[limits]\n{limits}\n"
    )
}

#[test]
fn two_guests_of_a_cloud_image_are_measured_and_nothing_but_results_is_left() {
    let place = Sandbox::beside_others();
    let image = debian();
    let before = (trace(&image), entries(image.parent().unwrap()));
    place.bench(&place.profile("cloud", &trial(&image, 2))).end().expect(0);
    place.assert_nothing_left();
    assert!(before == (trace(&image), entries(image.parent().unwrap())), "the image was written");
    let run = place.only_run();
    let trials = rows(&run, "trials.csv");
    assert_eq!(trials.len(), 1);
    assert_eq!((&*trials[0]["outcome"], &*trials[0]["memory_mib"]), ("measured", "512"), "{trials:?}");
    assert!(number(&trials[0], "total_rate_tps") > 0.0, "{trials:?}");
    assert!((0.9..=1.1).contains(&number(&trials[0], "packet_check_ratio")), "{trials:?}");
    for raw in raw_trials(&run) {
        assert!(raw.checks.iter().all(Check::holds), "{:?}", raw.checks);
        assert_eq!(raw.checks.iter().filter(|check| check.found == "1400").count(), 2, "{:?}", raw.checks);
        assert!(raw.guests.len() == 2 && raw.flows.len() == 4);
    }
    let environment: Value =
        serde_json::from_slice(&fs::read(run.join("environment.json")).unwrap()).unwrap();
    assert!(
        environment["guest_image"].as_str().unwrap().ends_with(&format!("SHA-256 {}", before.0.0)),
        "{environment}"
    );
    for file in
        [run.clone(), run.join("raw")].iter().flat_map(|dir| entries(dir)).filter(|path| path.is_file())
    {
        assert!(
            !String::from_utf8_lossy(&fs::read(&file).unwrap()).contains("PRIVATE KEY"),
            "{}",
            file.display()
        );
    }
}

#[test]
fn a_guest_whose_image_has_no_netserver_says_so_and_what_to_do() {
    let place = Sandbox::beside_others();
    let (raw, image) = (place.out().with_file_name("raw"), place.out().with_file_name("bare.qcow2"));
    qemu_img(&["convert", "-O", "raw"], &[&debian(), &raw]);
    let partition = format!("{}?offset={}", raw.display(), 1 << 20);
    run(Command::new("debugfs").args(["-w", "-R", "rm /usr/bin/netserver"]).arg(partition));
    qemu_img(&["convert", "-f", "raw", "-O", "qcow2"], &[&raw, &image]);
    fs::remove_file(raw).unwrap();
    let ended = place.bench(&place.profile("no-netserver", &trial(&image, 1))).end().expect(5);
    place.assert_nothing_left();
    let failed = &rows(&place.only_run(), "trials.csv")[0];
    assert_eq!((&*failed["outcome"], &*failed["stage"]), ("failed", "provision"), "{failed:?}");
    let cause = &failed["cause"];
    assert!(
        cause.contains("the image has no netserver (hint: ") && cause.contains("install_netperf = true"),
        "{cause}"
    );
    assert!(ended.said().contains("no netserver"), "{}", ended.said());
}

#[test]
fn a_file_that_guests_cannot_boot_is_refused_before_anything_is_made() {
    let place = Sandbox::beside_others();
    let file = |name: &str| place.out().with_file_name(name);
    let (missing, raw, base, layer) =
        (file("no.qcow2"), file("raw.img"), file("base.qcow2"), file("layer.qcow2"));
    fs::write(&raw, vec![0; 1 << 16]).unwrap();
    qemu_img(&["create", "-q", "-f", "qcow2", base.to_str().unwrap(), "64M"], &[]);
    qemu_img(&["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b"], &[&base, &layer]);
    for (image, found, fix) in [
        (&missing, "No such file", "correct `image` in [guest]"),
        (&raw, "is not a qcow2 image", "qemu-img convert -O qcow2"),
        (&layer, "is a layer over another image", "qemu-img convert -O qcow2"),
    ] {
        let profile = place.profile("refused", &trial(image, 1));
        let checked = String::from_utf8(place.kvmfair(&["check", &profile]).stdout).unwrap();
        let finding = checked.lines().skip_while(|line| !line.starts_with("missing  cloud image: "));
        let finding: Vec<&str> = finding.take(2).collect();
        assert!(finding.len() == 2 && finding[0].contains(found) && finding[1].contains(fix), "{checked}");
        let ended = place.bench(&profile).end().expect(4);
        assert!(ended.said().contains(found), "{}", ended.said());
    }
    assert_eq!(place.runs(), Vec::<PathBuf>::new());
    place.assert_nothing_left();
}

#[test]
fn the_xml_of_a_cloud_guest_has_its_two_disks_and_no_kernel() {
    let place = Sandbox::new();
    let shown = place.kvmfair(&["plan", "--xml", &place.profile("xml", &trial(Path::new("a.qcow2"), 1))]);
    let text = String::from_utf8(shown.stdout).unwrap();
    let xml = text.split_once("-->\n").unwrap().1;
    let document = roxmltree::Document::parse(xml.trim()).unwrap();
    let all = |name: &str| document.descendants().filter(|node| node.has_tag_name(name)).collect::<Vec<_>>();
    let files: Vec<&str> = all("disk")
        .iter()
        .map(|disk| {
            disk.children().find(|node| node.has_tag_name("source")).unwrap().attribute("file").unwrap()
        })
        .collect();
    assert_eq!(files, ["/run/kvmfair-RUN/g1.qcow2", "/run/kvmfair-RUN/g1.seed"]);
    assert_eq!((all("kernel").len(), all("readonly").len(), all("interface").len()), (0, 1, 2));
    let plan = place.kvmfair(&["plan", "--json", &place.profile("xml", &trial(Path::new("a.qcow2"), 1))]);
    let lines = json_lines(&plan.stdout);
    assert!(of_type(&lines, "estimate")[0]["estimated_s"].as_f64().unwrap() > 0.0);
}
