//! The service's end: a worker is started, hears what to do, and is listened to.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::rc::{Rc, Weak};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::net::unix::pipe::{self, Receiver};
use tokio::sync::{mpsc, oneshot};

use crate::line::{ToService, ToWorker};
use crate::router::Kind;

/// How workers are started, and which of them have a name.
#[derive(Debug, Default)]
pub(crate) struct Workers {
    arguments: Vec<String>,
    /// They end with the service.
    end_with_it: bool,
    all: RefCell<Vec<Weak<Running>>>,
    named: RefCell<HashMap<String, Vec<Weak<Running>>>>,
}

/// A worker that runs.
#[derive(Debug)]
pub(crate) struct Running {
    control: UnixStream,
    child: RefCell<Option<Child>>,
    /// Who waits for a reply, in the order of the questions.
    waiting: RefCell<Vec<oneshot::Sender<Value>>>,
}

/// Whoever waits for an answer holds this. With it goes a worker that only watches something for its client.
#[derive(Debug)]
pub(crate) struct Leash {
    running: Rc<Running>,
    /// The signal that ends the worker.
    ending: Option<Signal>,
}

impl Leash {
    pub(crate) fn new(running: Rc<Running>, kind: Kind) -> Self {
        let ending = match kind {
            Kind::Watch => Some(Signal::KILL),
            Kind::Task => Some(Signal::TERM),
            Kind::Whole | Kind::Body => None,
        };
        Self { running, ending }
    }

    /// The worker goes on by itself: it has the client's connection, and sees its end.
    pub(crate) fn let_go(&mut self) {
        self.ending = None;
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        if let Some(child) = self.running.child.borrow().as_ref()
            && let Some(signal) = self.ending
        {
            // It was not waited for yet: the id is its own. One that has ended already needs no end.
            kill_process(Pid::from_child(child), signal).unwrap_or_default();
        }
    }
}

impl Workers {
    /// Workers that are all started with these arguments.
    pub(crate) fn new(arguments: Vec<String>, end_with_it: bool) -> Self {
        Self { arguments, end_with_it, ..Self::default() }
    }

    /// Ends those that end with the service, and waits for their ends.
    pub(crate) fn end(&self) {
        for running in self.all.take().iter().filter_map(Weak::upgrade) {
            if let Some(mut child) = running.child.borrow_mut().take() {
                // One that has ended already needs no end.
                child.kill().unwrap_or_default();
                drop(child.wait());
            }
        }
    }

    /// Starts a worker; with it the pipe of its answer's body.
    pub(crate) fn start(&self) -> io::Result<(Rc<Running>, Receiver)> {
        let (mine, its) = std::os::unix::net::UnixStream::pair()?;
        mine.set_nonblocking(true)?;
        let (body, its_body) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(&body, true)?;
        let mut command = Command::new("/proc/self/exe");
        command
            .arg0(crate::WORKER_ARGV0)
            .args(&self.arguments)
            .stdin(Stdio::from(OwnedFd::from(its)))
            .stdout(Stdio::from(its_body));
        if self.end_with_it {
            coracle_sys::exec::end_with_parent(&mut command, Signal::KILL);
        }
        let child = command.spawn()?;
        drop(command);
        let running = Running {
            control: UnixStream::from_std(mine)?,
            child: RefCell::new(Some(child)),
            waiting: RefCell::default(),
        };
        let running = Rc::new(running);
        if self.end_with_it {
            let mut all = self.all.borrow_mut();
            all.retain(|one| one.strong_count() > 0);
            all.push(Rc::downgrade(&running));
        }
        Ok((running, pipe::Receiver::from_owned_fd(body)?))
    }

