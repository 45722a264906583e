//! netserver for the bare-metal baseline: the other end of the flows when there is no guest.
//!
//! It listens on one address of one machine or network namespace. A shell starts it, and ends the whole process group when
//! kvmfair closes the shell's stdin or dies. Without the shell, netserver would outlive kvmfair, and so would its children:
//! they wait for ever for a client that was killed before it connected.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::BufReader;
use tokio::time::{Instant, sleep, timeout};

use crate::address::NETSERVER_PORT;
use crate::machine::Machine;
use crate::machine::line::read_line;
use crate::machine::started::Started;

/// Prints netserver's process number, waits for the end of its stdin and ends netserver. It ends after netserver: a port that is
/// still held makes the next netserver fail.
const GUARD: &str = "netserver -D -N -p \"$2\" -L \"$1\" </dev/null >&2 &
printf '%d\\n' $!
read -r _
trap '' TERM
kill -TERM 0
wait";

/// From the start until netserver listens.
const READY: Duration = Duration::from_secs(10);

/// Why there is no netserver.
#[derive(Debug, thiserror::Error)]
pub enum NetserverError {
    /// The shell did not start.
    #[error("failed to start netserver")]
    Spawn(#[source] std::io::Error),
    /// It ended, or never listened.
    #[error("netserver does not listen on {address}: {stderr}")]
    NotListening {
        /// Where it should have listened.
        address: SocketAddr,
        /// What it wrote to stderr.
        stderr: String,
    },
}

/// A netserver that listens. Dropping it ends it.
#[derive(Debug)]
pub struct Netserver {
    guard: Started,
}

impl Netserver {
    /// Starts netserver on a machine and waits until it listens on `address`.
    ///
    /// # Errors
    /// If it cannot be started or does not listen within some seconds; then nothing is left of it.
    pub async fn start(machine: &Machine, address: IpAddr) -> Result<Netserver, NetserverError> {
        let (bind, port) = (address.to_string(), NETSERVER_PORT.to_string());
        let argv = ["sh", "-c", GUARD, "netserver-guard", &bind, &port];
        let mut guard = machine.start(&argv).await.map_err(NetserverError::Spawn)?;
        let address = SocketAddr::new(address, NETSERVER_PORT);
        if let Some(pid) = pid(&mut guard).await
            && wait_listening(machine, pid, address).await
        {
            return Ok(Netserver { guard });
        }
        Err(NetserverError::NotListening { address, stderr: last_words(&mut guard).await })
    }

    /// Ends netserver and its children, and waits for that.
    pub async fn stop(mut self) {
        if !self.guard.end(READY).await {
            tracing::warn!("netserver did not end");
        }
    }
}

async fn pid(guard: &mut Started) -> Option<i32> {
    let mut stdout = BufReader::new(guard.stdout.take()?);
    timeout(READY, read_line(&mut stdout)).await.ok()?.ok()?.trim().parse().ok()
}

/// Waits until the process listens; false if it ended or does not listen in time. Reads the kernel's table of sockets and
/// does not connect, because netserver starts a child for each connection. `/proc/PID/net` is the table of the process's
/// own network namespace.
async fn wait_listening(machine: &Machine, pid: i32, address: SocketAddr) -> bool {
    let deadline = Instant::now() + READY;
    let table = if address.is_ipv4() { "tcp" } else { "tcp6" };
    // A file that is closed while it is listed is not an error; a process that has ended has no table. Only sockets that listen, and
    // the heading: TCP_CRR leaves tens of thousands of closed ones in it for a minute, more than a command may print.
    let script = format!(
        "ls -l /proc/{pid}/fd 2>/dev/null; grep -e local_address -e ': [0-9A-F:]* [0-9A-F:]* 0A ' /proc/{pid}/net/{table}"
    );
    while Instant::now() < deadline {
        match machine.run(&["sh", "-c", &script]).await {
            Ok(printed) if listens(&printed.stdout, address) => return true,
            Ok(_) => sleep(Duration::from_millis(20)).await,
            Err(_) => return false, // it ended
        }
    }
    false
}

/// Whether one of the process's own sockets listens on `address`. Pure: `printed` is the list of its files, followed by the
/// kernel's table of sockets.
fn listens(printed: &str, address: SocketAddr) -> bool {
    let word = |bytes: &[u8]| bytes.iter().rev().map(|byte| format!("{byte:02X}")).collect::<String>();
    let address = match address.ip() {
        IpAddr::V4(ip) => format!("{}:{:04X}", word(&ip.octets()), address.port()),
        IpAddr::V6(ip) => {
            let words: String = ip.octets().chunks(4).map(word).collect();
            format!("{words}:{:04X}", address.port())
        }
    };
    let inode = printed.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let listening = words.get(1) == Some(&address.as_str()) && words.get(3) == Some(&"0A");
        listening.then(|| words.get(9).copied()).flatten()
    });
    inode.is_some_and(|inode| printed.contains(&format!("socket:[{inode}]")))
}

/// Ends the shell and returns what netserver wrote.
async fn last_words(guard: &mut Started) -> String {
    guard.end(READY).await;
    let stderr = guard.last_words(READY).await;
    if stderr.is_empty() { "it printed no message".into() } else { stderr.replace('\n', "; ") }
}

#[cfg(test)]
mod tests {
    use std::io::BufRead;
    use std::os::unix::process::CommandExt;

    use super::*;

    #[test]
    fn the_guard_ends_after_a_netserver_that_takes_its_time() {
        let slow =
            "netserver() { trap 'sleep 0.3; echo gone; exit' TERM; echo ready; while :; do sleep 1; done; }";
        let mut guard = std::process::Command::new("sh")
            .args([
                "-c",
                &format!("exec 2>&1; {slow}\n{GUARD}; echo ended"),
                "netserver-guard",
                "127.0.0.1",
                "12865",
            ])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut lines = std::io::BufReader::new(guard.stdout.take().unwrap()).lines().map(Result::unwrap);
        lines.by_ref().find(|line| line == "ready");
        drop(guard.stdin.take());
        let first = lines.find(|line| line == "gone" || line == "ended");
        assert_eq!(first.as_deref(), Some("gone"));
        assert!(guard.wait().unwrap().success());
    }

    #[test]
    fn only_a_socket_of_the_process_itself_that_listens_there_counts() {
        let table = "   0: 0100007F:3241 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0\n";
        let files = "lrwx------ 1 root root 64 Jan  1 00:00 3 -> socket:[4711]\n";
        let here = "127.0.0.1:12865".parse().unwrap();
        assert!(listens(&[files, table].concat(), here));
        assert!(!listens(table, here), "another process's");
        assert!(!listens(&[files, table].concat(), "127.0.0.2:12865".parse().unwrap()));
        assert!(!listens(&[files, &table.replace(" 0A ", " 01 ")].concat(), here), "it is connected");
    }
}
