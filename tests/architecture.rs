//! The direction of dependencies, and the size of files, held by reading the source as text.
//!
//! What is worth thinking about is pure: no files, processes, sockets or clock. Edges do IO and know nothing of the trial
//! loop or the commands. Only these two put both together.

use std::fs;
use std::path::{Path, PathBuf};

/// Modules that hold no IO, but for one file each in `profile` and `doctor`.
const PURE: [&str; 29] = [
    "factor",
    "profile",
    "plan",
    "backend",
    "raw",
    "window",
    "stats",
    "figures",
    "answers",
    "report",
    "table",
    "doctor",
    "host::facts",
    "host::environment",
    "host::memory",
    "host::settings",
    "load::command",
    "load::launcher",
    "load::parse",
    "probe::proc",
    "probe::inside",
    "probe::interrupts",
    "probe::exits",
    "probe::pressure",
    "probe::exit_reasons",
    "probe::transcript",
    "lab::change",
    "address",
    "machine::login",
];
/// The one reads the profile's file, the other asks a machine.
const IMPURE_IN_PURE: [&str; 2] = ["profile::load", "doctor::look"];

/// Modules that do IO, apart from the pure ones in them.
const EDGES: [&str; 8] = ["machine", "lab", "preflight", "guest", "host", "load", "probe", "results"];

/// What puts them together.
const TOP: [&str; 2] = ["run", "cli"];

/// What a pure module must not even mention.
const IMPURE: [&str; 16] = [
    "std::fs",
    "std::process",
    "std::env",
    "std::thread",
    "std::net::TcpStream",
    "std::net::TcpListener",
    "std::net::UdpSocket",
    "std::os::unix::net",
    "std::time::Instant",
    "std::time::SystemTime",
    "tokio",
    "nix",
    "libc",
    "virt",
    "ssh2",
    "procfs",
];

/// Longest source file without its tests, lines.
const LONGEST: usize = 300;

/// A source file: its module path, its text without tests and comments, and the paths it mentions.
struct Source {
    file: PathBuf,
    module: String,
    head: String,
    lines: usize,
    paths: Vec<String>,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut dirs = vec![root.clone()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            match path.extension() {
                None => dirs.push(path),
                Some(extension) if extension == "rs" => files.push(path),
                Some(_) => {}
            }
        }
    }
    files.sort();
    let texts: Vec<String> = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let only_for_tests: Vec<String> =
        files.iter().zip(&texts).flat_map(|(file, text)| test_modules(&module(&root, file), text)).collect();
    let all = files.into_iter().zip(texts).map(|(file, text)| Source::read(&root, file, &text));
    all.filter(|source| !only_for_tests.contains(&source.module)).collect()
}

/// `src/load/parse.rs` is `load::parse`, `src/load/mod.rs` is `load`.
fn module(root: &Path, file: &Path) -> String {
    let path = file.strip_prefix(root).unwrap().with_extension("");
    let parts = path.iter().map(|part| part.to_str().unwrap()).filter(|part| !["mod", "lib"].contains(part));
    parts.collect::<Vec<_>>().join("::")
}

/// Files that are modules of the tests alone: `#[cfg(test)] mod name;`
fn test_modules(module: &str, text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let named = lines
        .windows(2)
        .filter(|pair| pair[0] == "#[cfg(test)]")
        .filter_map(|pair| pair[1].strip_suffix(';')?.rsplit_once("mod ").map(|(_, name)| name));
    named.map(|name| format!("{module}::{name}")).collect()
}

