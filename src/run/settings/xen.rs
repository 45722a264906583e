//! The scheduler of a Xen host for the run's guests: its cpupool, slice and ratelimit, weights, caps and pinning of the guests, and the
//! proof of all of them, from what Xen itself says.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};

use crate::backend::Side;
use crate::factor::quota::PERIOD_US;
use crate::factor::xen::XenScheduler;
use crate::host::xl::{self, Credit, PoolSchedule};
use crate::profile::Configuration;
use crate::profile::groups::{members, of_guest};
use crate::profile::pin::{Crowd, list};
use crate::raw::Check;
use crate::run::guest_check::check;
use crate::run::lab_session::LabSession;
use crate::run::xen_session::{DEFAULT, WantedGuest, XenSession};

/// Prints the pools, what the scheduler `$2` has of the guests in the pool `$1`, and the affinities of all vCPUs.
const SHOW: &str = r#"xl cpupool-list
echo '== guests'; xl "sched-$2" -p "$1"
echo '== vcpus'; xl vcpu-list"#;

/// Runs each argument as a command.
const EACH: &str = r#"for command; do sh -c "$command" || exit; done"#;

/// Makes the run's pool with the scheduler of a configuration, where it is not so already; no guest may be there then. Guests are
/// never moved from one pool to another while they run: that has crashed Xen 4.17.
///
/// # Errors
/// If Xen refuses, or its own pool has another scheduler.
pub(in crate::run) async fn prepare_pool(
    session: &mut LabSession,
    configuration: &Configuration,
) -> Result<()> {
    let wanted = configuration.xen.scheduler;
    let Some(xen) = session.xen.clone().filter(|xen| xen.made_for != Some(wanted)) else { return Ok(()) };
    if let Some(cpus) = &xen.own {
        session.lab.make_cpupool(cpus, wanted).await.context("failed to make the guests' cpupool")?;
    }
    let pools = session.lab.side(Side::Host).run(&["xl", "cpupool-list"]).await?.stdout;
    let found = xl::schedulers(&pools).remove(&xen.pool).unwrap_or_default();
    if wanted.is_some_and(|wanted| wanted.as_str() != found) {
        let wanted = wanted.map(XenScheduler::as_str).unwrap_or_default();
        bail!(
            "the scheduler of {} is {found}, not {wanted} (hint: boot Xen with sched={wanted} on its command line, or give the \
             guests a pool of their own: cpupool in [host])",
            xen.pool
        );
    }
    let scheduler = found.parse().with_context(|| format!("not supported: Xen's scheduler {found}"))?;
    session.xen = Some(XenSession { made_for: Some(wanted), scheduler, given: BTreeMap::new(), ..xen });
    Ok(())
}

/// Forgets what these guests had, which are gone.
pub(in crate::run) fn forget(session: &mut LabSession, names: impl Iterator<Item = String>) {
    if let Some(xen) = &mut session.xen {
        names.for_each(|name| drop(xen.given.remove(&name)));
    }
}

/// Takes the run's pool down; its guests must have ended.
///
/// # Errors
/// If it stays.
pub(in crate::run) async fn abandon_pool(session: &mut LabSession) -> Result<()> {
    let Some(xen) = &mut session.xen else { return Ok(()) };
    xen.made_for = None;
    Ok(session.lab.remove_cpupool().await?)
}

/// Sets everything that can be set while guests run.
///
/// # Errors
/// If Xen refuses.
pub(in crate::run) async fn apply(session: &mut LabSession, configuration: &Configuration) -> Result<()> {
    if session.xen.is_none() {
        return Ok(());
    }
    let guests = wanted(session, configuration);
    let commands = session.xen.as_mut().map(|xen| xen.commands(configuration, &guests)).unwrap_or_default();
    if commands.is_empty() {
        return Ok(());
    }
    let words = ["sh", "-c", EACH, "each"].map(str::to_owned).into_iter().chain(commands);
    let argv: Vec<String> = words.collect();
    session.lab.side(Side::Host).run(&argv).await.context("failed to set up Xen's scheduler")?;
    Ok(())
}

/// What every guest of a configuration is to have.
fn wanted(session: &LabSession, configuration: &Configuration) -> Vec<WantedGuest> {
    let groups = members(session.groups(), configuration);
    let Some(xen) = &session.xen else { return Vec::new() };
    let guests = (1..=configuration.vms).filter_map(|number| session.fleet.get(number));
    let one = |guest: &crate::guest::fleet::RunningGuest| {
        let cpu = of_guest(&groups, guest.number).map(|group| group.of_each()).unwrap_or_default();
        let quota = cpu.quota_us.map(|us| cap(us, configuration.vcpus));
        let credit =
            Credit { weight: cpu.shares.unwrap_or(DEFAULT.weight), cap: quota.unwrap_or(DEFAULT.cap) };
        let pins = pins(configuration, guest.number, xen.cpus());
        WantedGuest { guest: guest.number, name: guest.name.clone(), credit, pins }
    };
    guests.map(one).collect()
}

