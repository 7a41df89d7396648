//! The connection to the network helper, which starts it where there is none.
//!
//! # How it works
//!
//! Everything lies in `run/net`: the helper's socket and the lock. Under the lock a client
//! connects; where nobody listens it listens itself, hands the listening socket to a new
//! helper, and connects: the connection waits in the backlog while the helper gets ready. The
//! helper ends under the same lock, so that a client never connects to one that is going.
//!
//! When the user's last container has ended, so have the namespaces it was in, and the next
//! one makes others. A helper that has not noticed yet has no rights there: it is waited for.
//!
//! The helper is this executable again, nobody's child, in a session of its own and in the
//! namespaces of whoever started it: those of the user's containers.
//!
//! # Limits
//!
//! One request at a time; an answer is waited for [`PATIENCE`] long.

use std::ffi::CString;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use coracle_netns::netd::{self, Settings};
use coracle_netns::protocol::{MESSAGE_BYTES_MAX, Reply, Request};
use coracle_sys::SyscallError;
use coracle_sys::error::Context;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketAddrUnix, SocketFlags, SocketType, sockopt,
};

use crate::detached::{self, LISTENER_FD};
use crate::file_lock;
use crate::paths::{PathError, Paths, make_private};

/// The name under which the executable becomes the helper.
pub const NETD_ARGV0: &str = "coracle-netd";
const SOCKET: &str = "netd.sock";
const ERROR_FILE: &str = "error";
/// The lock; in it the user namespace that the helper was started in.
const LOCK: &str = "lock";
/// How long an answer may take: a loaded machine that makes devices, not a hung helper.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a helper may take that nobody needs any more.
const LEAVING: Duration = Duration::from_secs(5);
/// How long to wait before it is looked for again.
const LOOK_AGAIN: Duration = Duration::from_millis(2);
/// Clients that wait to be accepted while the helper gets ready.
const BACKLOG: i32 = 1024;
/// Descriptors that go along with a request.
const FDS_MAX: usize = 2;