/// The text up to its tests, without comments.
fn code(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().collect();
    let tests =
        lines.windows(2).position(|pair| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod tests {"));
    lines[..tests.unwrap_or(lines.len())].to_vec()
}

impl Source {
    fn read(root: &Path, file: PathBuf, text: &str) -> Source {
        let module = module(root, &file);
        let lines = code(text);
        let is_code = |line: &&str| !line.trim_start().starts_with("//");
        let body: Vec<&str> =
            lines.iter().copied().filter(is_code).map(|l| l.split(" // ").next().unwrap()).collect();
        let is_folder = file.ends_with("mod.rs") || file.ends_with("lib.rs");
        let paths = paths(&body.join("\n")).iter().map(|path| resolve(&module, is_folder, path)).collect();
        let head = text.lines().next().unwrap_or_default().to_owned();
        Source { module, head, lines: lines.len(), paths, file }
    }

    /// The paths in this file that are, or are in, one of `modules` but not one of `except`.
    fn mentions(&self, modules: &[&str], except: &[&str]) -> Vec<String> {
        let among = |path: &String, modules: &[&str]| {
            let own = path.strip_prefix("crate::");
            modules
                .iter()
                .any(|module| is_in(own.unwrap_or(path), module) && own.is_some() == is_ours(module))
        };
        let hits = self.paths.iter().filter(|path| among(path, modules) && !among(path, except));
        hits.map(|path| format!("{} mentions {path}", self.file.display())).collect()
    }

    fn is_one_of(&self, modules: &[&str]) -> bool {
        modules.iter().any(|module| is_in(&self.module, module))
    }
}

/// Whether a module is one of this crate.
fn is_ours(module: &str) -> bool {
    [&PURE[..], &EDGES, &TOP].concat().contains(&module)
}

fn is_in(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// All paths in a text: those written out, and those in `use` with their braces opened.
fn paths(text: &str) -> Vec<String> {
    let (uses, rest): (Vec<&str>, Vec<&str>) = text
        .split_inclusive(';')
        .map(str::trim)
        .partition(|statement| statement.contains("use ") && statement.lines().last().is_some());
    let mut found: Vec<String> =
        uses.iter().filter_map(|s| s.rsplit_once("use ")).flat_map(|(_, tree)| open("", tree)).collect();
    let words = uses
        .iter()
        .chain(&rest)
        .flat_map(|s| s.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')));
    found.extend(
        words.map(|word| word.trim_matches(':')).filter(|word| word.contains("::")).map(str::to_owned),
    );
    found
}

/// `a::{b, c::{d, e}}` -> `a::b`, `a::c::d`, `a::c::e`.
fn open(prefix: &str, tree: &str) -> Vec<String> {
    let tree = tree.trim().trim_end_matches(';').trim();
    let Some((before, inner)) = tree.split_once('{') else {
        let name = tree.split(" as ").next().unwrap().trim();
        return vec![format!("{prefix}{name}")];
    };
    let inner = inner.rsplit_once('}').map_or(inner, |(inner, _)| inner);
    let mut depth = 0;
    let parts = inner.split(|c: char| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    let prefix = format!("{prefix}{}", before.trim());
    parts.filter(|part| !part.trim().is_empty()).flat_map(|part| open(&prefix, part)).collect()
}

/// A path of this crate from its root, with `self` and `super` replaced; any other path as it is.
fn resolve(module: &str, is_folder: bool, path: &str) -> String {
    let mut here: Vec<&str> = module.split("::").filter(|part| !part.is_empty()).collect();
    if !is_folder {
        here.pop();
    }
    let mut parts: Vec<&str> = path.split("::").collect();
    let root = ["crate"].into_iter();
    match parts[0] {
        "self" => drop(parts.splice(..1, root.chain(here))),
        "super" => {
            while parts.first() == Some(&"super") {
                parts.remove(0);
                if is_folder || parts.first() == Some(&"super") {
                    here.pop();
                }
            }
            drop(parts.splice(..0, root.chain(here)));
        }
        _ => {}
    }
    parts.join("::")
}

#[test]
fn pure_modules_know_no_files_processes_sockets_or_clock_and_nothing_that_does() {
    let pure = sources().into_iter();
    let pure = pure.filter(|s| s.is_one_of(&PURE) && !IMPURE_IN_PURE.contains(&s.module.as_str()));
    let mut offenders = Vec::new();
    for source in pure {
        offenders.extend(source.mentions(&IMPURE, &[]));
        offenders.extend(source.mentions(&[&EDGES[..], &TOP].concat(), &PURE));
    }
    assert!(offenders.is_empty(), "{}", offenders.join("\n"));
}

#[test]
fn only_machine_starts_processes() {
    let others = sources().into_iter().filter(|source| !source.is_one_of(&["machine"]));
    let doors =
        ["std::process::Command", "tokio::process::Command", "nix::unistd::execv", "nix::unistd::fork"];
    let offenders: Vec<String> = others.flat_map(|source| source.mentions(&doors, &[])).collect();
    assert!(offenders.is_empty(), "{}", offenders.join("\n"));
}

#[test]
fn edges_know_neither_the_trial_loop_nor_the_commands() {
    let edges = sources().into_iter().filter(|source| source.is_one_of(&EDGES));
    let offenders: Vec<String> = edges.flat_map(|source| source.mentions(&TOP, &[])).collect();
    assert!(offenders.is_empty(), "{}", offenders.join("\n"));
}

#[test]
fn the_trial_loop_knows_no_commands() {
    let run = sources().into_iter().filter(|source| source.is_one_of(&["run"]));
    let offenders: Vec<String> = run.flat_map(|source| source.mentions(&["cli"], &[])).collect();
    assert!(offenders.is_empty(), "{}", offenders.join("\n"));
}

#[test]
fn every_file_says_its_purpose_first_and_is_short() {
    let all = sources();
    assert!(all.len() > 50, "only {} files were found", all.len());
    let nameless = all.iter().filter(|source| !source.head.starts_with("//! "));
    let long = all.iter().filter(|source| source.lines > LONGEST);
    let offenders: Vec<String> = nameless
        .map(|source| format!("{} does not begin with //!", source.file.display()))
        .chain(
            long.map(|source| format!("{} has {} lines without tests", source.file.display(), source.lines)),
        )
        .collect();
    assert!(offenders.is_empty(), "{}", offenders.join("\n"));
}

#[test]
fn the_reading_of_paths_is_right() {
    let text = "use std::{fs, time::{Duration, Instant}};\nuse super::tester::Load;\nfn f() { crate::machine::run(std::process::id()) }";
    let found = paths(text);
    for path in [
        "std::fs",
        "std::time::Duration",
        "std::time::Instant",
        "super::tester::Load",
        "crate::machine::run",
        "std::process::id",
    ] {
        assert!(found.iter().any(|one| one == path), "{path} is not in {found:?}");
    }
    assert_eq!(resolve("load::command", false, "super::tester::Load"), "crate::load::tester::Load");
    assert_eq!(resolve("profile::validate::bounds", false, "super::super::reader"), "crate::profile::reader");
    assert_eq!(resolve("report::chart", true, "super::model"), "crate::report::model");
    assert_eq!(resolve("plan", true, "self::estimate"), "crate::plan::estimate");
    assert!(is_in("std::fs::File", "std::fs") && !is_in("std::fsck", "std::fs"));
}