/// The cap of a guest each of whose vCPUs has so much of each 100 ms, % of one CPU.
fn cap(quota_us: u32, vcpus: u32) -> u32 {
    quota_us * vcpus / (PERIOD_US / 100)
}

/// The CPUs of each vCPU; empty if they are not pinned.
fn pins(configuration: &Configuration, guest: u32, cpus: &BTreeSet<u32>) -> Vec<String> {
    let Some(pin) = &configuration.pin else { return Vec::new() };
    let Configuration { vms: guests, vcpus, .. } = *configuration;
    let crowd = || Crowd { guests, vcpus, cpus };
    (0..vcpus).map(|vcpu| list(&pin.cpus(guest, vcpu, crowd()))).collect()
}

/// Reads everything back, as facts that have to hold; `when` follows what each is about.
pub(in crate::run) async fn checks(
    session: &LabSession,
    configuration: &Configuration,
    when: &str,
) -> Vec<Check> {
    let Some(xen) = &session.xen else { return Vec::new() };
    let argv = ["sh", "-c", SHOW, "show", &xen.pool, xen.scheduler.as_str()];
    let shown = session.lab.side(Side::Host).run(&argv).await.map(|output| output.stdout).unwrap_or_default();
    let checks = seen(&shown, xen, configuration, &wanted(session, configuration)).into_iter();
    checks.map(|check| Check { what: format!("{}{when}", check.what), ..check }).collect()
}

/// Pure part of [`checks`].
fn seen(shown: &str, xen: &XenSession, configuration: &Configuration, guests: &[WantedGuest]) -> Vec<Check> {
    let (pools, rest) = shown.split_once("== guests\n").unwrap_or((shown, ""));
    let (schedule, vcpus) = rest.split_once("== vcpus\n").unwrap_or((rest, ""));
    let (schedule, affinities) = (PoolSchedule::parse(schedule), xl::affinities(vcpus));
    let mut checks = of_pool(&xl::schedulers(pools), &schedule, xen, configuration);
    for WantedGuest { guest, name, credit, pins } in guests {
        let found = schedule.guests.get(name);
        checks.push(check(*guest, "cpupool", &xen.pool, found.map(|_| &xen.pool)));
        checks.push(check(*guest, "weight", credit.weight, found.map(|found| found.weight)));
        checks.push(check(
            *guest,
            "cap",
            format!("{} %", credit.cap),
            found.map(|found| format!("{} %", found.cap)),
        ));
        let all = list(&xen.host_cpus);
        for (vcpu, cpus) in (0..).zip(pins) {
            let found = affinities.get(name).and_then(|of_guest| of_guest.get(&vcpu));
            let found = found.map(|cpus| if cpus == "all" { &all } else { cpus });
            checks.push(check(*guest, &format!("CPUs of vCPU {vcpu}"), cpus, found));
        }
    }
    checks
}

