//! Work on many things by all CPUs at once, whose results are used in the order of the things.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Things for each CPU between two moments in which all wait for each other: results of so many are in memory.
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
    let cpus = thread::available_parallelism().map_or(1, usize::from);
    for chunk in things.chunks(OF_EACH_CPU * cpus) {
        let next = AtomicUsize::new(0);
        let own = || {
            let places = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)));
            places.map_while(|place| Some((place, work(chunk.get(place)?)))).collect::<Vec<_>>()
        };
        let mut results = thread::scope(|scope| {
            let threads: Vec<_> = (1..cpus.min(chunk.len())).map(|_| scope.spawn(own)).collect();
            let mut results = own();
            for thread in threads {
                results.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            results
        });
        results.sort_by_key(|(place, _)| *place);
        results.into_iter().try_for_each(|(_, result)| then(result))?;
    }
    Ok(())
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
