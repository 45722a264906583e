//! `examples/ci/slurm.sh` on a real Slurm of one node, which the test starts and ends itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::ci::{example, shell};
use crate::support::tables::rows;
use crate::support::{Sandbox, entries};

/// Two repeats of one guest, each with a guest of its own.
const TWO_BLOCKS: &str = "[guest]\nmemory = \"96 MiB\"\n[network]\nbackend = \"virtio\"\n[limits]\ntrial_attempts = 2\n[workload]\nflows = 1\nwarmup = \"500 ms\"\nwindow = \"2 s\"\ncooldown = \"500 ms\"\ninterval = \"250 ms\"\nrepeats = 2\n";

/// munge, the controller and the node's daemon, in the foreground.
struct Slurm {
    dir: tempfile::TempDir,
    daemons: Vec<Child>,
}

impl Slurm {
    fn start() -> Slurm {
        let dir = tempfile::Builder::new().prefix("kvmfair-slurm-").tempdir().unwrap();
        let mut slurm = Slurm { dir, daemons: Vec::new() };
        ["state", "spool"].iter().for_each(|name| fs::create_dir(slurm.path(name)).unwrap());
        fs::write(slurm.path("slurm.conf"), slurm.configuration()).unwrap();
        let file = |option: &str, name: &str| format!("{option}={}", slurm.path(name).display());
        let munge = [
            "--foreground".to_owned(),
            "--force".to_owned(),
            file("--key-file", "key"),
            file("--socket", "munge.socket"),
            file("--log-file", "munge.log"),
            file("--pid-file", "munge.pid"),
            file("--seed-file", "munge.seed"),
        ];
        let key: Vec<u8> = (0..=255).cycle().take(1024).collect(); // nobody else reaches its socket
        fs::write(slurm.path("key"), key).unwrap();
        fs::set_permissions(slurm.path("key"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        slurm.daemon("munged", &munge);
        slurm.await_that("munged listens", |slurm| slurm.path("munge.socket").exists());
        slurm.daemon("slurmctld", &["-D".to_owned()]);
        slurm.daemon("slurmd", &["-D".to_owned()]);
        slurm.await_that("the node is idle", |slurm| {
            let output = slurm.client("sinfo").args(["--noheader", "--format=%t"]).output().unwrap();
            String::from_utf8_lossy(&output.stdout).trim() == "idle"
        });
        slurm
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn configuration(&self) -> String {
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        let node = host.trim().split('.').next().unwrap();
        let dir = self.dir.path().display();
        format!(
            "ClusterName=kvmfair\nSlurmctldHost={node}(127.0.0.1)\nSlurmctldPort=16817\nSlurmdPort=16818\n\
             SlurmUser=root\nSlurmdUser=root\nAuthType=auth/munge\nCredType=cred/munge\nAuthInfo=socket={dir}/munge.socket\n\
             StateSaveLocation={dir}/state\nSlurmdSpoolDir={dir}/spool\n\
             SlurmctldPidFile={dir}/slurmctld.pid\nSlurmdPidFile={dir}/slurmd.pid\n\
             ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nJobAcctGatherType=jobacct_gather/none\n\
             MpiDefault=none\nSelectType=select/linear\nReturnToService=2\n\
             NodeName={node} NodeAddr=127.0.0.1 CPUs=1 State=UNKNOWN\n\
             PartitionName=lab Nodes={node} Default=YES MaxTime=INFINITE State=UP\n"
        )
    }

    /// A program that reads this Slurm's configuration.
    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("SLURM_CONF", self.path("slurm.conf"));
        command
    }

    fn daemon(&mut self, program: &str, arguments: &[String]) {
        let log = fs::File::create(self.path(&format!("{program}.out"))).unwrap();
        let mut command = self.client(program);
        command.args(arguments).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let started = command.spawn().unwrap_or_else(|error| {
            panic!("{program} is installed: {error} (hint: .ci/install tests)");
        });
        self.daemons.push(started);
    }

    #[track_caller]
    fn await_that(&self, what: &str, is_so: impl Fn(&Slurm) -> bool) {
        for _ in 0..300 {
            if is_so(self) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let logs =
            entries(self.dir.path()).into_iter().filter(|path| path.extension() == Some("out".as_ref()));
        let logs: String = logs.map(|path| fs::read_to_string(path).unwrap_or_default()).collect();
        panic!("not after 30 s: {what}\n{logs}");
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        for daemon in self.daemons.iter_mut().rev() {
            daemon.kill().ok();
            daemon.wait().ok();
        }
    }
}

#[test]
fn an_array_job_of_two_partitions_measures_both_and_they_are_merged() {
    let place = Sandbox::with_steady_settings();
    let slurm = Slurm::start();
    let job = place.out().with_file_name("job");
    fs::create_dir_all(job.join("lab")).unwrap();
    fs::rename(place.profile("nightly", TWO_BLOCKS), job.join("lab/nightly.toml")).unwrap();
    let script = example("slurm.sh");
    let line = format!("sbatch --wait --array=1-2 '{}'", script.display());
    let ended = place.shell(&line).current_dir(&job).env("SLURM_CONF", slurm.path("slurm.conf")).output();
    let outputs = || {
        let logs = entries(&job).into_iter().filter(|path| path.is_file());
        logs.map(|path| fs::read_to_string(path).unwrap_or_default()).collect::<String>()
    };
    let ended = ended.unwrap();
    assert!(ended.status.success(), "{ended:?}\n{}", outputs());
    place.assert_nothing_left();
    let text = shell("slurm.sh", 1);
    let merge = text.lines().find_map(|line| line.strip_prefix("# Then, when all have ended: ")).unwrap();
    let merged = place.shell(merge).current_dir(&job).output().unwrap();
    assert!(merged.status.success(), "{merged:?}");
    let run: &Path = &entries(&job.join("merged"))[0];
    let measured = rows(run, "trials.csv").iter().filter(|trial| trial["outcome"] == "measured").count();
    assert_eq!((measured, rows(run, "trials.csv").len()), (2, 2));
}
