//! The load of a trial for a moment, before any trial: whether netperf or ping answers over the path under test, and whether it
//! prints what the figures need.

use std::time::Duration;

use super::command::{FlowSpec, missing_selectors};
use super::error::LoadError;
use super::flows::Load;
use super::launcher::FailedFlow;
use super::parse;
use crate::machine::Machine;
use crate::raw::RawFlow;

/// How long each flow runs in each attempt: a path with long round trips, or a machine that freezes for seconds, transfers or
/// prints nothing in the first ones.
const LENGTHS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(4), Duration::from_secs(15)];

/// Between two interim results.
const INTERVAL: Duration = Duration::from_millis(200);

/// For the end of a netperf beyond its length. A path that drops packets shows only in that nothing arrives.
const PATIENCE: Duration = Duration::from_secs(5);

/// A netperf that is no longer controlled ends by itself after this time.
const MAX: Duration = Duration::from_secs(60);

/// Runs flows for a second; if that fails or prints too little, for longer.
///
/// # Errors
/// [`LoadError`] if a flow fails, transfers nothing, or prints less than the figures need.
pub async fn rehearse(tester: &Machine, flows: &[FlowSpec]) -> Result<(), LoadError> {
    let mut outcome = Ok(());
    for length in LENGTHS {
        outcome = attempt(tester, &lasting(flows, length), length).await;
        if !outcome.as_ref().is_err_and(may_pass) {
            break;
        }
    }
    outcome
}

/// Whether another attempt may succeed. netserver's own timer resets the connection of a netperf that a frozen machine starts late.
fn may_pass(error: &LoadError) -> bool {
    use LoadError::{Ended, Failed, Late, Unsuitable};
    matches!(error, Late { .. } | Failed { .. } | Ended { .. } | Unsuitable(_))
}

fn lasting(flows: &[FlowSpec], length: Duration) -> Vec<FlowSpec> {
    let short = |flow: &FlowSpec| FlowSpec {
        interval: INTERVAL,
        settle: Duration::ZERO,
        length: Some(length),
        ..flow.clone()
    };
    flows.iter().map(short).collect()
}

async fn attempt(tester: &Machine, flows: &[FlowSpec], length: Duration) -> Result<(), LoadError> {
    let mut load = Load::start(tester, flows, length + PATIENCE, MAX).await?;
    load.wait_running().await.map_err(|error| without_interim_results(error, length))?;
    let transcript = load.stop().await?;
    let results = parse::flows(&transcript, flows);
    flows.iter().zip(&results).try_for_each(|(flow, result)| accept(flow, result))
}

/// A netperf that ends well before its first interim result has transferred nothing, or prints no interim results at all.
fn without_interim_results(error: LoadError, length: Duration) -> LoadError {
    let LoadError::Failed { program, failed, started } = error else { return error };
    if failed.iter().any(|flow| flow.status != 0) {
        return LoadError::Failed { program, failed, started };
    }
    let idle: Vec<u32> = failed.iter().filter(|flow| !transferred(flow)).map(|flow| flow.flow).collect();
    if idle.is_empty() {
        return LoadError::Unsuitable("prints no interim results (it is built without --enable-demo)".into());
    }
    LoadError::Late { flows: idle, started, deadline: length }
}

/// Whether the final result of a flow has a throughput.
fn transferred(flow: &FailedFlow) -> bool {
    let throughput = flow.message.split(' ').find_map(|word| word.strip_prefix("THROUGHPUT="));
    throughput.and_then(|number| number.parse::<f64>().ok()).is_some_and(|number| number > 0.0)
}

