//! `report.html` in a headless browser: pointing, sorting, filtering, both themes, narrow and wide, print, and its size.
//!
//! A copy of the page gets one more script, which does what a reader does and leaves what it saw in the page; the browser prints that.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kvmfair::host::Environment;
use kvmfair::profile::{HostFacts, parse};
use kvmfair::results::{Results, RunDir};
use kvmfair::{backend, profile, raw};

#[allow(dead_code)] // shared with the unit tests of figures
#[path = "../src/figures/fixture.rs"]
mod fixture;

const PROFILE: &str = r#"
schema = 1
name = "browser"
description = "<b>two</b> backends & their guests"

[guest]
vcpus = 1
memory = "96 MiB"

[workload]
flows = 8
warmup = "2 s"
window = "10 s"
cooldown = "1 s"
interval = "500 ms"
repeats = 3

[sweep]
backend = ["virtio", "e1000"]
vms = [1, 2, 4]
"#;

/// A run of made-up trials, finished or not.
fn run(base: &Path, finished: bool) -> PathBuf {
    let facts = HostFacts { memory_mib: 65_536, cpus: 4 };
    let experiment = parse(PROFILE, Path::new("browser.toml"), facts).unwrap();
    let dir = RunDir::create(base, "browser", "20260102T030405Z").unwrap();
    let path = dir.path().to_owned();
    dir.write_json("experiment.json", &experiment).unwrap();
    let configurations = experiment.configurations.clone();
    let mut results = Results::create(dir, experiment, Environment::default(), raw::Accel::Kvm).unwrap();
    let mut number = 0;
    for repeat in 1..=3 {
        for configuration in &configurations {
            number += 1;
            let is_slow = configuration.backend.to_string() == "e1000";
            let level = if is_slow { 400.0 } else { 1000.0 };
            let guest = |guest: u32| level + 7.0 * f64::from(number) + 90.0 * f64::from(guest * repeat);
            let rates: Vec<f64> = (1..=configuration.vms).map(guest).collect();
            let raw = fixture::numbered(fixture::trial(configuration.clone(), &rates), number, repeat);
            results.add(raw).unwrap();
        }
    }
    if finished {
        results.finish().unwrap();
    } else {
        // As after a kill -9: what is on the disk was written during the run.
        std::mem::forget(results);
    }
    path
}

fn page(run: &Path) -> String {
    fs::read_to_string(run.join("report.html")).unwrap()
}

/// The browser with these arguments on a file: its standard output, and what pages wrote to their console.
fn browser(arguments: &[&str], file: &Path) -> (String, Vec<String>) {
    let program = ["chromium-headless-shell", "chromium"].into_iter().find(|program| {
        let output = Command::new(program).arg("--version").output();
        output.is_ok_and(|output| output.status.success())
    });
    let mut command = Command::new(program.expect("no browser (hint: .ci/install tests)"));
    // Root has no sandbox; a file of a test needs none.
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]);
    command.arg("--virtual-time-budget=2000").args(arguments).arg(format!("file://{}", file.display()));
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    let console = errors.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    (String::from_utf8_lossy(&output.stdout).into_owned(), console)
}

/// What a script returns that runs in the finished page, in a window of this width.
fn seen(run: &Path, arguments: &[&str], script: &str) -> String {
    let file = run.join("tested.html");
    let test = format!(
        "<script>{{ const seen = (() => {{ {script} }})(); const out = document.createElement('pre'); \
         out.id = 'seen'; out.textContent = 'SEEN' + seen + 'END'; document.body.append(out); }}</script></body>"
    );
    fs::write(&file, page(run).replacen("</body>", &test, 1)).unwrap();
    let (dom, console) = browser(&[arguments, &["--dump-dom"]].concat(), &file);
    assert_eq!(console, [""; 0], "console");
    let (_, rest) = dom.rsplit_once("SEEN").unwrap_or_else(|| panic!("the script did not end: {script}"));
    rest.split_once("END").unwrap().0.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

const DARK: &str = "--blink-settings=preferredColorScheme=0";
const LIGHT: &str = "--blink-settings=preferredColorScheme=1";
const NARROW: &str = "--window-size=390,844";
const WIDE: &str = "--window-size=1280,800";

/// Scripts.
const FIRST_TABLE: &str = "const table = document.querySelector('.figures > table');
    const rows = () => [...table.tBodies[0].rows].filter(row => !row.hidden);
    const column = name => [...table.tHead.rows[0].cells].findIndex(cell => cell.textContent.startsWith(name));";

#[test]
fn a_reader_who_points_at_a_value_sees_it_with_its_names_and_trials() {
    let base = tempfile::tempdir().unwrap();
    let run = run(base.path(), true);
    let script =
        "const chart = [...document.querySelectorAll('svg')].find(svg => svg.getAttribute('aria-label')
            .startsWith('Total rate by'));
        const point = chart.querySelector('[data-hint] polygon');
        point.scrollIntoView({ behavior: 'instant', block: 'center' });
        const { x, y, width, height } = point.getBoundingClientRect();
        const [clientX, clientY] = [x + width / 2, y + height / 2];
        document.elementFromPoint(clientX, clientY)
            .dispatchEvent(new PointerEvent('pointermove', { bubbles: true, clientX, clientY }));
        const hint = document.getElementById('hint');
        const text = hint.hidden + '|' + hint.textContent;
        document.body.dispatchEvent(new PointerEvent('pointermove', { bubbles: true }));
        return text + '|' + hint.hidden;";
    for size in [NARROW, WIDE] {
        let text = seen(&run, &[size, LIGHT], script);
        assert!(text.starts_with("false|") && text.ends_with("|true"), "{text}");
        for fact in ["number of guests: 1", "transactions/s", "n=3", "trials 1, 7 and 13"] {
            assert!(text.contains(fact), "{fact}: {text}");
        }
    }
}

