//! The CPU time of one QEMU, by class of thread. Totals never go backwards: a thread that ended keeps its last reading.
//!
//! A thread that starts and ends between two refreshes of the list is not counted. Files stay open, so a reading is one
//! system call, and a reused thread number is not mistaken for the thread that had it before.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::proc::{self, ClassTimes, ThreadClass};

/// The threads of one QEMU, and the vhost workers that are not among them.
#[derive(Debug)]
pub(super) struct Threads {
    pid: i32,
    threads: Vec<Thread>,
}

/// A vhost worker that is a process of its own.
pub(super) struct Worker {
    comm: String,
    task: TaskDir,
}

/// The vhost workers that are not threads of a QEMU: all of them before Linux 6.4, none since.
pub(super) fn kernel_workers() -> io::Result<Vec<Worker>> {
    let named = numbered(Path::new("/proc"))?.into_iter().map(|task| Worker { comm: comm(&task.path), task });
    Ok(named.filter(|worker| worker.comm.starts_with("vhost-")).collect())
}

#[derive(Debug)]
struct Thread {
    tid: i32,
    class: ThreadClass,
    schedstat: Option<File>,
    run_ns: u64,
    wait_ns: u64,
}

impl Threads {
    /// Finds the threads of a process and those of the kernel's workers that carry its number.
    pub fn open(pid: i32, workers: &[Worker]) -> io::Result<Threads> {
        let mut threads = Threads { pid, threads: Vec::new() };
        threads.refresh()?;
        let name = format!("vhost-{pid}");
        workers.iter().filter(|worker| worker.comm == name).for_each(|worker| threads.add(&worker.task));
        Ok(threads)
    }

    /// Adds new threads.
    ///
    /// # Errors
    /// If the process is gone.
    pub fn refresh(&mut self) -> io::Result<()> {
        for task in numbered(Path::new(&format!("/proc/{}/task", self.pid)))? {
            let known = |t: &Thread| t.tid == task.tid && t.schedstat.is_some();
            if !self.threads.iter().any(known) {
                self.add(&task);
            }
        }
        Ok(())
    }

    /// Reads every thread that still runs.
    pub fn read(&mut self) {
        self.threads.iter_mut().for_each(Thread::read);
    }

    /// The sum over the threads of one class, those that ended included.
    pub fn total(&self, class: ThreadClass) -> ClassTimes {
        let threads = || self.threads.iter().filter(|thread| thread.class == class);
        ClassTimes::from_ns(threads().map(|t| t.run_ns).sum(), threads().map(|t| t.wait_ns).sum())
    }

    /// Whether the process still runs; a zombie does not.
    pub fn alive(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
        state.is_some_and(|state| state != 'Z' && state != 'X')
    }

    fn add(&mut self, task: &TaskDir) {
        let class = ThreadClass::from_comm(&comm(&task.path));
        let schedstat = File::open(task.path.join("schedstat")).ok();
        let mut thread = Thread { tid: task.tid, class, schedstat, run_ns: 0, wait_ns: 0 };
        thread.read();
        self.threads.push(thread);
    }
}

impl Thread {
    fn read(&mut self) {
        let Some(file) = &self.schedstat else { return };
        let mut buffer = [0; 64];
        let text = file.read_at(&mut buffer, 0).ok().and_then(|n| std::str::from_utf8(&buffer[..n]).ok());
        match text.and_then(proc::schedstat) {
            Some((run_ns, wait_ns)) => {
                self.run_ns = self.run_ns.max(run_ns);
                self.wait_ns = self.wait_ns.max(wait_ns);
            }
            None => self.schedstat = None, // it ended
        }
    }
}

struct TaskDir {
    tid: i32,
    path: PathBuf,
}

/// The entries of a directory that are numbers.
fn numbered(dir: &Path) -> io::Result<Vec<TaskDir>> {
    let entries = fs::read_dir(dir)?;
    Ok(entries
        .flatten()
        .filter_map(|entry| {
            let tid = entry.file_name().to_str()?.parse().ok()?;
            Some(TaskDir { tid, path: entry.path() })
        })
        .collect())
}

fn comm(task: &Path) -> String {
    fs::read_to_string(task.join("comm")).unwrap_or_default().trim_end().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_thread_that_ended_keeps_its_last_reading() {
        let (end, ended) = mpsc::channel::<()>();
        let (ready, is_ready) = mpsc::channel();
        let own = std::process::id() as i32;
        let vcpu = std::thread::Builder::new().name("CPU 7/KVM".into());
        let vcpu = vcpu.spawn(move || {
            let busy = (0..2_000_000_u64).fold(0, |sum, n| std::hint::black_box(sum ^ n));
            ready.send(busy).unwrap();
            let _ = ended.recv();
        });
        is_ready.recv().unwrap();
        let mut threads = Threads::open(own, &[]).unwrap();
        threads.read();
        let before = threads.total(ThreadClass::Vcpu);
        assert!(before.run_s > 0.0);
        drop(end);
        vcpu.unwrap().join().unwrap();
        threads.read();
        threads.refresh().unwrap();
        assert!(threads.total(ThreadClass::Vcpu).run_s >= before.run_s);
        assert!(threads.alive());
    }

    #[test]
    fn a_process_that_does_not_exist_is_an_error() {
        assert!(Threads::open(i32::MAX, &[]).is_err());
    }
}