/// Whether a flow has all that the figures need. Pure.
fn accept(flow: &FlowSpec, result: &RawFlow) -> Result<(), LoadError> {
    if result.exit_code != Some(0) {
        let (status, message) = (result.exit_code.unwrap_or(-1), result.messages.replace('\n', " "));
        let (program, flow) = (flow.test.program(), FailedFlow { flow: flow.flow, status, message });
        return Err(LoadError::Ended { program, flow });
    }
    if flow.test.is_ping() {
        return if result.round_trips.is_empty() { Err(LoadError::UnsuitablePing) } else { Ok(()) };
    }
    let missing = missing_selectors(result);
    if !missing.is_empty() {
        return Err(LoadError::Unsuitable(format!("does not report {}", missing.join(", "))));
    }
    let number = |key: &str| result.result.get(key).and_then(|text| text.parse::<f64>().ok()).unwrap_or(-1.0);
    if !flow.test.is_stream() && number("P50_LATENCY") < 0.0 {
        let cause = "reports no percentiles of latency (it is built without --enable-histogram)";
        return Err(LoadError::Unsuitable(cause.into()));
    }
    if number("LOCAL_SEND_CALLS") > 0.0 && number("REMOTE_RECV_CALLS") <= 0.0 {
        return Err(LoadError::OneWay { flow: flow.flow, test: flow.test });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::command::SELECTORS;
    use crate::profile::PingSettings;
    use crate::profile::Test;
    use crate::raw::RoundTrip;

    fn verdict(test: Test, change: impl Fn(&mut RawFlow)) -> String {
        let mut result = RawFlow {
            flow: 1,
            guest: 1,
            intervals: vec![],
            result: SELECTORS.map(|key| (key.to_owned(), "1".to_owned())).into(),
            exit_code: Some(0),
            messages: String::new(),
            round_trips: vec![],
        };
        change(&mut result);
        let address = std::net::IpAddr::from([198, 18, 0, 2]);
        let flow = FlowSpec {
            flow: 1,
            guest: 1,
            control: address,
            data: address,
            test,
            request_bytes: 1,
            response_bytes: 1,
            message_bytes: 1,
            burst: 0,
            ping: PingSettings::default(),
            send_buffer_bytes: None,
            interval: INTERVAL,
            settle: Duration::ZERO,
            length: None,
        };
        accept(&flow, &result).map_or_else(|error| error.to_string(), |()| "accepted".into())
    }

    #[test]
    fn a_ping_is_accepted_with_an_answer_that_has_a_time() {
        let answered = RoundTrip { sequence: 1, answered_s: 1e9, rtt_us: 100.0 };
        assert_eq!(verdict(Test::PING, |flow| flow.round_trips = vec![answered]), "accepted");
        assert!(verdict(Test::PING, |_| ()).contains("install ping of iputils"));
        let failed = verdict(Test::PING, |flow| flow.exit_code = Some(2));
        assert!(failed.starts_with("ping of flow 1 ended with status 2"), "{failed}");
    }

    fn set(key: &'static str, value: &'static str) -> impl Fn(&mut RawFlow) {
        move |flow| drop(flow.result.insert(key.into(), value.into()))
    }

    #[test]
    fn a_complete_result_is_accepted_and_one_that_lacks_fields_names_them() {
        assert_eq!(verdict(Test::TCP_RR, |_| ()), "accepted");
        let lacks = verdict(Test::TCP_RR, |flow| drop(flow.result.remove("P99_LATENCY")));
        assert!(lacks.starts_with("netperf on the tester does not report P99_LATENCY (hint: "), "{lacks}");
    }

    #[test]
    fn transactions_need_a_histogram_and_streams_do_not() {
        let without = set("P50_LATENCY", "-1");
        assert!(verdict(Test::UDP_RR, &without).contains("--enable-histogram"));
        assert_eq!(verdict(Test::TCP_STREAM, &without), "accepted");
    }

    #[test]
    fn datagrams_that_never_arrive_are_a_failure_although_netperf_ends_well() {
        let lost = verdict(Test::UDP_STREAM, set("REMOTE_RECV_CALLS", "0"));
        assert_eq!(lost, "flow 1 (UDP_STREAM) sent data, and the other end received none");
        let from_guest = |flow: &mut RawFlow| {
            set("LOCAL_SEND_CALLS", "0")(flow);
            set("REMOTE_RECV_CALLS", "0")(flow);
        };
        assert_eq!(verdict(Test::TCP_MAERTS, from_guest), "accepted");
    }

    #[test]
    fn a_netperf_that_ends_with_an_error_is_reported_in_its_own_words() {
        let failed = verdict(Test::TCP_RR, |flow| {
            flow.exit_code = Some(1);
            flow.messages = "recv_data failed:\nConnection reset by peer".into();
        });
        assert_eq!(
            failed,
            "netperf of flow 1 ended with status 1: recv_data failed: Connection reset by peer"
        );
    }

    #[test]
    fn a_netperf_that_ends_without_interim_results_lacks_demo_mode_only_if_it_transferred_something() {
        let error = |status, message: &str| {
            let failed = vec![FailedFlow { flow: 1, status, message: message.into() }];
            let program = "netperf";
            without_interim_results(LoadError::Failed { program, failed, started: 1 }, LENGTHS[0]).to_string()
        };
        let built = error(0, "THROUGHPUT=30723.23 THROUGHPUT_UNITS=Trans/s");
        assert!(built.contains("--enable-demo"), "{built}");
        let dropped = error(0, "THROUGHPUT=0.00 THROUGHPUT_UNITS=Trans/s");
        assert_eq!(dropped, "flows [1] of 1 transferred nothing within 1 s");
        let failed = error(255, "establish control");
        assert!(failed.contains("establish control"), "{failed}");
    }
}
