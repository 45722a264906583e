//! Open vSwitch of the run's own, in the embedded lab: a database server and a switch daemon in the run's network namespace,
//! with database, sockets and logs in its state directory. The machine's own Open vSwitch is neither queried nor changed.
//!
//! Nothing is journalled for them: they are processes of the run, and what they make in the kernel goes with the
//! namespace.

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use tokio::process::Child;
use tokio::time::{Instant, sleep};

use super::{LabError, dpdk};
use crate::backend::switch::{OpenVswitch, Switch};
use crate::machine::blocking::find;
use crate::machine::local::Local;

/// For a daemon to answer: DPDK clears its memory first, and emulation is slow.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two checks.
const POLL: Duration = Duration::from_millis(50);
/// What is shown of the log of a daemon that failed, lines.
const LAST_LINES: usize = 3;

/// Starts a switch of the run's own unless it answers already.
///
/// # Errors
/// [`LabError::Daemon`] with the end of a daemon's log, [`LabError::Exec`] if a command refuses.
pub async fn ensure(host: &Local, switch: Switch, ovs: &OpenVswitch) -> Result<(), LabError> {
    let Some(dir) = ovs.directory(switch) else { return Ok(()) };
    let switch_of_run = OwnSwitch { host, dir: dir.into() };
    if switch_of_run.answers().await {
        return Ok(());
    }
    switch_of_run.start(switch).await
}

/// A switch of the run's own.
struct OwnSwitch<'a> {
    host: &'a Local,
    dir: PathBuf,
}

impl OwnSwitch<'_> {
    async fn start(&self, switch: Switch) -> Result<(), LabError> {
        let dir = self.dir.display();
        std::fs::remove_dir_all(&self.dir).ok(); // left by one that ended
        std::fs::create_dir_all(&self.dir).map_err(LabError::system(format!("create {dir}")))?;
        let database = format!("{dir}/conf.db");
        self.host.run(&["ovsdb-tool", "create", &database]).await?;
        let listen = format!("--remote=punix:{dir}/db.sock");
        let mut server = self.daemon("ovsdb-server", "ovsdb-server", &[&database, &listen])?;
        self.wait(&mut server, "ovsdb-server", self.dir.join("db.sock")).await?;
        self.set(&["--no-wait", "init"]).await?;
        let program = match switch {
            Switch::Plain => "ovs-vswitchd".to_owned(),
            Switch::Dpdk => {
                self.set(
                    &[&["--no-wait", "set", "Open_vSwitch", "."], words(&dpdk::settings()).as_slice()]
                        .concat(),
                )
                .await?;
                dpdk::daemon().map_or_else(|| "ovs-vswitchd".into(), |path| path.display().to_string())
            }
        };
        let mut daemon = self.daemon("vswitchd", &program, &[&format!("unix:{dir}/db.sock")])?;
        self.wait(&mut daemon, "ovs-vswitchd", self.dir.join("vswitchd.ctl")).await?;
        self.until_answering(&mut daemon).await
    }

    /// A daemon in the foreground, so that it stays this process's child; its environment keeps DPDK's files here too.
    fn daemon(&self, name: &'static str, program: &str, arguments: &[&str]) -> Result<Child, LabError> {
        let dir = self.dir.display();
        let program = find(program).map_or_else(|| program.to_owned(), |path| path.display().to_string());
        let mut argv = vec![program];
        argv.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        argv.extend([
            format!("--pidfile={dir}/{name}.pid"),
            format!("--unixctl={dir}/{name}.ctl"),
            format!("--log-file={dir}/{name}.log"),
            "--no-chdir".into(),
            "-vconsole:off".into(),
        ]);
        let started = File::create(self.dir.join(format!("{name}.out"))).and_then(|output| {
            let directories = [("OVS_RUNDIR", &*self.dir), ("RUNTIME_DIRECTORY", &*self.dir)];
            self.host.daemon(&argv, &directories, output)
        });
        started.map_err(LabError::system(format!("start {name}")))
    }

    async fn set(&self, arguments: &[&str]) -> Result<(), LabError> {
        let database = format!("--db=unix:{}/db.sock", self.dir.display());
        let argv = [["ovs-vsctl", "--timeout=50", &database].as_slice(), arguments].concat();
        self.host.run(&argv).await?;
        Ok(())
    }

    async fn answers(&self) -> bool {
        let control = self.dir.join("vswitchd.ctl");
        if !control.exists() {
            return false;
        }
        let target = control.display().to_string();
        self.host.run(&["ovs-appctl", "--timeout=5", "--target", &target, "version"]).await.is_ok()
    }

    async fn until_answering(&self, daemon: &mut Child) -> Result<(), LabError> {
        let deadline = Instant::now() + PATIENCE;
        while !self.answers().await {
            self.still_starting(daemon, "ovs-vswitchd", deadline)?;
            sleep(POLL).await;
        }
        Ok(())
    }

    async fn wait(&self, daemon: &mut Child, name: &'static str, socket: PathBuf) -> Result<(), LabError> {
        let deadline = Instant::now() + PATIENCE;
        while !socket.exists() {
            self.still_starting(daemon, name, deadline)?;
            sleep(POLL).await;
        }
        Ok(())
    }

    fn still_starting(
        &self,
        daemon: &mut Child,
        name: &'static str,
        deadline: Instant,
    ) -> Result<(), LabError> {
        let ended = daemon.try_wait().map_err(LabError::system(format!("wait for {name}")))?;
        if ended.is_none() && Instant::now() < deadline {
            return Ok(());
        }
        let log = if name == "ovs-vswitchd" { "vswitchd.log" } else { "ovsdb-server.log" };
        let log = std::fs::read_to_string(self.dir.join(log)).unwrap_or_default();
        Err(LabError::Daemon { name, log: last_warnings(&log) })
    }
}

fn words(settings: &[String]) -> Vec<&str> {
    settings.iter().map(String::as_str).collect()
}

/// The last warnings and errors of a log whose lines are `<time>|<number>|<module>|<level>|<message>`.
fn last_warnings(log: &str) -> String {
    let is_warning = |line: &&str| ["|WARN|", "|ERR|", "|EMER|"].iter().any(|level| line.contains(level));
    let all: Vec<&str> =
        log.lines().filter(is_warning).filter_map(|line| line.splitn(5, '|').nth(4)).collect();
    if all.is_empty() {
        "its log has no warnings".into()
    } else {
        all[all.len().saturating_sub(LAST_LINES)..].join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_that_failed_is_quoted_with_its_last_warnings() {
        let log = "t|1|dpdk|INFO|hello\nt|2|dpdk|ERR|EAL: no | memory\nt|3|dpdk|EMER|Unable\n";
        assert_eq!(last_warnings(log), "EAL: no | memory; Unable");
        assert_eq!(last_warnings(""), "its log has no warnings");
    }
}
