//! What the host shows only if a backend is the one that runs. Data: `run` looks, in every trial.

/// One fact to check.
#[derive(Clone, Debug)]
pub struct Proof {
    /// What.
    pub what: String,
    /// What must be seen.
    pub expected: String,
    /// Where it is read.
    pub source: FactSource,
}

/// Where a fact is seen. What cannot be read does not hold.
#[derive(Clone, Debug)]
pub enum FactSource {
    /// The last part of a symbolic link's target.
    Link(String),
    /// The drivers of the devices in a directory of sysfs, each named once.
    Drivers(String),
    /// Whether a file is missing: `none`, or `there`.
    Absent(String),
    /// What a script prints that has the process number of the guest's QEMU as its argument.
    Qemu {
        /// The script.
        script: &'static str,
    },
    /// The output of a command on the host, as a function reads it.
    Command {
        /// The command.
        argv: Vec<String>,
        /// The fact in its standard output.
        read: fn(&str) -> Option<String>,
    },
}

impl Proof {
    /// The target of a symbolic link ends with `expected`.
    pub fn link(what: &str, path: String, expected: impl Into<String>) -> Proof {
        Proof { what: what.into(), expected: expected.into(), source: FactSource::Link(path) }
    }

    /// A command's output says `expected`; the words of the command are separated by blanks.
    pub fn command(
        what: &str,
        command: &str,
        read: fn(&str) -> Option<String>,
        expected: impl Into<String>,
    ) -> Proof {
        let argv = command.split_whitespace().map(str::to_owned).collect();
        Proof::argv(what, argv, read, expected)
    }

    /// The same for a command whose words may hold blanks.
    pub fn argv(
        what: &str,
        argv: Vec<String>,
        read: fn(&str) -> Option<String>,
        expected: impl Into<String>,
    ) -> Proof {
        Proof { what: what.into(), expected: expected.into(), source: FactSource::Command { argv, read } }
    }
}
