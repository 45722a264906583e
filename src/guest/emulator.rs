//! The QEMU of a guest, where the profile names one: what its file says, and what the process that runs says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::machine::Machine;
use crate::profile::Configuration;

/// Version and build, for example `10.0.2 (Debian 1:10.0.2+ds-2)`, in what a QEMU answers to `--version`; `None` if it is none.
pub fn told(answer: &str) -> Option<String> {
    let version = answer.lines().find_map(|line| line.strip_prefix("QEMU emulator version "))?.trim();
    (!version.is_empty()).then(|| version.to_owned())
}

/// What a running QEMU is asked, in QMP, for the same.
pub const QUERY: &str = r#"{"execute":"query-version"}"#;

/// Its answer; `None` if it is none.
pub fn reported(answer: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    let said = answer.get("return")?;
    let number = |part: &str| said.pointer(&format!("/qemu/{part}"))?.as_u64();
    let version = format!("{}.{}.{}", number("major")?, number("minor")?, number("micro")?);
    // Old ones send the build with its parentheses.
    let build = said["package"].as_str().unwrap_or_default().trim().trim_matches(['(', ')']);
    Some(if build.is_empty() { version } else { format!("{version} ({build})") })
}

/// Version and build of the QEMU at a path of the VM host; `None` if there is none.
pub async fn version(host: &Machine, path: &Path) -> Option<String> {
    told(&host.run(&[&path.to_string_lossy(), "--version"]).await.ok()?.stdout)
}

/// Every QEMU that a profile names.
pub fn named(configurations: &[Configuration]) -> BTreeSet<&Path> {
    let guests = configurations.iter().filter(|configuration| configuration.vms > 0);
    guests.filter_map(|configuration| configuration.emulator.as_deref()).collect()
}

/// Every QEMU that a profile names, with its version; those that answer.
pub async fn versions(host: &Machine, configurations: &[Configuration]) -> BTreeMap<String, String> {
    let mut versions = BTreeMap::new();
    for path in named(configurations) {
        if let Some(version) = version(host, path).await {
            versions.insert(path.display().to_string(), version);
        }
    }
    versions
}

/// The versions of all that run guests, without their builds; `own` is that of libvirt's own choice.
pub fn in_use(configurations: &[Configuration], named: &BTreeMap<String, String>, own: &str) -> String {
    let mut guests = configurations.iter().filter(|configuration| configuration.vms > 0);
    let own_too = guests.any(|configuration| configuration.emulator.is_none());
    let short = |version: &String| version.split(' ').next().unwrap_or_default().to_owned();
    let mut all: BTreeSet<String> = named.values().map(short).collect();
    if own_too || all.is_empty() {
        all.insert(own.to_owned());
    }
    all.into_iter().collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str =
        "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)\nCopyright (c) 2003-2022 Fabrice Bellard\n";

    #[test]
    fn a_file_and_a_process_of_one_build_say_the_same() {
        let running = r#"{"return":{"qemu":{"micro":22,"minor":2,"major":7},"package":"Debian 1:7.2+dfsg-7"},"id":"libvirt-9"}"#;
        assert_eq!(reported(running).as_deref(), Some("7.2.22 (Debian 1:7.2+dfsg-7)"));
        assert_eq!(reported(running), told(TOLD));
        let old = r#"{"return":{"qemu":{"micro":0,"minor":1,"major":2},"package":" (Debian 1:2.1)"}}"#;
        assert_eq!(reported(old).as_deref(), Some("2.1.0 (Debian 1:2.1)"));
        let plain = r#"{"return":{"qemu":{"micro":2,"minor":0,"major":10},"package":""}}"#;
        assert_eq!(reported(plain), told("QEMU emulator version 10.0.2\n"));
    }

    #[test]
    fn what_is_no_qemu_has_no_version() {
        assert_eq!(told("busybox v1.35.0\n"), None);
        assert_eq!(told(""), None);
        assert_eq!(reported(r#"{"error":{"class":"CommandNotFound"}}"#), None);
    }

    #[test]
    fn every_version_that_runs_guests_is_named_once() {
        let own = Configuration { vms: 1, ..Configuration::default() };
        let other = Configuration { emulator: Some("/a".into()), ..own.clone() };
        let versions = BTreeMap::from([("/a".to_owned(), "10.0.2 (x)".to_owned())]);
        assert_eq!(in_use(std::slice::from_ref(&own), &BTreeMap::new(), "7.2.22"), "7.2.22");
        assert_eq!(in_use(std::slice::from_ref(&other), &versions, "7.2.22"), "10.0.2");
        assert_eq!(in_use(&[own, other], &versions, "7.2.22"), "10.0.2 and 7.2.22");
    }
}
