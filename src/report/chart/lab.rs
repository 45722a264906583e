//! The picture of the lab: the VM host with its guests and what they are attached to, the wire, the tester.

use super::frame::LINE;
use super::lab_picture::{GuestBox, LabPicture, Lane};
use super::plot::{Body, Plot};
use super::style::{BOLD, TEXT};
use super::svg::{AXIS, Align, Area, Canvas, Drawn, FAINT, GREY, INK, Point, Stroke};
use crate::report::{Model, model};

/// The name of the picture, by which renderers find it among the charts.
pub const LAB: &str = "lab";

/// The tester's box, and the wire between it and the VM host, px.
const TESTER: f64 = 290.0;
const WIRE: f64 = 190.0;
/// Inside of a box, px.
const PADDING: f64 = 14.0;
const GUEST_HEIGHT: f64 = 3.0 * LINE + 20.0;
const LANE_HEIGHT: f64 = 48.0;
const GAP: f64 = 14.0;

/// The picture of a run's lab; `None` for an experiment without configurations.
pub(super) fn plot(report: &Model) -> Option<Plot> {
    let valid = report.trials.iter().filter(|trial| trial.valid().is_some());
    let shown = valid.max_by_key(|trial| (trial.configuration.vms, !trial.checks.is_empty()));
    let planned = report.experiment.configurations.iter().max_by_key(|configuration| configuration.vms);
    let configuration = shown.map(|trial| &trial.configuration).or(planned)?;
    let picture = LabPicture::new(report, configuration, shown);
    let levels = model::describe(configuration, &report.experiment.factors);
    let levels = if levels.is_empty() { levels } else { format!(" ({levels})") };
    let others = if picture.lanes.len() > 1 { "; attachments of other trials below, in grey" } else { "" };
    let explanation = match shown {
        Some(trial) => format!("as in trial {}{levels}{others}", trial.trial),
        None => format!("as planned{levels}{others}"),
    };
    let plot = Plot::new((LAB, "The lab"), &[], explanation, Body::Lab(picture));
    Some(plot.of_configurations(vec![configuration.clone()]))
}

/// The least height in which everything has its place, px.
pub(super) fn least_height(lab: &LabPicture) -> f64 {
    let note = if lab.note.is_empty() { 0.0 } else { LINE };
    let guests = if lab.guests.is_empty() { 0.0 } else { GUEST_HEIGHT + 3.0 * GAP };
    let lanes = lab.lanes.len() as f64 * (LANE_HEIGHT + GAP);
    let around = if lab.one_machine { LINE + 2.0 * PADDING } else { 0.0 };
    // The tester's box has a title and at most six lines.
    around + (PADDING + LINE + guests + lanes + note).max(2.0 * PADDING + 7.0 * LINE)
}

/// Draws the picture.
pub(super) fn draw(canvas: &Canvas, plot: &Area, lab: &LabPicture) -> Drawn {
    let bottom = plot.top + least_height(lab);
    let whole = Area { bottom, ..*plot };
    let inset = if lab.one_machine { PADDING } else { 0.0 };
    if lab.one_machine {
        outline(canvas, whole, Stroke { colour: AXIS, width: 2.0, dash: "9 7" });
        let at = (whole.right - PADDING, whole.top + LINE);
        canvas.text("machine", "one machine", at, Align::Right, (TEXT, GREY));
    }
    let top = plot.top + if lab.one_machine { LINE + PADDING } else { 0.0 };
    let right = whole.right - inset - TESTER - WIRE;
    let host = Area { left: whole.left + inset, right, top, bottom: bottom - inset };
    let wire = draw_host(canvas, host, lab);
    let tester = Area { left: host.right + WIRE, right: whole.right - inset, ..host };
    draw_wire(canvas, (host.right - PADDING, tester.left), wire, &lab.wire);
    let title = if lab.has_pings { "tester: netperf, ping" } else { "tester: netperf" };
    draw_tester(canvas, tester, wire, (title, &lab.tester));
    Ok(())
}

