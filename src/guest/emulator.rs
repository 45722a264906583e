//! The QEMU of a guest, where the profile names one: the version of the file, and that of the running process.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::machine::Machine;
use crate::profile::Configuration;

/// Version and build, for example `10.0.2 (Debian 1:10.0.2+ds-2)`, from the output of `--version`; `None` if it is not a QEMU.
pub fn printed_version(answer: &str) -> Option<String> {
    let version = answer.lines().find_map(|line| line.strip_prefix("QEMU emulator version "))?.trim();
    (!version.is_empty()).then(|| version.to_owned())
}

/// The QMP command for the same of a running QEMU.
pub const QUERY: &str = r#"{"execute":"query-version"}"#;

/// Version and build from its answer; `None` if it has none.
pub fn reported_version(answer: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    let answer = answer.get("return")?;
    let number = |part: &str| answer.pointer(&format!("/qemu/{part}"))?.as_u64();
    let version = format!("{}.{}.{}", number("major")?, number("minor")?, number("micro")?);
    // Older versions send the build with its parentheses.
    let build = answer["package"].as_str().unwrap_or_default().trim().trim_matches(['(', ')']);
    Some(if build.is_empty() { version } else { format!("{version} ({build})") })
}

/// Version and build of the QEMU at a path of the VM host; `None` if it does not run.
pub async fn version(host: &Machine, path: &Path) -> Option<String> {
    printed_version(&host.run(&[&path.to_string_lossy(), "--version"]).await.ok()?.stdout)
}

/// Every QEMU that a profile names.
pub fn named(configurations: &[Configuration]) -> BTreeSet<&Path> {
    let guests = configurations.iter().filter(|configuration| configuration.vms > 0);
    guests.filter_map(|configuration| configuration.emulator.as_deref()).collect()
}

/// Every QEMU that a profile names and that runs, with its version.
pub async fn versions(host: &Machine, configurations: &[Configuration]) -> BTreeMap<String, String> {
    let mut versions = BTreeMap::new();
    for path in named(configurations) {
        if let Some(version) = version(host, path).await {
            versions.insert(path.display().to_string(), version);
        }
    }
    versions
}

/// The versions of all that run guests, without their builds; `own` is the version that libvirt chooses.
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

    const PRINTED: &str =
        "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)\nCopyright (c) 2003-2022 Fabrice Bellard\n";

    #[test]
    fn a_file_and_a_process_of_one_build_say_the_same() {
        let running = r#"{"return":{"qemu":{"micro":22,"minor":2,"major":7},"package":"Debian 1:7.2+dfsg-7"},"id":"libvirt-9"}"#;
        assert_eq!(reported_version(running).as_deref(), Some("7.2.22 (Debian 1:7.2+dfsg-7)"));
        assert_eq!(reported_version(running), printed_version(PRINTED));
        let old = r#"{"return":{"qemu":{"micro":0,"minor":1,"major":2},"package":" (Debian 1:2.1)"}}"#;
        assert_eq!(reported_version(old).as_deref(), Some("2.1.0 (Debian 1:2.1)"));
        let plain = r#"{"return":{"qemu":{"micro":2,"minor":0,"major":10},"package":""}}"#;
        assert_eq!(reported_version(plain), printed_version("QEMU emulator version 10.0.2\n"));
    }

    #[test]
    fn what_is_no_qemu_has_no_version() {
        assert_eq!(printed_version("busybox v1.35.0\n"), None);
        assert_eq!(printed_version(""), None);
        assert_eq!(reported_version(r#"{"error":{"class":"CommandNotFound"}}"#), None);
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