/// Why the helper did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum HelperError {
    #[error("cannot reach the network helper")]
    Reach { source: SyscallError },
    #[error(transparent)]
    Path(#[from] PathError),
    #[error("the network helper ended")]
    Gone,
    #[error("the network helper of an earlier session does not end")]
    Stale,
    /// It could not begin, and said why.
    #[error("the network helper cannot start: {0}")]
    Died(String),
    #[error("the network helper did not answer within {} seconds", PATIENCE.as_secs())]
    Silent,
    #[error("the network helper is of another version: {0}")]
    Strange(&'static str),
    /// In the helper's words, which are the user's.
    #[error("{0}")]
    Refused(String),
}

impl From<SyscallError> for HelperError {
    fn from(source: SyscallError) -> Self {
        Self::Reach { source }
    }
}

/// A connection; what it was given lasts as long.
#[derive(Debug)]
pub(crate) struct Helper {
    socket: OwnedFd,
    /// Where a helper that cannot begin leaves the reason.
    error_file: Option<PathBuf>,
}

impl Helper {
    /// Connects, and starts a helper if there is none; it does without nf_tables if `packets`.
    pub(crate) fn reach(paths: &Paths, packets: bool) -> Result<Self, HelperError> {
        let folder = paths.network();
        make_private(&folder)?;
        let session = session().call(|| "stat(/proc/self/ns/user)".into())?;
        let (lock, found) = find(&folder, &session, LEAVING)?;
        if let Some(socket) = found {
            return Ok(Self { socket, error_file: None });
        }
        let error_file = folder.join(ERROR_FILE);
        // Of an earlier attempt, if there is one.
        std::fs::remove_file(&error_file).ok();
        let lock_file = folder.join(LOCK);
        std::fs::write(&lock_file, session).call(|| format!("write({})", lock_file.display()))?;
        let listener = listen(&folder)?;
        spawn(&listener, &folder, packets)?;
        drop(listener);
        let socket = try_connect(&folder)?.ok_or(HelperError::Gone)?;
        drop(lock);
        Ok(Self { socket, error_file: Some(error_file) })
    }

    /// Makes the door anew through which others reach the helper at the other end, where somebody
    /// removed its folder: two helpers must never be.
    pub(crate) fn reopen(&self, paths: &Paths) -> Result<(), HelperError> {
        let folder = paths.network();
        make_private(&folder)?;
        let lock = lock(&folder)?;
        if try_connect(&folder)?.is_some() {
            return Ok(());
        }
        let session = session().call(|| "stat(/proc/self/ns/user)".into())?;
        let lock_file = folder.join(LOCK);
        std::fs::write(&lock_file, session).call(|| format!("write({})", lock_file.display()))?;
        // Another description of the file than the one that we hold the lock by.
        let theirs = rustix::fs::open(&lock_file, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
            .call(|| format!("open({})", lock_file.display()))?;
        let listener = listen(&folder)?;
        self.tell(&Request::Door, &[listener.as_fd(), theirs.as_fd()])?;
        drop(lock);
        Ok(())
    }

    /// Connects to a helper that is there; `None` when there is none.
    pub(crate) fn present(paths: &Paths) -> Result<Option<Self>, HelperError> {
        let folder = paths.network();
        if !folder.join(SOCKET).exists() {
            return Ok(None);
        }
        let _lock = lock(&folder)?;
        Ok(try_connect(&folder)?.map(|socket| Self { socket, error_file: None }))
    }

    #[cfg(test)]
    pub(crate) fn over(socket: OwnedFd) -> Self {
        Self { socket, error_file: None }
    }

    /// Asks, and waits for the answer.
    pub(crate) fn ask(
        &self,
        request: &Request,
        fds: &[BorrowedFd<'_>],
    ) -> Result<Reply, HelperError> {
        let json = serde_json::to_vec(request).expect("plain data always serialises");
        if json.len() > MESSAGE_BYTES_MAX {
            return Err(HelperError::Refused(
                "the container has more names and ports than the network helper takes at once"
                    .to_owned(),
            ));
        }
        self.send(&json, fds).map_err(|error| self.lost(error))?;
        let mut answer = vec![0u8; MESSAGE_BYTES_MAX];
        let length = self.receive(&mut answer).map_err(|error| self.lost(error))?;
        if length == 0 {
            return Err(self.gone());
        }
        match serde_json::from_slice(&answer[..length]) {
            Ok(Reply::Failed { message }) => Err(HelperError::Refused(message)),
            Ok(reply) => Ok(reply),
            Err(_) => Err(HelperError::Strange("its answer is not understood")),
        }
    }

    /// As [`Helper::ask`] for what is answered by [`Reply::Done`].
    pub(crate) fn tell(
        &self,
        request: &Request,
        fds: &[BorrowedFd<'_>],
    ) -> Result<(), HelperError> {
        match self.ask(request, fds)? {
            Reply::Done => Ok(()),
            _ => Err(HelperError::Strange("its answer is of another kind")),
        }
    }

    /// Whether the other end is still there, without waiting.
    pub(crate) fn is_alive(&self) -> bool {
        let mut byte = [0u8; 1];
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        match rustix::net::recv(&self.socket, &mut byte, flags) {
            Ok((length, _)) => length > 0,
            Err(error) => matches!(error, Errno::AGAIN | Errno::INTR),
        }
    }

    fn lost(&self, error: Errno) -> HelperError {
        match error {
            Errno::AGAIN => HelperError::Silent,
            Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN => self.gone(),
            error => HelperError::Reach {
                source: SyscallError {
                    call: "sendmsg(netd.sock)".to_owned(),
                    source: error.into(),
                },
            },
        }
    }

    /// It hung up; one that we started may have said why.
    fn gone(&self) -> HelperError {
        let said = self.error_file.as_deref().and_then(|path| std::fs::read_to_string(path).ok());
        match said.as_deref().map(str::trim) {
            Some(why) if !why.is_empty() => HelperError::Died(why.to_owned()),
            _ => HelperError::Gone,
        }
    }

    fn send(&self, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> Result<(), Errno> {
        assert!(fds.len() <= FDS_MAX, "no request takes more");
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS_MAX))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() {
            assert!(control.push(SendAncillaryMessage::ScmRights(fds)), "the space fits");
        }
        let parts = [IoSlice::new(bytes)];
        retry(|| rustix::net::sendmsg(&self.socket, &parts, &mut control, SendFlags::NOSIGNAL))
            .map(drop)
    }

    fn receive(&self, into: &mut [u8]) -> Result<usize, Errno> {
        let mut control = RecvAncillaryBuffer::default();
        let message = retry(|| {
            let mut parts = [IoSliceMut::new(into)];
            rustix::net::recvmsg(&self.socket, &mut parts, &mut control, RecvFlags::empty())
        })?;
        Ok(message.bytes)
    }
}

/// What a helper process does, from its command line on; returns its exit code.
#[must_use]
pub fn main(json: &str) -> i32 {
    let Ok(settings) = serde_json::from_str::<Settings>(json) else { return 2 };
    let Some(door) = coracle_sys::fd::inherit(LISTENER_FD) else { return 2 };
    netd::main(&settings, door)
}

impl AsFd for Helper {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn retry<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}

fn lock(folder: &Path) -> Result<OwnedFd, SyscallError> {
    let path = folder.join(LOCK);
    let file = file_lock::open(&path, true).call(|| format!("open({})", path.display()))?;
    let taken = file_lock::take(file, file_lock::PATIENCE);
    let lock = taken.map_err(|error| error.into_io(file_lock::PATIENCE));
    Ok(lock.call(|| format!("flock({})", path.display()))?.into_descriptor())
}

/// The socket's address through a descriptor of its folder: a path may be too long for one.
fn address(folder: &Path) -> Result<(SocketAddrUnix, OwnedFd), SyscallError> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fd = rustix::fs::open(folder, flags, Mode::empty())
        .call(|| format!("open({})", folder.display()))?;
    let path = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", fd.as_raw_fd()));
    let address = SocketAddrUnix::new(path).call(|| "make an address".into())?;
    Ok((address, fd))
}

fn socket(flags: SocketFlags) -> Result<OwnedFd, SyscallError> {
    let flags = flags | SocketFlags::CLOEXEC;
    rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
        .call(|| "socket(AF_UNIX, SOCK_SEQPACKET)".into())
}

fn try_connect(folder: &Path) -> Result<Option<OwnedFd>, SyscallError> {
    let (address, _folder) = address(folder)?;
    let socket = socket(SocketFlags::empty())?;
    match retry(|| rustix::net::connect(&socket, &address)) {
        Ok(()) => {
            sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(PATIENCE))
                .and_then(|()| {
                    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(PATIENCE))
                })
                .call(|| "setsockopt(SO_RCVTIMEO)".into())?;
            Ok(Some(socket))
        }
        Err(Errno::NOENT | Errno::CONNREFUSED) => Ok(None),
        Err(error) => Err(error).call(|| format!("connect({})", folder.join(SOCKET).display())),
    }
}

