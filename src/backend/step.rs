//! One change of a machine, and what takes it back. Data: the lab does it, and journals what would outlive the run.

use super::switch::Switch;
use crate::host_nic::HostNic;

/// Where a step is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// On the VM host.
    Host,
    /// On the tester.
    Tester,
}

/// One change of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where.
    pub side: Side,
    /// What.
    pub action: Action,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Runs a command.
    Run {
        /// The command.
        run: Vec<String>,
        /// The command that takes it back; `None` where another step's undo does.
        undo: Option<Vec<String>>,
    },
    /// Writes a file of sysfs; taken back by the value that it had.
    Write {
        /// The file.
        path: String,
        /// The value.
        value: String,
    },
    /// Writes a file of sysfs that has no value of its own.
    Trigger {
        /// The file.
        path: String,
        /// What is written.
        value: String,
    },
    /// Brings a real NIC to this side of the lab; taken back by putting it where it was, as it was.
    Borrow(HostNic),
    /// Leaves a real NIC to a guest as a whole; taken back by putting it where it was, as it was.
    Lend(HostNic),
    /// Makes a vDPA device, which is the whole machine's; taken back by its name.
    Vdpa {
        /// Its name.
        name: String,
        /// The command.
        add: Vec<String>,
    },
    /// Has a real NIC hand on every frame as it came, unmerged; taken back by what it did before.
    WholeFrames(HostNic),
    /// Starts a switch of the run's own if it does not run; it goes with the run.
    Switch(Switch),
    /// Waits for the interface of a device that has just been made, and brings it to this side of the lab.
    Adopt {
        /// What it is to its bus.
        device: String,
        /// The name it gets.
        name: String,
    },
}

impl Step {
    /// A command that another step's undo takes back; the words of `run` are separated by blanks.
    pub fn new(side: Side, run: &str) -> Step {
        Step { side, action: Action::Run { run: words(run), undo: None } }
    }

    /// A command whose words may hold blanks, with its undo.
    pub fn argv(side: Side, run: Vec<String>, undo: Option<Vec<String>>) -> Step {
        Step { side, action: Action::Run { run, undo } }
    }

    /// A write into sysfs, on the host.
    pub fn write(path: impl Into<String>, value: impl ToString) -> Step {
        Step { side: Side::Host, action: Action::Write { path: path.into(), value: value.to_string() } }
    }

    /// A write into a file of sysfs that has no value of its own, on the host.
    pub fn trigger(path: impl Into<String>, value: impl ToString) -> Step {
        Step { side: Side::Host, action: Action::Trigger { path: path.into(), value: value.to_string() } }
    }

    /// A real NIC that is brought to a side of the lab.
    pub fn borrow(side: Side, nic: HostNic) -> Step {
        Step { side, action: Action::Borrow(nic) }
    }

    /// A command with an undo of its own; other actions have theirs already.
    pub fn undone_by(mut self, by: &str) -> Step {
        if let Action::Run { undo, .. } = &mut self.action {
            *undo = Some(words(by));
        }
        self
    }
}

fn words(command: &str) -> Vec<String> {
    command.split_whitespace().map(str::to_owned).collect()
}
