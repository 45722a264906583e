//! A command on a channel of an SSH session, however long it is.

use std::io::Write;

use ssh2::Channel;

use super::command::as_typed;

/// The longest command that a server is asked for, bytes; dropbear closes the connection at one of more than 9,000.
const LONGEST_COMMAND: usize = 8000;

/// Starts a command on a new channel of a blocking session. A long one is the first that its shell reads.
pub(super) fn execute_on(channel: &mut Channel, command: &str) -> std::io::Result<()> {
    if command.len() <= LONGEST_COMMAND {
        return Ok(channel.exec(command)?);
    }
    // Byte by byte: what follows is the command's own.
    let reader = format!("eval \"$(dd bs=1 count={} 2>/dev/null)\"", command.len());
    channel.exec(&as_typed(&["exec", "sh", "-c", &reader]))?;
    channel.write_all(command.as_bytes())
}