/// The VM host with its guests and what they are attached to. Returns the height of the wire.
fn draw_host(canvas: &Canvas, host: Area, lab: &LabPicture) -> f64 {
    outline(canvas, host, Stroke::solid(INK, 2.0));
    let (left, right) = (host.left + PADDING, host.right - 2.0 * PADDING);
    let title = BOLD.shorten(&lab.host, right - left);
    let mut y = host.top + LINE;
    canvas.text("machine", &title, (left, y), Align::Left, (BOLD, INK));
    y += GAP;
    if !lab.guests.is_empty() {
        draw_guests(canvas, Area { left, right, top: y, bottom: y + GUEST_HEIGHT }, &lab.guests);
        y += GUEST_HEIGHT + 2.0 * GAP;
    }
    let first = y;
    for (index, lane) in lab.lanes.iter().enumerate() {
        draw_lane(canvas, Area { left, right, top: y, bottom: y + LANE_HEIGHT }, lane, index == 0);
        let out = y + LANE_HEIGHT / 2.0;
        canvas.path(&[(right, out), (host.right - PADDING, out)], Stroke::solid(AXIS, 2.0));
        y += LANE_HEIGHT + GAP;
    }
    canvas.text("note", &TEXT.shorten(&lab.note, right - left), (left, y + 12.0), Align::Left, (TEXT, GREY));
    let (from, to) = (first + LANE_HEIGHT / 2.0, y - GAP - LANE_HEIGHT / 2.0);
    canvas.path(&[(host.right - PADDING, from), (host.right - PADDING, to)], Stroke::solid(AXIS, 2.0));
    from
}

fn draw_guests(canvas: &Canvas, row: Area, guests: &[GuestBox]) {
    let pitch = row.width() / guests.len() as f64;
    for (index, guest) in guests.iter().enumerate() {
        let left = row.left + index as f64 * pitch;
        let area = Area { left, right: left + (pitch - GAP).min(260.0), ..row };
        let is_gap = guest.title == "…";
        let colour = if is_gap { FAINT } else { INK };
        outline(canvas, area, Stroke { colour, width: 2.0, dash: if is_gap { "3 4" } else { "" } });
        let width = area.width() - PADDING;
        let texts = [(&guest.title, BOLD), (&guest.lines[0], TEXT), (&guest.lines[1], TEXT)];
        for (line, (text, font)) in texts.into_iter().enumerate() {
            let at = (area.middle(), area.top + 6.0 + (line + 1) as f64 * LINE);
            canvas.text("guest", &font.shorten(text, width), at, Align::Middle, (font, INK));
        }
        if !is_gap {
            let down = [(area.middle(), area.bottom), (area.middle(), area.bottom + 2.0 * GAP)];
            canvas.path(&down, Stroke::solid(AXIS, 2.0));
        }
    }
}

fn draw_lane(canvas: &Canvas, area: Area, lane: &Lane, is_shown: bool) {
    let (colour, font) = if is_shown { (INK, BOLD) } else { (GREY, TEXT) };
    canvas.rectangle(area, FAINT, if is_shown { 0.7 } else { 0.25 });
    let middle = (area.top + area.bottom) / 2.0;
    canvas.centred("lane", lane.title, (area.left + PADDING, middle), Align::Left, (font, colour));
    let room = area.width() - 4.0 * PADDING - font.width(lane.title);
    let backends = TEXT.shorten(&lane.backends.join(", "), room);
    canvas.centred("backend", &backends, (area.right - PADDING, middle), Align::Right, (TEXT, colour));
}

/// The wire, with what it is above it.
fn draw_wire(canvas: &Canvas, (from, to): (f64, f64), y: f64, wire: &str) {
    canvas.path(&[(from, y), (to, y)], Stroke::solid(INK, 4.0));
    let left = from + 2.0 * PADDING;
    let lines = TEXT.wrap(wire, to - PADDING - left, 6);
    paragraph(canvas, "wire", &lines, (left, y - lines.len() as f64 * LINE - 4.0));
}

/// The tester, as high as its texts and the wire need.
fn draw_tester(canvas: &Canvas, column: Area, wire: f64, (title, tester): (&str, &str)) {
    let lines = TEXT.wrap(tester, column.width() - 2.0 * PADDING, 6);
    let (left, top) = (column.left + PADDING, column.top + LINE);
    let bottom = (top + lines.len() as f64 * LINE + PADDING).max(wire + 2.0 * PADDING);
    outline(canvas, Area { bottom, ..column }, Stroke::solid(INK, 2.0));
    canvas.text("machine", title, (left, top), Align::Left, (BOLD, INK));
    paragraph(canvas, "tester", &lines, (left, top + 4.0));
}

fn paragraph(canvas: &Canvas, class: &str, lines: &[String], (left, top): Point) {
    for (line, text) in lines.iter().enumerate() {
        let at = (left, top + (line + 1) as f64 * LINE - 4.0);
        canvas.text(class, text, at, Align::Left, (TEXT, GREY));
    }
}

