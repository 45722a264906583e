//! The direction of dependencies, and the size of files, held by reading the source as text.
//!
//! What is worth thinking about is pure: no files, processes, sockets or clock. Edges do IO and know nothing of the trial
//! loop or the commands. Only these two put both together.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Modules that hold no IO, but for one file each in `profile` and `doctor`.
const PURE: &[&str] = &[
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
    "host::memory",
    "host::settings",
    "host::xl",
    "load::command",
    "load::launcher",
    "load::parse",
    "load::ping",
    "probe::proc",
    "probe::guest_counters",
    "probe::interrupts",
    "probe::exits",
    "probe::pressure",
    "probe::exit_reasons",
    "probe::transcript",
    "machine::change",
    "address",
    "foreign_text",
    "host_nic",
    "units",
    "machine::login",
];
/// The one reads the profile's file, the other asks a machine.
const IMPURE_IN_PURE: &[&str] = &["profile::load", "doctor::inspect"];

/// Modules that do IO, apart from the pure ones in them.
const EDGES: &[&str] =
    &["directory", "machine", "libvirt", "lab", "preflight", "guest", "host", "load", "probe", "results"];

/// What puts them together.
const TOP: &[&str] = &["run", "cli"];

/// What a pure module must not even mention.
const IMPURE: &[&str] = &[
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

/// Files that import each other in a circle. This list and those below only shrink; new code adds nothing to them.
const FILES_IN_A_CIRCLE: &[&str] = &[];

/// Folders that import from one drawn above them in `lib.rs`.
const UPWARDS: &[&str] = &[];

/// Pure modules that live in a folder that does IO.
const PURE_IN_EDGES: &[&str] = &[
    "host::facts",
    "host::memory",
    "host::settings",
    "host::xl",
    "load::command",
    "load::launcher",
    "load::parse",
    "load::ping",
    "machine::change",
    "machine::login",
    "probe::exit_reasons",
    "probe::exits",
    "probe::guest_counters",
    "probe::interrupts",
    "probe::pressure",
    "probe::proc",
    "probe::transcript",
];

/// Modules with functions named `of`.
const FUNCTIONS_NAMED_OF: &[&str] = &[];

/// Modules whose files are longer than the limit.
const TOO_LONG: &[&str] = &[];

/// Modules with `unsafe`, each of them named in docs/security.md.
const UNSAFE: &[&str] =
    &["cli::inputs", "cli::lab_permit", "libvirt::library", "machine::local", "machine::pump"];

/// A source file: its module path, its text without tests and comments, and the paths it mentions.
struct Source {
    file: PathBuf,
    module: String,
    head: String,
    lines: usize,
    paths: Vec<String>,
    /// Names and the paths that they are imported or exported from.
    names: BTreeMap<String, String>,
    /// Paths that are mentioned otherwise than to export them.
    used: BTreeSet<String>,
    defined: BTreeSet<String>,
    types: Vec<String>,
    named_of: usize,
    is_folder: bool,
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
        let resolved = |path: &str| resolve(&module, is_folder, path);
        let text_of_body = body.join("\n");
        let paths: Vec<String> = paths(&text_of_body).iter().map(|path| resolved(path)).collect();
        let uses = uses(&text_of_body);
        let named = uses.iter().map(|use_| (use_.name.clone(), resolved(&use_.path))).collect();
        let imported = uses.iter().filter(|use_| !use_.exported).map(|use_| use_.path.clone());
        let used = imported.chain(paths_in_code(&text_of_body)).map(|path| resolved(&path));
        Source {
            head: text.lines().next().unwrap_or_default().to_owned(),
            lines: lines.len(),
            names: named,
            used: used.filter(|path| path.starts_with("crate::")).collect(),
            defined: body.iter().filter_map(|line| item(line)).map(|(_, name)| name.to_owned()).collect(),
            types: body
                .iter()
                .filter_map(|line| item(line))
                .filter(is_type)
                .map(|(_, n)| n.to_owned())
                .collect(),
            named_of: body.iter().filter(|line| line.contains("fn of(") || line.contains("fn of<")).count(),
            module,
            paths,
            file,
            is_folder,
        }
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
    [PURE, EDGES, TOP].concat().contains(&module)
}

fn is_in(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// One name that a `use` brings in; `*` for all.
struct Use {
    exported: bool,
    path: String,
    name: String,
}

/// Where the text of each `use` begins, after its `use `, and ends; and whether it is exported.
fn use_statements(text: &str) -> Vec<(usize, usize, bool)> {
    let mut at = 0;
    let mut found = Vec::new();
    for line in text.split_inclusive('\n') {
        let (before, after) = line.split_once("use ").unwrap_or(("-", ""));
        let exported = before.trim_start().starts_with("pub");
        if before.trim().is_empty() || (exported && !before.contains("fn ") && !after.is_empty()) {
            let start = at + line.len() - after.len();
            found.push((start, start + text[start..].find(';').unwrap_or(0), exported));
        }
        at += line.len();
    }
    found
}

fn uses(text: &str) -> Vec<Use> {
    let mut found = Vec::new();
    for (start, end, exported) in use_statements(text) {
        for tree in open("", &text[start..end], true) {
            let (path, alias) = tree.split_once(" as ").unwrap_or((&tree, ""));
            let path = path.strip_suffix("::self").unwrap_or(path);
            let name = if alias.is_empty() { path.rsplit("::").next().unwrap() } else { alias };
            found.push(Use { exported, path: path.to_owned(), name: name.to_owned() });
        }
    }
    found
}

/// Paths outside of any `use`.
fn paths_in_code(text: &str) -> Vec<String> {
    let mut rest = text.to_owned();
    for (start, end, _) in use_statements(text).into_iter().rev() {
        rest.replace_range(start..end, "");
    }
    let words = rest.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    words.map(|word| word.trim_matches(':')).filter(|word| word.contains("::")).map(str::to_owned).collect()
}

/// Kind and name of the item that a line begins, if it is one of a module itself.
fn item(line: &str) -> Option<(&str, &str)> {
    let mut words = line.strip_suffix(char::is_whitespace).unwrap_or(line).split(' ');
    let mut word = words.next()?;
    while word.starts_with("pub") || ["async", "unsafe"].contains(&word) {
        word = words.next()?;
    }
    let kinds = ["struct", "enum", "trait", "type", "const", "static", "fn"];
    let kind = kinds.into_iter().find(|kind| *kind == word)?;
    let name = words.next()?.split(|c: char| !(c.is_alphanumeric() || c == '_')).next()?;
    Some((kind, name))
}

fn is_type(item: &(&str, &str)) -> bool {
    ["struct", "enum", "trait"].contains(&item.0)
}

/// All paths in a text: those written out, and those in `use` with their braces opened.
fn paths(text: &str) -> Vec<String> {
    let (uses, rest): (Vec<&str>, Vec<&str>) = text
        .split_inclusive(';')
        .map(str::trim)
        .partition(|statement| statement.contains("use ") && statement.lines().last().is_some());
    let mut found: Vec<String> = uses
        .iter()
        .filter_map(|s| s.rsplit_once("use "))
        .flat_map(|(_, tree)| open("", tree, false))
        .collect();
    let words = uses
        .iter()
        .chain(&rest)
        .flat_map(|s| s.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')));
    found.extend(
        words.map(|word| word.trim_matches(':')).filter(|word| word.contains("::")).map(str::to_owned),
    );
    found
}

/// `a::{b, c::{d as e, f}}` -> `a::b`, `a::c::d`, `a::c::f`; or `a::c::d as e`, if names are to be kept.
fn open(prefix: &str, tree: &str, names: bool) -> Vec<String> {
    let tree = tree.trim().trim_end_matches(';').trim();
    let Some((before, inner)) = tree.split_once('{') else {
        let path = if names { tree } else { tree.split(" as ").next().unwrap().trim() };
        return vec![format!("{prefix}{path}")];
    };
    let inner = inner.rsplit_once('}').map_or(inner, |(inner, _)| inner);
    let mut depth = 0;
    let parts = inner.split(|c: char| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    let prefix = format!("{prefix}{}", before.trim());
    parts.filter(|part| !part.trim().is_empty()).flat_map(|part| open(&prefix, part, names)).collect()
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
    let pure = pure.filter(|s| s.is_one_of(PURE) && !IMPURE_IN_PURE.contains(&s.module.as_str()));
    let mut offenders = Vec::new();
    for source in pure {
        offenders.extend(source.mentions(IMPURE, &[]));
        offenders.extend(source.mentions(&[EDGES, TOP].concat(), PURE));
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
    let edges = sources().into_iter().filter(|source| source.is_one_of(EDGES));
    let offenders: Vec<String> = edges.flat_map(|source| source.mentions(TOP, &[])).collect();
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
    let offenders: Vec<String> =
        nameless.map(|source| format!("{} does not begin with //!", source.file.display())).collect();
    assert!(offenders.is_empty(), "{}", offenders.join("\n"));
    let long = all.iter().filter(|source| source.lines > LONGEST).map(|source| source.module.as_str());
    assert_only("a file that is too long", TOO_LONG, long);
}

/// Which file each file imports from, through whatever exports it.
struct Imports<'s> {
    sources: BTreeMap<&'s str, &'s Source>,
}

impl<'s> Imports<'s> {
    fn read(sources: &'s [Source]) -> Imports<'s> {
        Imports { sources: sources.iter().map(|source| (source.module.as_str(), source)).collect() }
    }

    /// The module that defines what a path of this crate leads to.
    fn home(&self, path: &str, depth: usize) -> Option<&'s str> {
        let parts: Vec<&str> = path.split("::").skip(1).collect();
        let module =
            (0..=parts.len()).rev().find_map(|n| self.sources.get_key_value(parts[..n].join("::").as_str()));
        let (module, source) = module?;
        let below = if module.is_empty() { 0 } else { module.split("::").count() };
        let Some(name) = parts.get(below) else { return Some(module) };
        if source.defined.contains(*name) || depth > 12 {
            return Some(module);
        }
        let target = source.names.get(*name).and_then(|path| self.resolve_from_root(module, path));
        match target.filter(|target| target != path) {
            Some(target) => self.home(&[&[&*target], &parts[below + 1..]].concat().join("::"), depth + 1),
            None => Some(module),
        }
    }

    /// A path of this crate from its root, if it is one; it may begin with a child of the module.
    fn resolve_from_root(&self, module: &str, path: &str) -> Option<String> {
        let child = format!("{module}::{}", path.split("::").next()?);
        let is_child = self.sources.contains_key(child.as_str());
        path.starts_with("crate::")
            .then(|| path.to_owned())
            .or_else(|| is_child.then(|| format!("crate::{module}::{path}")))
    }

    /// The modules that one imports from.
    fn from(&self, module: &str) -> BTreeSet<&'s str> {
        let used = self.sources[module].used.iter().filter_map(|path| self.home(path, 0));
        used.filter(|home| *home != module).collect()
    }

    /// Files that import each other in a circle; a folder's own file names its children and is none of them.
    fn circles(&self) -> BTreeSet<&'s str> {
        let files = self.sources.values().filter(|source| !source.is_folder);
        let next: BTreeMap<&str, BTreeSet<&str>> =
            files.map(|source| (source.module.as_str(), self.from(&source.module))).collect();
        let reaches_itself = |start: &&&str| {
            let (mut seen, mut stack) = (BTreeSet::new(), vec![**start]);
            while let Some(module) = stack.pop() {
                for to in next.get(module).into_iter().flatten() {
                    if to == *start {
                        return true;
                    }
                    if seen.insert(*to) {
                        stack.push(*to);
                    }
                }
            }
            false
        };
        next.keys().filter(reaches_itself).copied().collect()
    }
}

/// The folder, or the file beside them, that a module is in.
fn folder(module: &str) -> &str {
    module.split("::").next().unwrap()
}

/// What the map in `lib.rs` names, from the ground up.
fn drawn() -> Vec<String> {
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let names = lib.lines().filter_map(|line| line.strip_prefix("//! - [`")?.split_once("`]"));
    names.map(|(name, _)| name.to_owned()).collect()
}

/// Fails for what is found and not allowed, and for what is allowed and not found any more: these lists only shrink.
#[track_caller]
fn assert_only<'a>(what: &str, allowed: &[&'a str], found: impl IntoIterator<Item = &'a str>) {
    let (allowed, found) = (BTreeSet::from_iter(allowed.iter().copied()), BTreeSet::from_iter(found));
    let new: Vec<_> = found.difference(&allowed).collect();
    let gone: Vec<_> = allowed.difference(&found).collect();
    assert!(new.is_empty(), "{what}: {new:#?}");
    assert!(gone.is_empty(), "{what}: take these off the list, they are gone: {gone:#?}");
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let sources = sources();
    assert_only("in an import cycle", FILES_IN_A_CIRCLE, Imports::read(&sources).circles());
}

