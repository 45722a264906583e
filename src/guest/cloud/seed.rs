//! The seed: a small vfat disk labelled CIDATA, with which cloud-init's NoCloud data source configures the guest.
//! Pure: texts and bytes out.
//!
//! All texts are JSON, which YAML contains: nothing has to be quoted by hand.

use std::io::{Cursor, Result, Write};

use fatfs::{FileSystem, FormatVolumeOptions, FsOptions, format_volume};
use serde_json::{Value, json};

use crate::guest::appliance::NicOption;
use crate::guest::keys::{KeyError, RunKeys};

/// Size of the disk, bytes.
const SIZE: usize = 1 << 20;
/// The label by which cloud-init finds the disk, filled up to the length that FAT wants.
const LABEL: [u8; 11] = *b"CIDATA     ";

/// The last step of the guest's boot, and its path in the guest.
const READY: &str = include_str!("ready.sh");
const READY_PATH: &str = "/run/kvmfair/ready.sh";
/// The guest's end of the serial line that the host writes to a file.
const CONSOLE: &str = "/dev/ttyS0";

/// Names that the NICs get in the guest, in their order.
const NIC_NAMES: [&str; 2] = ["kf-management", "kf-test"];

/// Services that distributions start some time after boot, in the middle of a measurement.
const DISTURBERS: &str = "apt-daily.timer apt-daily-upgrade.timer unattended-upgrades.service dnf-makecache.timer \
    dnf-automatic.timer packagekit.service man-db.timer e2scrub_all.timer fstrim.timer motd-news.timer";

/// The part of the seed that all guests of a run share.
#[derive(Clone, Debug)]
pub struct RunSeed {
    authorized_key: String,
    host_key_pem: String,
    host_key_line: String,
    install_netperf: bool,
}

impl RunSeed {
    /// The keys of a run, and whether a guest may install netperf if its image has none.
    ///
    /// # Errors
    /// [`KeyError`] if a key cannot be encoded.
    pub fn new(keys: &RunKeys, install_netperf: bool) -> std::result::Result<RunSeed, KeyError> {
        Ok(RunSeed {
            authorized_key: keys.authorized_key()?,
            host_key_pem: keys.host_key_pem()?,
            host_key_line: keys.host_key_line()?,
            install_netperf,
        })
    }

    /// The disk of one guest.
    ///
    /// # Errors
    /// Never in practice: it is made in memory, and the texts are far smaller than it.
    pub fn disk(&self, name: &str, nics: &[NicOption]) -> Result<Vec<u8>> {
        let mut disk = Cursor::new(vec![0; SIZE]);
        format_volume(&mut disk, FormatVolumeOptions::new().volume_label(LABEL))?;
        let volume = FileSystem::new(&mut disk, FsOptions::new())?;
        for (file, text) in self.files(name, nics) {
            volume.root_dir().create_file(file)?.write_all(text.as_bytes())?;
        }
        volume.unmount()?;
        Ok(disk.into_inner())
    }