fn outline(canvas: &Canvas, Area { left, right, top, bottom }: Area, stroke: Stroke) {
    canvas.path(&[(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], stroke);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{TrialFigures, fixture as figures};
    use crate::machine::login::{Location, Login, SshAddress};
    use crate::profile::{Configuration, Factor, Machines, WireNics};
    use crate::raw::{Accel, Check};
    use crate::report::chart::lab;
    use crate::report::fixture;

    /// The texts of the picture of a run over so many guests with these backends.
    fn texts(backends: &[&str], vms: u32, checks: &[(&str, &str)]) -> Vec<String> {
        let flows = vms.max(8);
        let planned = |backend: &&str| Configuration { flows, ..figures::configuration(backend, vms) };
        let plan: Vec<Configuration> = backends.iter().map(planned).collect();
        let rates = vec![100.0; vms.max(1) as usize];
        let mut raw = figures::numbered(figures::trial(plan[0].clone(), &rates), 1, 1);
        raw.checks.extend(checks.iter().map(|(what, found)| Check {
            what: (*what).into(),
            expected: (*found).into(),
            found: (*found).into(),
        }));
        let trials = vec![TrialFigures::compute(&raw, &figures::timing())];
        let experiment = fixture::experiment(plan, &[Factor::Backend]);
        let provenance = fixture::provenance(Accel::Kvm);
        let picture = lab(&Model::new(&experiment, &provenance, &trials)).unwrap().unwrap();
        let document = roxmltree::Document::parse(&picture.svg).unwrap();
        let texts = document.descendants().filter(|node| node.has_tag_name("text"));
        texts.filter_map(|node| Some(node.text()?.replace('\u{a0}', " "))).collect()
    }

    fn has(texts: &[String], wanted: &str) -> bool {
        texts.iter().any(|text| text.contains(wanted))
    }

    #[test]
    fn guests_stand_with_the_cpus_that_they_were_pinned_to() {
        let checks = [("guest 1: CPUs of vCPU 0", "2"), ("guest 1: CPUs of QEMU's other threads", "0-1")];
        let texts = texts(&["virtio"], 2, &checks);
        for wanted in ["guest 1", "on CPU 2", "not pinned", "QEMU's other threads on CPU 0-1", "Linux bridge"]
        {
            assert!(has(&texts, wanted), "{wanted}: {texts:?}");
        }
    }

    #[test]
    fn many_guests_are_drawn_as_few() {
        let texts = texts(&["virtio"], 32, &[]);
        assert!(has(&texts, "32 guests") && has(&texts, "guest 32") && !has(&texts, "guest 9"), "{texts:?}");
    }

    #[test]
    fn what_a_trial_was_attached_to_stands_before_what_others_were() {
        let texts = texts(&["ovs", "virtio", "e1000", "sr-iov"], 2, &[]);
        let place = |wanted: &str| texts.iter().position(|text| text == wanted);
        assert!(place("Open vSwitch") < place("Linux bridge") && has(&texts, "virtio, e1000"), "{texts:?}");
        assert!(has(&texts, "virtual functions of the NIC"), "{texts:?}");
    }

    #[test]
    fn a_veth_pair_is_not_taken_for_a_nic() {
        let texts = texts(&["virtio"], 1, &[]).join(" ");
        for wanted in ["veth pair", "no NIC was measured", "one machine", "network namespace"] {
            assert!(texts.contains(wanted), "{wanted}: {texts}");
        }
    }

    #[test]
    fn the_nics_of_a_hardware_lab_stand_on_its_wire_and_the_tester_is_a_machine_of_its_own() {
        let mut experiment =
            fixture::experiment(vec![figures::configuration("virtio", 2)], &[Factor::Backend]);
        let address = SshAddress { user: "root".into(), host: "tester.example".into(), port: 22 };
        let tester = Login { address, jump: None, identity: None };
        experiment.machines = Some(Machines { host: Location::Local, tester });
        let [host_dev, tester_dev] = ["enp65s0", "eth1"].map(str::to_owned);
        experiment.wire =
            Some(WireNics { host_dev, spare_devs: Vec::new(), vdpa_devs: Vec::new(), tester_dev });
        let provenance = fixture::provenance(Accel::Kvm);
        let svg = lab(&Model::new(&experiment, &provenance, &[])).unwrap().unwrap().svg;
        for wanted in ["enp65s0", "eth1", "tester.example", "as planned"] {
            assert!(svg.contains(wanted), "{wanted}");
        }
        assert!(!svg.contains("one machine") && !svg.contains("no NIC"));
    }
}
