//! Work on many things by all CPUs at once, whose results are used in the order of the things.

use std::sync::mpsc::sync_channel;
use std::thread;

/// Results of each CPU that wait to be used: so many are in memory.
const OF_EACH_CPU: usize = 16;

/// Calls `work` for each thing on some thread, and `then` with each result on this one.
///
/// # Errors
/// The first that `then` returns.
pub(super) fn in_order<'t, T: Sync, R: Send, E>(
    things: &'t [T],
    work: impl Fn(&'t T) -> R + Sync,
    mut then: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    let cpus = thread::available_parallelism().map_or(1, usize::from).min(things.len()).max(1);
    let work = &work;
    thread::scope(|scope| {
        let start = |first| {
            let (sender, receiver) = sync_channel(OF_EACH_CPU);
            let mut own = things.iter().skip(first).step_by(cpus);
            scope.spawn(move || own.try_for_each(|thing| sender.send(work(thing)))); // until nobody wants more
            receiver
        };
        let receivers: Vec<_> = (0..cpus).map(start).collect();
        // One that sends nothing has panicked: so will the scope.
        let results = receivers.iter().cycle().take(things.len()).map_while(|receiver| receiver.recv().ok());
        results.into_iter().try_for_each(&mut then)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_things_until_one_is_refused() {
        let things: Vec<u32> = (0..1000).collect();
        let mut seen = Vec::new();
        let ended = in_order(
            &things,
            |thing| thing * 2,
            |double| {
                seen.push(double);
                if double == 1200 { Err("enough") } else { Ok(()) }
            },
        );
        assert_eq!((ended, seen.len(), seen[600]), (Err("enough"), 601, 1200));
    }
}
