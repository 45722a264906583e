//! The published JSON schema and the parser agree.

use std::fs;
use std::path::Path;

use jsonschema::Validator;
use kvmfair::profile::{HostFacts, parse, schema, starter};

const FACTS: HostFacts = HostFacts { memory_mib: 65_536, cpus: 8 };

fn validator() -> Validator {
    jsonschema::validator_for(&schema()).expect("a valid schema")
}

/// Whether the schema, and whether the parser accepts a text.
fn verdicts(text: &str) -> (bool, bool) {
    let value: serde_json::Value = toml::from_str(text).expect("valid TOML");
    (validator().is_valid(&value), parse(text, Path::new("p.toml"), FACTS).is_ok())
}

#[test]
fn both_accept_every_shipped_profile_and_the_starter() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
    for entry in fs::read_dir(directory).expect("the directory is there") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("readable");
        assert_eq!(verdicts(&text), (true, true), "{}", path.display());
    }
    assert_eq!(verdicts(&starter("mine")), (true, true));
}

#[test]
fn both_accept_what_is_written_in_other_ways() {
    let minimal = "schema = 1\nname = \"x\"\nnetwork.backend = \"virtio\"\nworkload = { flows = 4 }\n";
    assert_eq!(verdicts(minimal), (true, true));
    for line in [
        "memory = 134217728",
        "memory = \"0.5 GiB\"",
        "memory = \"128MiB\"",
        "vcpus = 255",
        "idle = \"destroy\"",
        "idle = \"pause\"\n[sweep]\ntest = [\"UDP_STREAM\", \"TCP_RR\"]\nmessage = [\"18 B\", \"1472 B\"]\nburst = [0, 7]",
        "image = \"images/debian.qcow2\"\ninstall_netperf = true",
    ] {
        assert_eq!(verdicts(&format!("{minimal}[guest]\n{line}\n")), (true, true), "{line}");
    }
}

#[test]
fn both_refuse_what_this_version_does_not_know_or_run() {
    let refused = [
        ("name = \"mine\"", "name = \"My Lab\""),
        ("schema = 1", "schema = 2"),
        ("flows = 16", "flows = 0"),
        ("flows = 16", "flows = \"16\""),
        ("repeats = 5", "repeats = 5\nreplicas = 5"),
        ("mtu = 1500", "mtu = 20"),
        ("mtu = 1500", "mtu = 1500\nqueue_size = 300"),
        ("accel = \"auto\"", "emulator = \"qemu\""),
        ("window = \"30 s\"", "window = 30"),
        ("window = \"30 s\"", "window = \"30\""),
        ("test = \"TCP_RR\"", "test = \"SCTP_RR\""),
        ("burst = 0", "burst = 1001"),
        ("accel = \"auto\"", "accel = \"xen\""),
        ("exits = \"auto\"", "exits = \"perf\""),
        ("uri = \"embedded\"", "uri = \"qemu:///session\""),
        ("image = \"appliance\"", "image = \"debian\""),
        ("memory = \"128 MiB\"", "memory = \"plenty\""),
        ("vms = [1, 2, 4]", "vms = []"),
        ("vms = [1, 2, 4]", "vms = [1, 2, 2]"),
        ("vms = [1, 2, 4]", "vms = [0]"),
        ("\"e1000\"]", "\"vhost-users\"]"),
        ("[limits]", "[probe]\n\n[limits]"),
    ];
    for (valid, broken) in refused {
        let text = starter("mine");
        assert!(text.contains(valid), "{valid}");
        assert_eq!(verdicts(&text.replacen(valid, broken, 1)), (false, false), "{broken}");
    }
}