fn of_pool(
    pools: &BTreeMap<String, String>,
    schedule: &PoolSchedule,
    xen: &XenSession,
    configuration: &Configuration,
) -> Vec<Check> {
    let fact = |what: &str, expected: String, found: Option<String>| Check {
        what: format!("host: {what} of {}", xen.pool),
        expected,
        found: found.unwrap_or_else(|| "nothing".into()),
    };
    let expected = configuration.xen;
    let scheduler = Some(expected.scheduler.unwrap_or(xen.scheduler))
        .map(|wanted| fact("scheduler", wanted.to_string(), pools.get(&xen.pool).cloned()));
    let ms = |ms: u32| format!("{ms} ms");
    let us = |us: u32| format!("{us} µs");
    let slice = expected.slice_ms.map(|wanted| fact("slice", ms(wanted), schedule.slice_ms.map(ms)));
    let ratelimit =
        expected.ratelimit_us.map(|wanted| fact("ratelimit", us(wanted), schedule.ratelimit_us.map(us)));
    [scheduler, slice, ratelimit].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factor::xen::XenSettings;

    const SHOWN: &str = "Name               CPUs   Sched     Active   Domain count\n\
        Pool-0               1   credit2       y          1\nkf-abc234            1    credit       y          2\n\
        == guests\nCpupool kf-abc234: tslice=5ms ratelimit=700us migration-delay=0us\n\
        Name                                ID Weight  Cap\n\
        kf-abc234-g1                         1    512   30\nkf-abc234-g2                         2    256    0\n\
        == vcpus\n\
        Name                                ID  VCPU   CPU State   Time(s) Affinity (Hard / Soft)\n\
        Domain-0                             0     0    0   r--      45.1  0 / all\n\
        kf-abc234-g1                         1     0    1   -b-      17.2  1 / all\n\
        kf-abc234-g2                         2     0    1   r--      40.2  all / all\n";

    fn session() -> XenSession {
        XenSession {
            pool: "kf-abc234".into(),
            host_cpus: BTreeSet::from([0, 1]),
            own: Some(BTreeSet::from([1])),
            made_for: Some(Some(XenScheduler::Credit)),
            scheduler: XenScheduler::Credit,
            given: BTreeMap::new(),
        }
    }

    fn configuration() -> Configuration {
        let xen =
            XenSettings { scheduler: Some(XenScheduler::Credit), slice_ms: Some(5), ratelimit_us: Some(700) };
        Configuration { vms: 2, xen, pin: Some("1".parse().unwrap()), ..Configuration::default() }
    }

    fn guest(guest: u32, credit: Credit, cpus: &str) -> WantedGuest {
        WantedGuest { guest, name: format!("kf-abc234-g{guest}"), credit, pins: vec![cpus.to_owned()] }
    }

    fn guests() -> Vec<WantedGuest> {
        vec![guest(1, Credit { weight: 512, cap: 30 }, "1"), guest(2, DEFAULT, "0-1")]
    }

    #[test]
    fn everything_that_xen_shows_as_it_was_asked_for_holds() {
        let checks = seen(SHOWN, &session(), &configuration(), &guests());
        assert!(checks.iter().all(Check::holds), "{checks:?}");
        assert_eq!(checks.len(), 3 + 2 * 4);
    }

    #[test]
    fn each_fact_that_is_another_one_is_found_out() {
        for (there, instead, what) in [
            ("1    credit ", "1   credit2 ", "host: scheduler of kf-abc234"),
            ("tslice=5ms", "tslice=30ms", "host: slice of kf-abc234"),
            ("ratelimit=700us", "ratelimit=1000us", "host: ratelimit of kf-abc234"),
            ("1    512   30", "1    256   30", "guest 1: weight"),
            ("1    512   30", "1    512    0", "guest 1: cap"),
            ("1   -b-      17.2  1 / all", "1   -b-      17.2  0 / all", "guest 1: CPUs of vCPU 0"),
            ("40.2  all / all", "40.2  1 / all", "guest 2: CPUs of vCPU 0"),
        ] {
            assert!(SHOWN.contains(there), "{there}");
            let checks = seen(&SHOWN.replacen(there, instead, 1), &session(), &configuration(), &guests());
            let broken: Vec<&str> = checks.iter().filter(|c| !c.holds()).map(|c| c.what.as_str()).collect();
            assert_eq!(broken, [what]);
        }
    }

    #[test]
    fn a_guest_in_another_pool_and_a_silent_xen_prove_nothing() {
        let gone = SHOWN.replace("kf-abc234-g2                         2    256    0\n", "");
        let checks = seen(&gone, &session(), &configuration(), &guests());
        let broken: Vec<&str> = checks.iter().filter(|c| !c.holds()).map(|c| c.what.as_str()).collect();
        assert_eq!(broken, ["guest 2: cpupool", "guest 2: weight", "guest 2: cap"]);
        assert!(!seen("", &session(), &configuration(), &guests()).iter().any(Check::holds));
    }

    #[test]
    fn a_guest_is_given_only_what_it_has_not() {
        let mut xen = session();
        let first = xen.commands(&configuration(), &guests());
        assert_eq!(
            first,
            [
                "xl sched-credit -p kf-abc234 -s -t 5 -r 700",
                "xl sched-credit -d kf-abc234-g1 -w 512 -c 30",
                "xl vcpu-pin kf-abc234-g1 0 1",
                "xl vcpu-pin kf-abc234-g2 0 0-1"
            ]
        );
        assert_eq!(xen.commands(&Configuration::default(), &guests()), Vec::<String>::new());
        let lifted = [guest(1, DEFAULT, "1")];
        assert_eq!(
            xen.commands(&Configuration::default(), &lifted),
            ["xl sched-credit -d kf-abc234-g1 -w 256 -c 0"]
        );
    }

    #[test]
    fn a_quota_of_each_vcpu_is_a_cap_of_the_whole_guest() {
        assert_eq!((cap(25_000, 1), cap(100_000, 2)), (25, 200));
    }
}