/// This process's user namespace, by the identity of its file.
fn session() -> std::io::Result<String> {
    use std::os::unix::fs::MetadataExt;
    let meta = std::fs::metadata("/proc/self/ns/user")?;
    Ok(format!("{}:{}", meta.dev(), meta.ino()))
}

/// Takes the lock and connects to the helper of this session, if there is one.
///
/// One of an earlier session has lost its last container, or that session would be ours; it
/// keeps its namespace, so that no other can have the same identity meanwhile.
fn find(
    folder: &Path,
    session: &str,
    patience: Duration,
) -> Result<(OwnedFd, Option<OwnedFd>), HelperError> {
    let deadline = Instant::now() + patience;
    loop {
        let lock = lock(folder)?;
        let found = try_connect(folder)?;
        let written = std::fs::read_to_string(folder.join(LOCK)).unwrap_or_default();
        if found.is_none() || written == session {
            return Ok((lock, found));
        }
        if Instant::now() >= deadline {
            return Err(HelperError::Stale);
        }
        // It ends under the lock, and only when nobody is connected.
        drop((found, lock));
        std::thread::sleep(LOOK_AGAIN);
    }
}

fn listen(folder: &Path) -> Result<OwnedFd, SyscallError> {
    let (address, _folder) = address(folder)?;
    let path = folder.join(SOCKET);
    // Left by a helper that was killed: nobody listens on it, and we have the lock.
    match rustix::fs::unlink(&path) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(error) => return Err(error).call(|| format!("unlink({})", path.display())),
    }
    // The helper waits for many things at once, never for this one alone.
    let socket = socket(SocketFlags::NONBLOCK)?;
    rustix::net::bind(&socket, &address).call(|| format!("bind({})", path.display()))?;
    rustix::net::listen(&socket, BACKLOG).call(|| format!("listen({})", path.display()))?;
    Ok(socket)
}