    /// Listens to a worker to its end; the head of its answer goes to `head`.
    pub(crate) async fn listen(
        self: Rc<Self>,
        running: Rc<Running>,
        head: mpsc::UnboundedSender<Head>,
    ) {
        let mut buffer = Vec::new();
        loop {
            let Some(line) = take_line(&mut buffer) else {
                match running.receive(&mut buffer).await {
                    Ok(true) => continue,
                    Ok(false) | Err(_) => break,
                }
            };
            match serde_json::from_slice(&line) {
                Ok(ToService::Head { status, headers }) => {
                    // Whoever asked may be gone.
                    head.send(Head { status, headers }).unwrap_or_default();
                }
                Ok(ToService::Name(name)) => self.name(name, &running),
                Ok(ToService::Ask { name, question }) => {
                    let (workers, running) = (Rc::clone(&self), Rc::clone(&running));
                    tokio::task::spawn_local(async move {
                        let answer = workers.ask(&name, question).await;
                        running.say(&ToWorker::Answer(answer)).await.unwrap_or_default();
                    });
                }
                Ok(ToService::Reply(value)) => {
                    let mut waiting = running.waiting.borrow_mut();
                    if !waiting.is_empty() {
                        waiting.remove(0).send(value).unwrap_or_default();
                    }
                }
                Err(_) => break,
            }
        }
        // Nobody gets an answer from it any more.
        running.waiting.borrow_mut().clear();
        let child = running.child.borrow_mut().take();
        if let Some(mut child) = child {
            tokio::task::spawn_blocking(move || child.wait());
        }
    }

    fn name(&self, name: String, running: &Rc<Running>) {
        let mut named = self.named.borrow_mut();
        named.retain(|_, all| {
            all.retain(|one| one.strong_count() > 0);
            !all.is_empty()
        });
        named.entry(name).or_default().push(Rc::downgrade(running));
    }

    /// Asks every worker of that name; the first answer counts.
    async fn ask(&self, name: &str, question: Value) -> Value {
        let asked: Vec<Rc<Running>> =
            self.named.borrow().get(name).into_iter().flatten().filter_map(Weak::upgrade).collect();
        let mut first = Value::Null;
        for running in asked {
            let (answer, wait) = oneshot::channel();
            running.waiting.borrow_mut().push(answer);
            if running.say(&ToWorker::Question(question.clone())).await.is_err() {
                continue;
            }
            let Ok(answer) = wait.await else { continue };
            if first.is_null() {
                first = answer;
            }
        }
        first
    }
}

/// The head of an answer.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
}

impl Running {
    pub(crate) async fn say(&self, line: &ToWorker) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.write(&text).await
    }

    /// Sends bytes of the body of the request.
    pub(crate) async fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.control.writable().await?;
            match self.control.try_write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// There is no more of the body.
    pub(crate) fn end_body(&self) {
        // A worker that is gone needs no end.
        rustix::net::shutdown(&self.control, rustix::net::Shutdown::Write).unwrap_or_default();
    }

    /// Hands the client's connection over.
    pub(crate) async fn hand_over(&self, client: OwnedFd, line: &ToWorker) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        loop {
            self.control.writable().await?;
            let sent = self.control.try_io(Interest::WRITABLE, || {
                let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
                let mut ancillary = SendAncillaryBuffer::new(&mut space);
                let fds = [client.as_fd()];
                ancillary.push(SendAncillaryMessage::ScmRights(&fds));
                let parts = [IoSlice::new(&text)];
                Ok(sendmsg(&self.control, &parts, &mut ancillary, SendFlags::NOSIGNAL)?)
            });
            match sent {
                Ok(count) => return self.write(&text[count..]).await,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn receive(&self, buffer: &mut Vec<u8>) -> io::Result<bool> {
        loop {
            self.control.readable().await?;
            match self.control.try_read_buf(buffer) {
                Ok(count) => return Ok(count > 0),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn take_line(buffer: &mut Vec<u8>) -> Option<Vec<u8>> {
    let end = buffer.iter().position(|&byte| byte == b'\n')?;
    Some(buffer.drain(..=end).collect())
}
