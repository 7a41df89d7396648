//! An agent of the caller, for the time of one step.
//!
//! # How it works
//!
//! A child listens on a socket of the step's own, which belongs to whom the mount says, and hands what comes in to the
//! agent and back. It lasts as long as its [`Forward`]; each connection has a child of its own, and all end with the
//! process that started them.
//!
//! Steps may ask for the list of keys and for signatures. What would change the agent – add, remove, lock – is answered
//! with a refusal, as BuildKit does it.
//!
//! # Limits
//!
//! [`MESSAGE_BYTES_MAX`] for a message, as OpenSSH's agent; [`CLIENTS_MAX`] connections at once, further ones wait.
//!
//! # Not here
//!
//! Keys: an agent signs, this program does not.

use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use coracle_sys::fork::{Fork, exit_now, fork};
use rustix::fs::{CWD, Gid, OFlags, Uid};
use rustix::process::{
    Pid, Signal, WaitOptions, kill_process, set_parent_process_death_signal, wait, waitpid,
};

use super::error::SourceError;

/// Longest message.
const MESSAGE_BYTES_MAX: u32 = 256 * 1024;
/// Connections at once.
const CLIENTS_MAX: usize = 64;

/// `SSH_AGENTC_REQUEST_IDENTITIES` and `SSH_AGENTC_SIGN_REQUEST` (draft-ietf-sshm-ssh-agent, section 5.1).
const ALLOWED: [u8; 2] = [11, 13];
/// `SSH_AGENT_FAILURE`, as a message.
const FAILURE: [u8; 5] = [0, 0, 0, 1, 5];

/// Whom the socket belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights {
    /// User and group inside the step; `None` where there is one id only.
    pub owner: Option<(u32, u32)>,
    pub mode: u32,
}

/// A socket that leads to an agent, until this is dropped.
#[derive(Debug)]
pub struct Forward {
    child: Pid,
    socket: PathBuf,
}

impl Drop for Forward {
    fn drop(&mut self) {
        // One that is gone is not missed.
        kill_process(self.child, Signal::KILL).ok();
        waitpid(Some(self.child), WaitOptions::empty()).ok();
        drop(fs::remove_file(&self.socket));
    }
}

impl Forward {
    /// Listens at `socket`, in a folder of the caller's, for `agent`, which goes by `id` in messages. The process must
    /// have one thread.
    ///
    /// # Errors
    /// The agent does not answer, or the socket cannot be made.
    pub fn start(
        id: &str,
        agent: &Path,
        socket: PathBuf,
        rights: Rights,
    ) -> Result<Self, SourceError> {
        let failed = |what: &str| {
            let (id, what) = (id.to_owned(), what.to_owned());
            move |source| SourceError::Agent { id, what, source }
        };
        let refused = failed(&format!("{} does not answer", agent.display()));
        drop(connect(agent).map_err(refused)?);
        let listener = listen(&socket, rights).map_err(failed("no socket for the step"))?;
        let forked = fork().map_err(io::Error::other).map_err(failed("no process for it"));
        match forked.inspect_err(|_| drop(fs::remove_file(&socket)))? {
            Fork::Child => {
                let ends = set_parent_process_death_signal(Some(Signal::KILL)).is_ok();
                if ends {
                    serve(&listener, agent);
                }
                exit_now(1);
            }
            Fork::Parent(child) => Ok(Self { child, socket }),
        }
    }

    /// What is mounted into the step.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }
}

/// Addresses of sockets are short: long paths go by their folder.
fn by_folder<T>(path: &Path, with: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return with(path) };
    let how = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::openat(CWD, folder, how, rustix::fs::Mode::empty())?;
    let number = folder.as_raw_fd();
    with(&Path::new("/proc/self/fd").join(number.to_string()).join(name))
}

fn connect(agent: &Path) -> io::Result<UnixStream> {
    by_folder(agent, |path| UnixStream::connect(path))
}

