//! Memory of real guests in huge pages of the host's pool and on a NUMA node: proven in every trial; the pool grows for the
//! run and is put back at the end and after a kill -9.

use std::fs;

use crate::support::Sandbox;
use crate::support::tables::{Row, rows};

const POOL: &str = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";

const PROFILE: &str = r#"
[guest]
vms = 2
memory = "96 MiB"
numa_node = 0
[plan]
order = "sequential"
[sweep]
hugepages = [true, false]
"#;

fn pool() -> u64 {
    fs::read_to_string(POOL).unwrap().trim().parse().unwrap()
}

#[test]
fn guests_lie_in_huge_pages_where_the_profile_says_so_and_the_pool_is_put_back() {
    let place = Sandbox::changing_settings();
    let before = pool();
    place.bench(&place.light_profile("hugepages", PROFILE)).end().expect(0);
    assert_eq!(pool(), before);
    let proofs = rows(&place.only_run(), "proofs.csv");
    assert!(proofs.iter().all(|row| row["holds"] == "true"));
    let found = |level: &str, what: &str| -> Vec<&str> {
        let of = |row: &&Row| row["hugepages"] == level && row["what"].ends_with(what);
        proofs.iter().filter(of).map(|row| row["found"].as_str()).collect()
    };
    assert_eq!(found("true", "memory in huge pages of the pool"), ["96 MiB in pages of 2048 kB"; 2]);
    assert_eq!(found("false", "memory in huge pages of the pool"), ["none"; 2]);
    for level in ["true", "false"] {
        assert_eq!(found(level, "NUMA policy of its memory"), ["bind:0"; 2]);
        assert_eq!(found(level, "NUMA nodes of its memory"), ["0"; 2]);
    }
    place.assert_nothing_left();
}

#[test]
fn after_a_kill_clean_puts_the_pool_back() {
    let place = Sandbox::changing_settings();
    let before = pool();
    let mut running = place.bench(&place.light_profile("killed", PROFILE));
    running.hear("flows for");
    assert!(pool() >= before.max(96), "two guests of 48 pages");
    running.kill();
    place.note_runs();
    place.clean();
    assert_eq!(pool(), before);
}

#[test]
fn a_node_that_is_not_there_is_refused_before_anything_is_made() {
    crate::support::require_root();
    let place = Sandbox::new();
    let check = place.kvmfair(&[
        "check",
        &place.light_profile("node", &PROFILE.replace("numa_node = 0", "numa_node = 900")),
    ]);
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(!check.status.success(), "{said}");
    assert!(said.contains("NUMA node 900") && said.contains("name a node that has memory"), "{said}");
    assert!(said.contains("huge pages for guests"), "{said}");
}

#[test]
fn guests_begin_with_the_huge_pages_of_their_trial_and_the_host_has_its_own_again() {
    const ENABLED: &str = "/sys/kernel/mm/transparent_hugepage/enabled";
    let place = Sandbox::changing_settings();
    let before = fs::read_to_string(ENABLED).unwrap();
    let body = "[guest]\nmemory = \"96 MiB\"\n[sweep]\nthp = [\"always\", \"never\"]\n[plan]\norder = \"sequential\"\n";
    place.bench(&place.light_profile("thp", body)).end().expect(0);
    assert_eq!(fs::read_to_string(ENABLED).unwrap(), before);
    let proofs = rows(&place.only_run(), "proofs.csv");
    assert!(proofs.iter().all(|row| row["holds"] == "true"));
    let of = |row: &&Row| row["what"].ends_with("memory in transparent huge pages");
    let found: Vec<(&str, &str)> =
        proofs.iter().filter(of).map(|row| (row["thp"].as_str(), row["found"].as_str())).collect();
    assert_eq!(found, [("never", "0 kB")], "the guest of the first trial, which has some, is gone");
    place.assert_nothing_left();
}
