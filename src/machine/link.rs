//! One channel of an SSH session and its local sockets: bytes from one to the other, without waiting for either.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use nix::poll::{PollFd, PollFlags};
use ssh2::{Channel, Session};
use tokio::sync::oneshot;

/// Bytes that are held for a side that does not take them yet.
const HELD: usize = 32 << 10;
/// For a channel to close.
const CLOSE_MS: u32 = 5_000;

/// One channel and its local ends.
pub(super) struct Link {
    channel: Channel,
    local: UnixStream,
    stderr: UnixStream,
    status: Option<oneshot::Sender<i32>>,
    to_remote: Vec<u8>,
    to_local: Vec<u8>,
    to_stderr: Vec<u8>,
    /// The local side sends nothing more.
    local_eof: bool,
    /// That end has been sent to the remote side.
    eof_sent: bool,
    /// The remote side sends nothing more.
    remote_eof: bool,
    /// The local side reads nothing more.
    reader_gone: bool,
}

/// The result of one attempt to move bytes.
enum Moved {
    Some,
    NotYet,
    /// End of file.
    End,
    /// The side is broken.
    Broken,
}

impl Link {
    pub(super) fn new(
        channel: Channel,
        local: UnixStream,
        stderr: UnixStream,
        status: oneshot::Sender<i32>,
    ) -> std::io::Result<Link> {
        local.set_nonblocking(true)?;
        stderr.set_nonblocking(true)?;
        Ok(Link {
            channel,
            local,
            stderr,
            status: Some(status),
            to_remote: Vec::new(),
            to_local: Vec::new(),
            to_stderr: Vec::new(),
            local_eof: false,
            eof_sent: false,
            remote_eof: false,
            reader_gone: false,
        })
    }

    /// Moves what can be moved; whether anything was.
    pub(super) fn pass(&mut self) -> bool {
        let out = self.outwards();
        let back = self.inwards();
        out || back
    }

    fn outwards(&mut self) -> bool {
        let mut moved = false;
        if self.to_remote.is_empty() && !self.local_eof {
            match fill(&mut self.local, &mut self.to_remote) {
                Moved::Some => moved = true,
                Moved::NotYet => {}
                Moved::End | Moved::Broken => self.local_eof = true,
            }
        }
        match empty(&mut self.channel, &mut self.to_remote) {
            Moved::Some => moved = true,
            Moved::NotYet | Moved::End => {}
            Moved::Broken => {
                self.to_remote.clear(); // its remaining output is read below
                self.local_eof = true;
            }
        }
        if self.local_eof && self.to_remote.is_empty() && !self.eof_sent {
            // No answer is awaited: once the reader is gone, the channel is closed below.
            self.eof_sent = !matches!(self.channel.send_eof(), Err(error) if again(&error));
        }
        moved
    }

    fn inwards(&mut self) -> bool {
        let mut moved = false;
        if self.to_local.is_empty() && !self.remote_eof {
            match fill(&mut self.channel, &mut self.to_local) {
                Moved::Some => moved = true,
                Moved::NotYet => {}
                Moved::End => self.remote_eof |= self.channel.eof(),
                Moved::Broken => self.remote_eof = true,
            }
        }
        if self.to_stderr.is_empty() {
            moved |= matches!(fill(&mut self.channel.stderr(), &mut self.to_stderr), Moved::Some);
        }
        for (socket, bytes) in
            [(&mut self.local, &mut self.to_local), (&mut self.stderr, &mut self.to_stderr)]
        {
            match empty(socket, bytes) {
                Moved::Some => moved = true,
                Moved::NotYet | Moved::End => {}
                Moved::Broken => {
                    bytes.clear(); // discarded, so that the process does not stall
                    self.reader_gone = true;
                }
            }
        }
        moved
    }

    /// Whether both sides have sent everything; then the channel is closed and its status sent.
    pub(super) fn over(&mut self, session: &Session) -> bool {
        let all_received = self.remote_eof && self.to_local.is_empty() && self.to_stderr.is_empty();
        let is_abandoned = self.reader_gone && self.eof_sent;
        if !(all_received || is_abandoned) {
            return false;
        }
        let _ = self.local.shutdown(Shutdown::Write);
        let _ = self.stderr.shutdown(Shutdown::Write);
        session.set_blocking(true);
        session.set_timeout(CLOSE_MS);
        let _ = self.channel.close();
        if all_received {
            let _ = self.channel.wait_close();
        }
        let signalled = self.channel.exit_signal().is_ok_and(|signal| signal.exit_signal.is_some());
        let status = if signalled { 137 } else { self.channel.exit_status().unwrap_or(255) };
        session.set_blocking(false);
        if let Some(sender) = self.status.take() {
            let _ = sender.send(status); // the receiver may be gone
        }
        true
    }

    /// The local sockets and the events to wait for.
    pub(super) fn waits_for(&self) -> impl Iterator<Item = PollFd<'_>> {
        let mut wanted = PollFlags::empty();
        wanted.set(PollFlags::POLLIN, self.to_remote.is_empty() && !self.local_eof);
        wanted.set(PollFlags::POLLOUT, !self.to_local.is_empty());
        let local = (!wanted.is_empty()).then(|| PollFd::new(self.local.as_fd(), wanted));
        let full = !self.to_stderr.is_empty();
        local.into_iter().chain(full.then(|| PollFd::new(self.stderr.as_fd(), PollFlags::POLLOUT)))
    }
}

fn again(error: &ssh2::Error) -> bool {
    std::io::Error::from(ssh2::Error::new(error.code(), "")).kind() == ErrorKind::WouldBlock
}

fn fill(from: &mut impl Read, bytes: &mut Vec<u8>) -> Moved {
    let mut held = vec![0; HELD]; // zeroed by the allocator: filling a kept buffer anew costs more at each poll
    let read = from.read(&mut held);
    held.truncate(read.as_ref().copied().unwrap_or(0));
    *bytes = held;
    match read {
        Ok(0) => Moved::End,
        Ok(_) => Moved::Some,
        Err(error) if error.kind() == ErrorKind::WouldBlock => Moved::NotYet,
        Err(_) => Moved::Broken,
    }
}

fn empty(to: &mut impl Write, bytes: &mut Vec<u8>) -> Moved {
    if bytes.is_empty() {
        return Moved::NotYet;
    }
    match to.write(bytes) {
        Ok(0) => Moved::NotYet,
        Ok(written) => {
            bytes.drain(..written);
            Moved::Some
        }
        Err(error) if error.kind() == ErrorKind::WouldBlock => Moved::NotYet,
        Err(_) => Moved::Broken,
    }
}
