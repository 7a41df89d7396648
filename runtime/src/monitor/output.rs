//! The container's end of the standard streams, as the monitor sees it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::pipe::PipeFlags;

use crate::start::init::Stdio;

/// What of a stream can be read at once.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    Data(usize),
    Later,
    End,
}

/// The monitor's side of a container's standard streams.
#[derive(Debug, Default)]
pub(super) struct Streams {
    /// Where input goes; the same terminal as `stdout` when there is one.
    pub(super) stdin: Option<OwnedFd>,
    pub(super) stdout: Option<OwnedFd>,
    pub(super) stderr: Option<OwnedFd>,
    pub(super) terminal: bool,
}

impl Streams {
    /// Pipes for a container without a terminal, owned by the user it runs as, so that it
    /// can open `/dev/stderr` again.
    pub(super) fn pipes(stdin: bool, uid: u32, gid: u32) -> io::Result<(Self, Stdio)> {
        let pipe = || rustix::pipe::pipe_with(PipeFlags::CLOEXEC).map_err(io::Error::from);
        let (out_read, out_write) = pipe()?;
        let (err_read, err_write) = pipe()?;
        let (in_read, in_write) = if stdin {
            let (read, write) = pipe()?;
            rustix::io::ioctl_fionbio(&write, true)?;
            (read, Some(write))
        } else {
            let null = rustix::fs::open(
                "/dev/null",
                rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC,
                rustix::fs::Mode::empty(),
            )?;
            (null, None)
        };
        let owner = (Some(rustix::fs::Uid::from_raw(uid)), Some(rustix::fs::Gid::from_raw(gid)));
        for fd in [&out_write, &err_write].into_iter().chain(stdin.then_some(&in_read)) {
            // With one mapped id nobody else can own anything; root may open it anyway.
            match rustix::fs::fchown(fd, owner.0, owner.1) {
                Ok(()) | Err(rustix::io::Errno::INVAL | rustix::io::Errno::PERM) => {}
                Err(error) => return Err(error.into()),
            }
        }
        for fd in [&out_read, &err_read] {
            rustix::io::ioctl_fionbio(fd, true)?;
        }
        let streams = Self {
            stdin: in_write,
            stdout: Some(out_read),
            stderr: Some(err_read),
            terminal: false,
        };
        let stdio = Stdio::Pipes { stdin: in_read, stdout: out_write, stderr: err_write };
        Ok((streams, stdio))
    }

    /// A terminal whose master came through the console socket.
    pub(super) fn terminal(master: OwnedFd) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&master, true)?;
        Ok(Self {
            stdin: Some(master.try_clone()?),
            stdout: Some(master),
            stderr: None,
            terminal: true,
        })
    }

    /// Sets the size of the terminal, in characters; the kernel signals the foreground job.
    pub(super) fn resize(&self, columns: u16, rows: u16) -> io::Result<()> {
        if let (true, Some(master)) = (self.terminal, &self.stdout) {
            let size = rustix::termios::Winsize {
                ws_row: rows,
                ws_col: columns,
                ws_xpixel: 0,
                ws_ypixel: 0,
            };
            rustix::termios::tcsetwinsize(master, size)?;
        }
        Ok(())
    }
}

/// Reads what is there.
pub(super) fn read_some(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> Chunk {
    match rustix::io::read(fd, buffer) {
        Ok(0) => Chunk::End,
        Ok(length) => Chunk::Data(length),
        Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Chunk::Later,
        // A terminal whose other side is closed answers EIO.
        Err(_) => Chunk::End,
    }
}

/// Receives the master of the terminal that libcontainer made inside the container.
pub(super) fn receive_master(listener: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};
    let connection = rustix::net::accept(listener)?;
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0u8; 64];
    rustix::net::recvmsg(
        connection.as_fd(),
        &mut [io::IoSliceMut::new(&mut byte)],
        &mut ancillary,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    ancillary
        .drain()
        .find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
            _ => None,
        })
        .ok_or_else(|| io::Error::other("no terminal came through the console socket"))
}
