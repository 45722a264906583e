//! Channels of one SSH session as local sockets, moved by one thread that owns the session.
//!
//! A process over SSH, a connection through a jump host and a connection to a guest are all the same here: bytes between
//! a channel and a socket pair. An ssh2 session is not blocking here, and only this thread uses it.

use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::SigSet;
use ssh2::{BlockDirections, Channel, Session};
use tokio::sync::oneshot;

use super::exec::execute_on;
use super::link::Link;
use super::login::SshAddress;
use super::ssh_error::SshError;

/// The longest time that a packet may wait which came for one channel while another was read.
const NAP_MS: u16 = 20;
/// Between two checks, without any channel, whether one is requested.
const IDLE_MS: u16 = 500;
/// For opening a channel; all others wait meanwhile.
const OPEN: Duration = Duration::from_secs(20);

/// What a channel leads to.
pub(super) enum Target {
    /// A connection from the other machine to a TCP port.
    Tcp(String, u16),
    /// A connection from the other machine to a socket in its file system.
    Socket(String),
    /// A process on the other machine.
    Process(String),
}

/// The local ends of a channel.
pub(super) struct ProcessEnds {
    /// Both directions; of a process its standard input and output.
    pub stream: UnixStream,
    /// A process's standard error.
    pub stderr: UnixStream,
    /// A process's exit status; 128 + 9 if a signal ended it.
    pub status: oneshot::Receiver<i32>,
}

struct PumpOrder {
    target: Target,
    /// The local end, if the caller has one already.
    local: Option<UnixStream>,
    reply: SyncSender<std::io::Result<ProcessEnds>>,
}

/// A handle of the thread of a session; the session ends with its last clone and its last channel.
#[derive(Clone, Debug)]
pub struct Tunnel {
    orders: Sender<PumpOrder>,
    wake: std::sync::Arc<UnixStream>,
}

impl Tunnel {
    /// Hands a session over to a thread of its own.
    ///
    /// # Errors
    /// [`SshError::Protocol`] if the system has no socket or no thread left.
    pub fn through(session: Session, address: &SshAddress) -> Result<Tunnel, SshError> {
        let failed =
            |cause: std::io::Error| SshError::Protocol { address: address.clone(), cause: cause.to_string() };
        let (wake, woken) = UnixStream::pair().map_err(failed)?;
        woken.set_nonblocking(true).map_err(failed)?;
        let (orders, received) = channel();
        let work = move || Pump { session, orders: received, woken, links: Vec::new() }.run();
        thread("ssh", work).map_err(failed)?;
        Ok(Tunnel { orders, wake: std::sync::Arc::new(wake) })
    }

    /// A connection that the other machine makes to a TCP port. Blocks.
    ///
    /// # Errors
    /// The other machine's error if it cannot connect.
    pub fn tcp(&self, host: &str, port: u16) -> std::io::Result<UnixStream> {
        self.open(Target::Tcp(host.into(), port)).map(|ends| ends.stream)
    }

    /// A connection that the other machine makes to a socket in its file system. Blocks.
    ///
    /// # Errors
    /// The other machine's error if it cannot connect.
    pub fn socket(&self, path: &str) -> std::io::Result<UnixStream> {
        self.open(Target::Socket(path.into())).map(|ends| ends.stream)
    }

    pub(super) fn open(&self, target: Target) -> std::io::Result<ProcessEnds> {
        self.order(target, None)
    }

    /// Connects an existing stream. Blocks.
    pub(super) fn join(&self, target: Target, local: UnixStream) -> std::io::Result<()> {
        self.order(target, Some(local)).map(drop)
    }

    fn order(&self, target: Target, local: Option<UnixStream>) -> std::io::Result<ProcessEnds> {
        let over = || std::io::Error::other("the SSH session has ended");
        let (reply, answer) = sync_channel(1);
        self.orders.send(PumpOrder { target, local, reply }).map_err(|_| over())?;
        (&*self.wake).write_all(b"!")?;
        answer.recv().map_err(|_| over())?
    }
}

