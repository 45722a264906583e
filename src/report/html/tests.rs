use super::*;
use crate::figures::{SummaryRow, TrialFigures, summarise};
use crate::profile::{Configuration, Factor};
use crate::report::chart::{charts, lab};
use crate::report::{Model, fixture};

fn page(underway: Option<Underway>) -> String {
    let (experiment, provenance, trials) = fixture::run();
    rendered(&Model::new(&experiment, &provenance, &trials), underway)
}

fn rendered(model: &Model, underway: Option<Underway>) -> String {
    let charts: Vec<Chart> = charts(model).unwrap().into_iter().chain(lab(model).unwrap()).collect();
    report(&Document::new(model), &charts, underway)
}

/// The contrast of two colours of a theme, `#rrggbb` each (WCAG 2).
fn contrast(one: &str, other: &str) -> f64 {
    let luminance = |colour: &str| {
        let part = |place: usize| {
            let part = f64::from(u8::from_str_radix(&colour[place..place + 2], 16).unwrap()) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055_f64).powf(2.4) }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    };
    let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
    one.max(other) / one.min(other)
}

/// The themes of the style sheet, light and dark: the value of a variable in each.
fn themes(variable: &str) -> Vec<&'static str> {
    let rules = STYLE.split(":root{").skip(1);
    let values = rules.filter_map(|rule| rule.split_once(&format!("--{variable}:")));
    values.map(|(_, rest)| &rest[..7]).collect()
}

#[test]
fn every_text_of_both_themes_has_the_contrast_of_wcag_aa() {
    for text in ["ink", "grey", "link", "alert"] {
        for background in ["paper", "shade"] {
            let pairs: Vec<(&str, &str)> = themes(text).into_iter().zip(themes(background)).collect();
            assert_eq!(pairs.len(), 2, "{text}");
            for (text, background) in pairs {
                assert!(contrast(text, background) >= 4.5, "{text} on {background}");
            }
        }
    }
}

#[test]
fn the_page_needs_nothing_but_itself() {
    let page = page(None);
    for outside in ["src=", "@import", "<link", "url(http", "fetch("] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(SCRIPT.len() <= 5 * 1024, "{}", SCRIPT.len());
}

#[test]
fn a_browser_reads_the_page_again_only_while_the_run_goes_on() {
    let page_underway = page(Some(Underway { done: 3, planned: 9 }));
    assert!(page_underway.contains("http-equiv=\"refresh\"") && page_underway.contains("3 of 9 trials"));
    assert!(!page(None).contains("refresh"));
}

#[test]
fn headings_descend_in_order_and_every_table_and_chart_is_described() {
    let page = page(None);
    let levels: Vec<usize> = (1..=6).map(|level| page.matches(&format!("<h{level}")).count()).collect();
    assert!(levels[0] == 1 && levels[1] > 5 && levels[2..].iter().all(|count| *count == 0), "{levels:?}");
    assert_eq!(page.matches("<table>").count(), page.matches("<table><caption>").count());
    let described = page.matches("role=\"img\" aria-label=\"").count();
    assert_eq!((page.matches("<svg ").count(), page.matches("<desc>").count()), (described, described));
    assert!(described > 3);
}

#[test]
fn whatever_a_profile_and_a_guest_are_called_stays_a_text() {
    let (mut experiment, mut provenance, mut trials) = fixture::run();
    let evil = "</title><script>alert(1)</script><img src=x onerror=\"alert(2)\">";
    experiment.name = evil.into();
    experiment.description = evil.into();
    provenance.host_cpu = evil.into();
    provenance.run = format!("run' {evil}");
    for trial in &mut trials {
        if let crate::figures::Outcome::Failed { cause, .. } = &mut trial.outcome {
            *cause = evil.into();
        }
    }
    let page = rendered(&Model::new(&experiment, &provenance, &trials), None);
    assert_eq!(page.matches("<script>").count(), 1, "our own");
    assert!(!page.contains("<img"));
    assert!(page.contains("&lt;script&gt;alert(1)"));
}

#[test]
fn no_two_elements_have_the_same_id() {
    let page = page(None);
    let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let each: std::collections::BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(each.len(), ids.len(), "{ids:?}");
}

#[test]
fn what_is_too_large_is_linked() {
    let (experiment, provenance, trials) = fixture::run();
    let model = Model::new(&experiment, &provenance, &trials);
    let chart = |number: u32, svg: String| Chart {
        name: format!("chart-{number}"),
        title: format!("Chart {number}"),
        description: String::new(),
        svg,
    };
    let many: Vec<Chart> = (0..300).map(|number| chart(number, "<svg></svg>".repeat(10_000))).collect();
    let page = report(&Document::new(&model), &many, None);
    assert!(page.len() < 1_000_000, "{}", page.len());
    assert!(page.contains("charts/chart-9.svg") && page.contains(" more in "));
    let [large, small] = [chart(1, "<svg></svg>".repeat(100_000)), chart(2, "<svg>small</svg>".into())];
    let page = report(&Document::new(&model), &[large, small], None);
    assert!(page.contains("charts/chart-1.svg") && page.contains("<svg>small</svg>"));
}

#[test]
fn the_page_of_ten_thousand_trials_is_smaller_than_a_megabyte() {
    let (mut experiment, provenance, few) = fixture::run();
    let of_mtu = |mtu: u32| {
        let configurations = experiment.configurations.iter();
        configurations.map(move |one| Configuration { mtu: 1000 + mtu, ..one.clone() }).collect::<Vec<_>>()
    };
    experiment.configurations = (0..400).flat_map(of_mtu).collect();
    experiment.factors.push(Factor::Mtu);
    let rows = Model::new(&experiment, &provenance, &few).rows;
    let measured = summarise(&fixture::run().0.configurations, &few);
    let measured = |(place, row): (usize, SummaryRow)| SummaryRow {
        configuration: row.configuration,
        ..measured[place % measured.len()].clone()
    };
    let rows: Vec<SummaryRow> = rows.into_iter().enumerate().map(measured).collect();
    let trials: Vec<TrialFigures> = few.iter().cycle().take(10_000).cloned().collect();
    let model = Model { trials: &trials, ..fixture::model(&experiment, &provenance, rows) };
    let page = rendered(&model, None);
    assert!((200_000..1_000_000).contains(&page.len()), "{}", page.len());
    assert!(page.contains("more rows (see "), "all of it fits");
}