#[test]
fn a_table_is_sorted_by_its_numbers_and_filtered_by_words() {
    let base = tempfile::tempdir().unwrap();
    let run = run(base.path(), true);
    let sorted = "const bias = column('Rate bias');
        const press = () => table.tHead.rows[0].cells[bias].querySelector('button').click();
        const values = () => rows().map(row => parseFloat(row.cells[bias].textContent));
        press(); const up = values(); press(); const down = values();
        return JSON.stringify([up, down, table.tHead.rows[0].cells[bias].getAttribute('aria-sort')]);";
    let text = seen(&run, &[WIDE], &format!("{FIRST_TABLE}{sorted}"));
    let (up, down, sort): (Vec<Option<f64>>, Vec<Option<f64>>, String) = serde_json::from_str(&text).unwrap();
    let known = |values: &[Option<f64>]| values.iter().flatten().copied().collect::<Vec<f64>>();
    assert!(known(&up).is_sorted() && known(&down).is_sorted_by(|a, b| a >= b), "{text}");
    assert_ne!(known(&up), known(&down), "{text}");
    assert!(up.last().unwrap().is_none() && down.last().unwrap().is_none(), "no value comes last: {text}");
    assert_eq!(sort, "descending");

    let filtered = "const input = document.querySelector('label.filter input');
        input.value = 'E1000'; input.dispatchEvent(new Event('input'));
        return rows().map(row => row.cells[0].textContent) + '|' + input.nextSibling.textContent;";
    let text = seen(&run, &[WIDE], &format!("{FIRST_TABLE}{filtered}"));
    assert_eq!(text, "e1000,e1000,e1000|3 of 6 rows");
}

#[test]
fn both_themes_have_their_colours_in_page_and_charts() {
    let base = tempfile::tempdir().unwrap();
    let run = run(base.path(), true);
    let script = "const fill = getComputedStyle(document.querySelector('svg rect')).fill;
        const ink = getComputedStyle(document.querySelector('svg text.title')).fill;
        return [getComputedStyle(document.body).backgroundColor, fill, ink].join(' ');";
    let white = "rgb(255, 255, 255)";
    assert_eq!(seen(&run, &[WIDE, LIGHT], script), format!("{white} {white} rgb(31, 34, 40)"));
    let dark = seen(&run, &[WIDE, DARK], script);
    assert!(dark.starts_with("rgb(22, 24, 29) rgb(22, 24, 29) rgb(22"), "{dark}");
}

#[test]
fn nothing_makes_the_page_wider_than_its_window_and_every_link_within_it_leads_somewhere() {
    let base = tempfile::tempdir().unwrap();
    let run = run(base.path(), true);
    let script = "const lost = [...document.querySelectorAll('a[href^=\"#\"]')]
            .filter(link => !document.getElementById(link.hash.slice(1)));
        return document.documentElement.scrollWidth - innerWidth + ' ' + lost.length;";
    for size in ["--window-size=390,844", WIDE, "--window-size=1920,1080"] {
        let text = seen(&run, &[size], script);
        let (beyond, lost) = text.split_once(' ').unwrap();
        assert!(beyond.parse::<i32>().unwrap() <= 0 && lost == "0", "{size}: {text}");
    }
    for file in page(&run).split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(file.starts_with('#') || run.join(file).exists(), "{file}");
    }
}

#[test]
fn it_prints_as_pages() {
    let base = tempfile::tempdir().unwrap();
    let run = run(base.path(), true);
    let pdf = run.join("report.pdf");
    let print = format!("--print-to-pdf={}", pdf.display());
    let (_, console) = browser(&[DARK, "--no-pdf-header-footer", &print], &run.join("report.html"));
    assert_eq!(console, [""; 0], "console");
    let bytes = fs::read(&pdf).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(bytes.starts_with(b"%PDF-"));
    let pages = text.matches("/Type /Page\n").count();
    assert!((3..40).contains(&pages), "{pages} pages");
}

#[test]
fn a_page_of_a_run_that_goes_on_counts_its_trials_and_is_read_again() {
    let base = tempfile::tempdir().unwrap();
    let run = run(base.path(), false);
    assert!(page(&run).contains("http-equiv=\"refresh\"") && page(&run).contains("of 18 trials are done"));
    let script = "return document.querySelector('.running').textContent;";
    let text = seen(&run, &[WIDE], script);
    assert!(text.starts_with("Running: "), "{text}");
}