#[test]
fn folders_import_only_what_the_map_in_lib_rs_draws_below_them() {
    let (sources, order) = (sources(), drawn());
    let imports = Imports::read(&sources);
    let at = |name: &str| order.iter().position(|drawn| drawn == name);
    let mut upwards = BTreeSet::new();
    for source in sources.iter().filter(|source| !["", "main"].contains(&source.module.as_str())) {
        let own = folder(&source.module);
        assert!(at(own).is_some(), "the map in lib.rs does not name {own}");
        let others = imports.from(&source.module).into_iter().map(folder);
        upwards.extend(others.filter(|other| at(other) > at(own)).map(|other| format!("{own} -> {other}")));
    }
    assert_only("imports against the order of lib.rs", UPWARDS, upwards.iter().map(String::as_str));
}

#[test]
fn no_pure_module_lives_in_a_folder_that_does_io() {
    let inside = PURE.iter().copied().filter(|module| EDGES.contains(&folder(module)));
    assert_only("a pure module inside an edge", PURE_IN_EDGES, inside);
    let sources = sources();
    let absent = PURE.iter().filter(|module| !sources.iter().any(|source| source.module == **module));
    assert_eq!(absent.collect::<Vec<_>>(), Vec::<&&str>::new(), "there are no such modules");
}