    fn files(&self, name: &str, nics: &[NicOption]) -> [(&'static str, String); 3] {
        [
            ("meta-data", json!({ "instance-id": name, "local-hostname": name }).to_string()),
            ("user-data", format!("#cloud-config\n{}\n", self.user_data(nics))),
            ("network-config", network(nics).to_string()),
        ]
    }

    /// Keys, no unattended work, and the last step of the boot. The first line of the file states its format.
    fn user_data(&self, nics: &[NicOption]) -> Value {
        let install = if self.install_netperf { "yes" } else { "no" };
        let addresses = nics.iter().map(|nic| nic.address.split('/').next().unwrap_or_default());
        let ready: Vec<&str> = ["sh", READY_PATH, CONSOLE, install].into_iter().chain(addresses).collect();
        json!({
            "disable_root": false,
            // No account of the distribution's own beside it; without a password.
            "users": [{ "name": "root", "lock_passwd": true }],
            "ssh_pwauth": false,
            "ssh_authorized_keys": [self.authorized_key],
            "ssh_deletekeys": true,
            "ssh_keys": { "ed25519_private": self.host_key_pem, "ed25519_public": self.host_key_line },
            "no_ssh_fingerprints": true,
            "ssh": { "emit_keys_to_console": false },
            // Any other would be generated, which takes long.
            "locale": "C.UTF-8",
            "growpart": { "mode": "off" },
            "resize_rootfs": false,
            "package_update": false,
            "package_upgrade": false,
            "apt": { "preserve_sources_list": true },
            // Systems without systemd have none of them.
            "bootcmd": [format!("systemctl mask --now --no-block {DISTURBERS} 2> /dev/null || true")],
            "write_files": [{ "path": READY_PATH, "permissions": "0700", "content": READY }],
            "runcmd": [ready],
        })
    }
}

/// Static addresses, in the second version of cloud-init's own format. Renderers without support for MACs use the name, so each
/// NIC has one.
fn network(nics: &[NicOption]) -> Value {
    let ethernet = |(name, nic): (&&str, &NicOption)| {
        let settings = json!({
            "match": { "macaddress": nic.mac.to_lowercase() },
            "set-name": name,
            "dhcp4": false,
            "dhcp6": false,
            "addresses": [nic.address],
            "mtu": nic.mtu,
        });
        ((*name).to_owned(), settings)
    };
    let ethernets: serde_json::Map<String, Value> = NIC_NAMES.iter().zip(nics).map(ethernet).collect();
    json!({ "version": 2, "ethernets": ethernets })
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::process::Command;

    use super::*;
    use crate::machine::blocking::find;

    fn nics() -> Vec<NicOption> {
        let nic = |n: u8, mtu| NicOption {
            mac: format!("52:54:00:6D:00:0{n}"),
            address: format!("198.1{n}.1.1/16"),
            mtu,
        };
        vec![nic(8, 1500), nic(9, 9000)]
    }

    fn read(disk: &[u8], file: &str) -> String {
        let volume = FileSystem::new(Cursor::new(disk.to_vec()), FsOptions::new()).unwrap();
        let mut text = String::new();
        volume.root_dir().open_file(file).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    fn disk(install: bool) -> (RunKeys, Vec<u8>) {
        let keys = RunKeys::generate("test").unwrap();
        let disk = RunSeed::new(&keys, install).unwrap().disk("kf-abc234-g1", &nics()).unwrap();
        (keys, disk)
    }

    #[test]
    fn the_disk_is_one_that_cloud_init_looks_for() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("seed");
        std::fs::write(&file, disk(false).1).unwrap();
        let printed = Command::new("blkid").args(["-p", "-o", "export"]).arg(&file).output().unwrap();
        let printed = String::from_utf8(printed.stdout).unwrap();
        assert!(printed.contains("LABEL=CIDATA\n") && printed.contains("TYPE=vfat\n"), "{printed}");
    }

    #[test]
    fn the_guest_gets_its_name_and_its_addresses() {
        let disk = disk(false).1;
        assert_eq!(disk.len(), SIZE);
        let meta: Value = serde_json::from_str(&read(&disk, "meta-data")).unwrap();
        assert_eq!(meta["local-hostname"], "kf-abc234-g1");
        let network: Value = serde_json::from_str(&read(&disk, "network-config")).unwrap();
        let test = &network["ethernets"]["kf-test"];
        assert_eq!(test["match"]["macaddress"], "52:54:00:6d:00:09");
        assert_eq!((&test["addresses"][0], &test["mtu"]), (&json!("198.19.1.1/16"), &json!(9000)));
    }

    #[test]
    fn the_runs_keys_are_the_only_way_in() {
        let (keys, disk) = disk(true);
        let text = read(&disk, "user-data");
        let data: Value = serde_json::from_str(text.strip_prefix("#cloud-config\n").unwrap()).unwrap();
        assert_eq!(data["ssh_authorized_keys"], json!([keys.authorized_key().unwrap()]));
        assert_eq!(data["ssh_keys"]["ed25519_private"], json!(keys.host_key_pem().unwrap()));
        assert_eq!((&data["ssh_pwauth"], &data["users"][0]["name"]), (&json!(false), &json!("root")));
        let ready = ["sh", READY_PATH, "/dev/ttyS0", "yes", "198.18.1.1", "198.19.1.1"];
        assert_eq!(data["runcmd"], json!([ready]));
        let client = keys.client_pem().unwrap();
        let secret = client.lines().nth(3).unwrap();
        assert!(!text.contains(secret), "the client's private key is not the guests' business");
    }

    /// Runs the guest's last step in a network namespace of its own, with these programs only.
    fn ready(programs: &[&str], arguments: &[&str]) -> String {
        let dir = tempfile::tempdir().unwrap();
        let (script, console) = (dir.path().join("ready.sh"), dir.path().join("console"));
        // Else the directories that the script adds would bring the rest.
        let own = READY.replace(":/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin", "");
        std::fs::write(&script, own).unwrap();
        for program in programs {
            std::os::unix::fs::symlink(find(program).unwrap(), dir.path().join(program)).unwrap();
        }
        let mut command = Command::new(find("unshare").unwrap());
        command.args(["--net", "/bin/sh"]).arg(&script).arg(&console).args(arguments);
        assert!(!command.env("PATH", dir.path()).status().unwrap().success());
        std::fs::read_to_string(console).unwrap()
    }

    #[test]
    fn a_guest_without_netserver_says_what_to_do() {
        let output = ready(&["grep", "ip", "cat"], &["no", "198.18.1.1"]);
        assert!(output.starts_with("\nkvmfair: failed: the image has no netserver (hint: "), "{output}");
        assert!(output.contains("install_netperf = true"), "{output}");
        let output = ready(&["grep", "tail"], &["yes"]);
        assert!(
            output.contains("could not be installed") && output.contains("no package manager"),
            "{output}"
        );
    }
}