/// Starts the helper: it outlives this process.
fn spawn(listener: &OwnedFd, folder: &Path, packets: bool) -> Result<(), SyscallError> {
    let exe = coracle_sys::exe::open_sealed()?;
    let settings = serde_json::to_vec(&Settings { folder: folder.to_owned(), packets })
        .call(|| "pass the folder".into())?;
    let argv = [
        CString::new(NETD_ARGV0).expect("our name holds no NUL"),
        CString::new(settings).call(|| "pass the folder".into())?,
    ];
    detached::spawn("network helper", &exe, listener.as_fd(), &argv, &[])
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::thread::JoinHandle;

    /// A helper that answers what it is told to, and gives back what it was asked.
    pub(crate) fn scripted(replies: Vec<Reply>) -> (Helper, JoinHandle<Vec<Request>>) {
        let (ours, theirs) = rustix::net::socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )
        .unwrap();
        let script = std::thread::spawn(move || {
            let mut asked = Vec::new();
            for reply in replies {
                let mut bytes = vec![0u8; MESSAGE_BYTES_MAX];
                let (length, _) =
                    rustix::net::recv(&theirs, &mut bytes[..], RecvFlags::empty()).unwrap();
                asked.push(serde_json::from_slice(&bytes[..length]).unwrap());
                let json = serde_json::to_vec(&reply).unwrap();
                rustix::net::send(&theirs, &json, SendFlags::NOSIGNAL).unwrap();
            }
            asked
        });
        (Helper::over(ours), script)
    }

    #[test]
    fn answers_are_sorted_from_refusals() {
        let refusal = Reply::Failed { message: "Address already in use".to_owned() };
        let (helper, script) = scripted(vec![Reply::Done, refusal, Reply::Done]);
        helper.tell(&Request::Disconnect { network: "a".to_owned() }, &[]).unwrap();
        let error = helper.ask(&Request::Status, &[]).unwrap_err();
        assert_eq!(error.to_string(), "Address already in use");
        assert!(matches!(helper.ask(&Request::Status, &[]), Ok(Reply::Done)));
        assert_eq!(script.join().unwrap().len(), 3);
        assert!(!helper.is_alive());
        let error = helper.ask(&Request::Status, &[]).unwrap_err();
        assert!(matches!(error, HelperError::Gone), "{error}");
    }

    #[test]
    fn what_is_too_long_is_not_sent() {
        let (helper, script) = scripted(Vec::new());
        script.join().unwrap();
        let names = vec!["x".repeat(1000); 200];
        let request = Request::Names { network: String::new(), names };
        assert!(matches!(helper.ask(&request, &[]), Err(HelperError::Refused(_))));
    }

    #[test]
    fn a_helper_that_cannot_begin_says_why() {
        let temp = tempfile::tempdir().unwrap();
        let error_file = temp.path().join(ERROR_FILE);
        let (mut helper, script) = scripted(Vec::new());
        script.join().unwrap();
        helper.error_file = Some(error_file.clone());
        let ask = |helper: &Helper| helper.ask(&Request::Status, &[]).unwrap_err().to_string();
        assert_eq!(ask(&helper), "the network helper ended");
        std::fs::write(&error_file, "unshare(NEWNET): ENOSPC\n").unwrap();
        assert_eq!(ask(&helper), "the network helper cannot start: unshare(NEWNET): ENOSPC");
    }

    #[test]
    fn a_helper_of_an_earlier_session_is_waited_for() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path();
        std::fs::write(folder.join(LOCK), "4:1").unwrap();
        let listener = listen(folder).unwrap();
        let (lock, found) = find(folder, "4:1", Duration::ZERO).unwrap();
        assert!(found.is_some(), "ours");
        drop(lock);
        let error = find(folder, "4:2", Duration::ZERO).unwrap_err();
        assert!(matches!(error, HelperError::Stale), "{error}");
        let folder = folder.to_owned();
        let waits = std::thread::spawn(move || find(&folder, "4:2", PATIENCE).unwrap().1);
        drop(listener);
        assert!(waits.join().unwrap().is_none(), "it is gone");
    }

    #[test]
    fn one_listens_and_others_connect() {
        let temp = tempfile::tempdir().unwrap();
        // Longer than the address of a socket can be.
        let folder = temp.path().join("d".repeat(120));
        make_private(&folder).unwrap();
        assert!(try_connect(&folder).unwrap().is_none(), "nobody was ever there");
        let listener = listen(&folder).unwrap();
        assert!(try_connect(&folder).unwrap().is_some(), "the backlog takes it");
        drop(listener);
        assert!(try_connect(&folder).unwrap().is_none(), "it was killed");
        let again = listen(&folder).unwrap();
        assert!(try_connect(&folder).unwrap().is_some());
        drop(again);
    }
}