/// A thread that takes no signals: the trial loop handles them.
pub(super) fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let work = move || {
        let _ = SigSet::all().thread_block();
        work();
    };
    std::thread::Builder::new().name(name.into()).spawn(work).map(drop)
}

struct Pump {
    session: Session,
    orders: Receiver<PumpOrder>,
    woken: UnixStream,
    links: Vec<Link>,
}

impl Pump {
    /// Runs until no handle is left and every channel is closed.
    fn run(mut self) {
        self.session.set_blocking(false);
        let mut has_handles = true;
        while has_handles || !self.links.is_empty() {
            has_handles &= self.take_orders();
            // Twice in vain before a nap: reading one channel may bring what another waits for.
            let mut idle = 0;
            while idle < 2 {
                // Every link has its turn, also after one that moved.
                let moved = self.links.iter_mut().filter_map(|link| link.pass().then_some(())).count() > 0;
                idle = if moved { 0 } else { idle + 1 };
            }
            self.links.retain_mut(|link| !link.over(&self.session));
            if self.wait(has_handles) {
                return;
            }
        }
        let _ = self.session.disconnect(None, "done", None);
    }

    /// False if no handle is left that could request a channel.
    fn take_orders(&mut self) -> bool {
        loop {
            match self.orders.try_recv() {
                Ok(order) => {
                    self.session.set_blocking(true);
                    self.session.set_timeout(OPEN.as_millis() as u32);
                    let opened = self.open(order.target, order.local);
                    self.session.set_blocking(false);
                    let _ = order.reply.send(opened); // the caller may be gone
                }
                Err(std::sync::mpsc::TryRecvError::Empty) => return true,
                Err(std::sync::mpsc::TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn open(&mut self, target: Target, existing: Option<UnixStream>) -> std::io::Result<ProcessEnds> {
        let channel = self.channel(target)?;
        let (mut local, stream) = UnixStream::pair()?;
        if let Some(existing) = existing {
            local = existing;
        }
        let (local_stderr, stderr) = UnixStream::pair()?;
        let (sender, status) = oneshot::channel();
        self.links.push(Link::new(channel, local, local_stderr, sender)?);
        Ok(ProcessEnds { stream, stderr, status })
    }

    fn channel(&self, target: Target) -> std::io::Result<Channel> {
        match target {
            Target::Tcp(host, port) => Ok(self.session.channel_direct_tcpip(&host, port, None)?),
            Target::Socket(path) => Ok(self.session.channel_direct_streamlocal(&path, None)?),
            Target::Process(command) => {
                let mut channel = self.session.channel_session()?;
                execute_on(&mut channel, &command)?;
                Ok(channel)
            }
        }
    }

    /// Waits until something can move or, as long as there are handles, is requested; true if the session is broken.
    fn wait(&mut self, has_handles: bool) -> bool {
        let outbound =
            matches!(self.session.block_directions(), BlockDirections::Outbound | BlockDirections::Both);
        let wanted = if outbound { PollFlags::POLLIN | PollFlags::POLLOUT } else { PollFlags::POLLIN };
        let raw = self.session.as_raw_fd();
        // SAFETY: the session keeps its socket open, and it lives as long as this function runs.
        let socket = unsafe { BorrowedFd::borrow_raw(raw) };
        // Without channels nothing is read from the server, and the end of its output would wake this loop again and again.
        let wanted = if self.links.is_empty() { PollFlags::empty() } else { wanted };
        let mut fds = vec![PollFd::new(socket, wanted)];
        fds.extend(self.links.iter().flat_map(Link::waits_for));
        if has_handles {
            fds.push(PollFd::new(self.woken.as_fd(), PollFlags::POLLIN)); // once shut, it would wake us for ever
        }
        let nap = if self.links.is_empty() { PollTimeout::from(IDLE_MS) } else { PollTimeout::from(NAP_MS) };
        let _ = poll(&mut fds, nap);
        let broken = fds[0]
            .revents()
            .is_some_and(|events| events.intersects(PollFlags::POLLERR | PollFlags::POLLNVAL));
        drop(fds);
        let _ = self.woken.read(&mut [0; 64]);
        broken
    }
}