#[test]
fn no_function_is_named_of() {
    let sources = sources();
    let found = sources.iter().filter(|source| source.named_of > 0).map(|source| source.module.as_str());
    assert_only("a function named `of`", FUNCTIONS_NAMED_OF, found);
}

#[test]
fn unsafe_code_is_where_the_docs_say_and_each_block_has_its_reason() {
    let text = |source: &Source| fs::read_to_string(&source.file).unwrap();
    let blocks = |source: &Source| text(source).matches("unsafe {").count();
    let sources: Vec<Source> = sources().into_iter().filter(|source| blocks(source) > 0).collect();
    assert_only("unsafe code", UNSAFE, sources.iter().map(|source| source.module.as_str()));
    for source in &sources {
        assert_eq!(text(source).matches("// SAFETY: ").count(), blocks(source), "{}", source.module);
    }
    let docs = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/security.md")).unwrap();
    let unnamed = |module: &&&str| !docs.contains(&format!("src/{}.rs", module.replace("::", "/")));
    assert_eq!(UNSAFE.iter().filter(unnamed).collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[test]
fn no_type_name_is_defined_twice() {
    let sources = sources();
    let mut seen = BTreeSet::new();
    let names = sources.iter().flat_map(|source| &source.types).map(String::as_str);
    let twice: BTreeSet<&str> = names.filter(|name| !seen.insert(*name)).collect();
    assert_only("a type name that is defined more than once", &[], twice);
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