fn listen(socket: &Path, rights: Rights) -> io::Result<UnixListener> {
    let listener = by_folder(socket, |path| UnixListener::bind(path))?;
    fs::set_permissions(socket, fs::Permissions::from_mode(rights.mode & 0o777))?;
    if let Some((uid, gid)) = rights.owner {
        let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
        rustix::fs::chown(socket, Some(uid), Some(gid))?;
    }
    Ok(listener)
}

/// Accepts connections for ever.
fn serve(listener: &UnixListener, agent: &Path) {
    let mut clients = 0;
    loop {
        while clients > 0 {
            let options =
                if clients < CLIENTS_MAX { WaitOptions::NOHANG } else { WaitOptions::empty() };
            match wait(options) {
                Ok(Some(_)) => clients -= 1,
                _ => break,
            }
        }
        let Ok((mut client, _)) = listener.accept() else { return };
        match fork() {
            Ok(Fork::Child) => {
                let ends = set_parent_process_death_signal(Some(Signal::KILL)).is_ok();
                // Whoever broke off knows.
                let relayed = connect(agent).and_then(|mut agent| relay(&mut client, &mut agent));
                exit_now(i32::from(!ends || relayed.is_err()));
            }
            Ok(Fork::Parent(_)) => clients += 1,
            // The client finds its connection closed.
            Err(_) => {}
        }
    }
}

/// Hands requests over and answers back until one side ends.
fn relay(client: &mut (impl Read + Write), agent: &mut (impl Read + Write)) -> io::Result<()> {
    while let Some(request) = message(client)? {
        if request.get(4).is_some_and(|kind| ALLOWED.contains(kind)) {
            agent.write_all(&request)?;
            let Some(answer) = message(agent)? else { return Ok(()) };
            client.write_all(&answer)?;
        } else {
            client.write_all(&FAILURE)?;
        }
    }
    Ok(())
}

/// A message with its length; `None` at the end.
fn message(from: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let bytes = u32::from_be_bytes(length);
    if bytes == 0 || bytes > MESSAGE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "no message of an agent"));
    }
    let mut message = length.to_vec();
    if from.take(bytes.into()).read_to_end(&mut message)? < bytes as usize {
        return Ok(None);
    }
    Ok(Some(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is written goes to one side, what is read comes from another.
    struct Pipe<'a>(&'a [u8], Vec<u8>);

    impl Read for Pipe<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }

    impl Write for Pipe<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn keys_are_listed_and_used_but_not_changed() {
        let list = [0, 0, 0, 1, 11];
        let sign = [0, 0, 0, 2, 13, 7];
        let remove_all = [0, 0, 0, 1, 19];
        let extension = [0, 0, 0, 1, 27];
        let requests = [&list[..], &remove_all, &sign, &extension].concat();
        let mut client = Pipe(&requests, Vec::new());
        let answers = [0, 0, 0, 1, 12, 0, 0, 0, 1, 14];
        let mut agent = Pipe(&answers, Vec::new());
        relay(&mut client, &mut agent).unwrap();
        assert_eq!(agent.1, [&list[..], &sign].concat());
        assert_eq!(client.1, [&answers[..5], &FAILURE, &answers[5..], &FAILURE].concat());
    }

    #[test]
    fn messages_have_a_bound_and_an_end() {
        assert!(message(&mut &[0xff, 0xff, 0xff, 0xff, 1][..]).is_err());
        assert!(message(&mut &[0, 0, 0, 0][..]).is_err());
        assert_eq!(message(&mut &[0, 0, 0, 2, 1][..]).unwrap(), None);
        assert_eq!(message(&mut &[0, 0][..]).unwrap(), None);
    }

    #[test]
    fn the_socket_is_whose_it_is_to_be_and_its_path_may_be_long() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("x".repeat(120));
        fs::create_dir(&deep).unwrap();
        let socket = deep.join("agent");
        let rights = Rights { owner: None, mode: 0o600 };
        let _listener = listen(&socket, rights).unwrap();
        assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
        connect(&socket).unwrap();
    }
}
