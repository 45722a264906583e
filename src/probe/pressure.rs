//! How long guests' control groups waited for a CPU, as the kernel counts it (PSI). Pure.

/// `sh -c SCRIPT pressure PID...`
pub const SCRIPT: &str = include_str!("pressure.sh");

/// What the script printed: QEMU's process, and the time since its group was made in which something in it waited, s.
pub fn pressure(output: &str) -> Vec<(i32, f64)> {
    let line = |line: &str| {
        let (pid, total_us) = line.split_once(' ')?;
        Some((pid.parse().ok()?, total_us.trim().parse::<u64>().ok()? as f64 / 1e6))
    };
    output.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microseconds_become_seconds_and_noise_is_passed_over() {
        assert_eq!(pressure("4711 2500000\nnoise\n4800 x\n"), [(4711, 2.5)]);
    }
}
