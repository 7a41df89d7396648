//! Secrets and agents of a build: steps have them, and nothing keeps them.

use std::fs;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use coracle_integration::{TestEnv, wait};
use rustix::process::Signal;

const FILE: &str = "clear-text-of-a-file-4711";
const VARIABLE: &str = "clear-text-of-a-variable-4712";
const COMMENT: &str = "clear-comment-of-a-key-4713";

/// `SSH_AGENTC_REQUEST_IDENTITIES` and `SSH_AGENTC_REMOVE_ALL_IDENTITIES`.
const LIST: [u8; 5] = [0, 0, 0, 1, 11];
const REMOVE_ALL: [u8; 5] = [0, 0, 0, 1, 19];

/// No request of any client.
const END: [u8; 5] = [0, 0, 0, 1, 255];

/// An agent with one key.
struct Agent {
    path: PathBuf,
    /// What it was asked.
    asked: Arc<Mutex<Vec<u8>>>,
    thread: Option<JoinHandle<()>>,
}

impl Agent {
    fn new(path: PathBuf) -> Self {
        let listener = UnixListener::bind(&path).expect("a socket of ours");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&asked);
        let thread = std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut request = [0; 5];
                while stream.read_exact(&mut request).is_ok() {
                    if request == END {
                        return;
                    }
                    notes.lock().expect("no panic while locked").push(request[4]);
                    // A client may have gone.
                    drop(stream.write_all(&one_key()));
                }
            }
        });
        Self { path, asked, thread: Some(thread) }
    }

    fn asked(&self) -> Vec<u8> {
        self.asked.lock().expect("no panic while locked").clone()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let ended = UnixStream::connect(&self.path).and_then(|mut stream| stream.write_all(&END));
        if let (Ok(()), Some(thread)) = (ended, self.thread.take()) {
            drop(thread.join());
        }
    }
}

fn one_key() -> Vec<u8> {
    let long = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).expect("it is short").to_be_bytes();
        [&length[..], bytes].concat()
    };
    long(&[&[12, 0, 0, 0, 1][..], &long(b"key"), &long(COMMENT.as_bytes())].concat())
}

/// Files of the data root and of temporary folders that have a text.
fn found(env: &TestEnv, text: &str) -> Vec<String> {
    let root = env.root().display();
    env.sh(&format!("grep -rlsaF {text} {root}/data {root}/tmp {root}/run {root}/home")).lines()
}

/// Processes of the world with a text among their arguments.
fn shown(env: &TestEnv, text: &str) -> Vec<String> {
    let all = coracle_integration::leak::processes_of(env.root());
    let arguments = |pid: i32| fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let has = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let shown = all.into_iter().filter(|(pid, _)| has(&arguments(*pid)));
    shown.map(|(_, name)| name).collect()
}

fn world() -> (TestEnv, Agent) {
    let env = TestEnv::new();
    // Not in a folder that is looked through.
    fs::write(env.work().join("secret"), FILE).expect("a file of ours");
    let agent = Agent::new(env.work().join("a"));
    let socket = agent.path.display().to_string();
    (env.with("TOKEN", VARIABLE).with("SSH_AUTH_SOCK", &socket), agent)
}

const BUILD: &str = "docker build --secret id=f,src=secret --secret id=v,env=TOKEN --ssh default";

fn nothing_kept(env: &TestEnv) {
    for text in [FILE, VARIABLE, COMMENT] {
        assert_eq!(found(env, text), [""; 0], "{text}");
        assert_eq!(shown(env, text), [""; 0], "{text}");
    }
}

#[test]
fn a_step_has_secrets_and_nothing_keeps_them() {
    let (env, agent) = world();
    env.write(
        "b/Dockerfile",
        "FROM bb\n\
         RUN --mount=type=secret,id=f --mount=type=secret,id=v,env=TOK --mount=type=ssh \
         sha256sum < /run/secrets/f > /o; printf %s \"$TOK\" | sha256sum >> /o; \
         stat -c '%a %u %F' /run/secrets/f $SSH_AUTH_SOCK >> /o; ls /run/secrets >> /o\n\
         RUN --mount=type=secret,id=v,target=/v,uid=7,mode=0440 stat -c '%a %u' /v >> /o\n\
         RUN ls /run/secrets /v $SSH_AUTH_SOCK >> /o 2>&1; echo \"[$TOK$SSH_AUTH_SOCK]\" >> /o\n",
    );
    env.sh(&format!("{BUILD} -q -t kept b")).success();
    env.sh("docker run --rm kept cat /o | sed 's/^[0-9a-f]\\{32,\\}/SUM/'").success().stdout_is(
        "SUM  -\nSUM  -\n400 0 regular file\n600 0 socket\nf\n440 7\n\
         ls: /run/secrets: No such file or directory\nls: /v: No such file or directory\n[]\n",
    );
    let sum = |text: &str| env.sh(&format!("printf %s {text} | sha256sum")).success().stdout();
    let (file, variable) = (sum(FILE), sum(VARIABLE));
    let seen = env.sh("docker run --rm kept cat /o | head -4").success().stdout();
    assert_eq!(seen, format!("{file}{variable}400 0 regular file\n600 0 socket\n"));

    nothing_kept(&env);
    // Not in the image either, packed or in words.
    env.sh("docker save kept -o kept.tar && mkdir s && tar -xf kept.tar -C s && docker history --no-trunc kept > s/h")
        .success();
    for text in [FILE, VARIABLE, COMMENT] {
        env.sh(&format!("! grep -rlaF {text} s && ! zcat -f s/blobs/sha256/* | grep -qaF {text}"))
            .success();
    }
    // Another value changes nothing.
    env.write("secret", "another");
    env.sh(&format!("{BUILD} --progress plain b 2>&1 | grep -c CACHED")).success().stdout_is("3\n");
    drop(agent);
    env.assert_nothing_left();
}

#[test]
fn a_running_step_has_its_secrets_in_memory_and_an_interrupted_one_leaves_none() {
    let (env, agent) = world();
    env.write(
        "b/Dockerfile",
        "FROM bb\n\
         RUN --mount=type=secret,id=f --mount=type=secret,id=v,env=TOK --mount=type=ssh \
         cat /run/secrets/f > /dev/null; echo it runs; sleep 1000\n",
    );
    let words = format!("exec {BUILD} --progress plain b > out 2>&1");
    let build = env.program(Path::new("/bin/bash")).args(["-c", &words]).start();
    let out = env.work().join("out");
    wait::until("the step runs", || {
        fs::read_to_string(&out).unwrap_or_default().lines().any(|line| line.ends_with(" it runs"))
    });
    nothing_kept(&env);

    // The agent, through the socket of the step: its keys are seen, and not thrown away.
    let mut socket = connect(&socket_of_the_step(&env));
    socket.write_all(&LIST).expect("a socket");
    let mut answer = vec![0; 4 + 5 + 4 + 3 + 4 + COMMENT.len()];
    socket.read_exact(&mut answer).expect("an answer");
    assert!(answer.ends_with(COMMENT.as_bytes()));
    socket.write_all(&REMOVE_ALL).expect("a socket");
    let mut answer = [0; 5];
    socket.read_exact(&mut answer).expect("an answer");
    assert_eq!(answer, [0, 0, 0, 1, 5]);
    assert_eq!(agent.asked(), [11]);

    build.signal(Signal::INT);
    assert_ne!(build.finish().status(), 0);
    nothing_kept(&env);
    drop((socket, agent));
    env.assert_nothing_left();
}

#[test]
fn what_is_required_and_missing_is_told() {
    let env = TestEnv::new();
    for (mount, words) in [
        ("secret,id=s", "secret s: not found"),
        ("ssh", "unset ssh forward key default"),
        ("ssh,id=k", "unset ssh forward key k"),
    ] {
        env.write("b/Dockerfile", format!("FROM bb\nRUN --mount=type={mount},required true\n"));
        env.sh("docker build b")
            .code(1)
            .stderr_has(&format!("ERROR: failed to build: failed to solve: {words}\n"));
        env.write("b/Dockerfile", format!("FROM bb\nRUN --mount=type={mount} true\n"));
        env.sh("docker build -q b").success();
    }
    // A key is not an agent.
    env.write("key", "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    env.write("b/Dockerfile", "FROM bb\nRUN --mount=type=ssh true\n");
    let output = env.sh("docker build --ssh default=key b").code(1);
    assert!(output.stderr().contains("a key is used by an agent"), "{output}");
    env.sh("truncate -s 600K big").success();
    env.sh("docker build --secret id=big,src=big b")
        .code(1)
        .stderr_has("secret big too big. max size 500KB");
    env.assert_nothing_left();
}

/// The socket that a step has as its agent.
fn socket_of_the_step(env: &TestEnv) -> PathBuf {
    let line = format!(
        "find {} -type s -name agent 2> /dev/null || true",
        env.data().join("builder").display()
    );
    PathBuf::from(env.sh(&line).success().line())
}

/// Addresses of sockets are short, so it goes by its folder.
fn connect(path: &Path) -> UnixStream {
    let folder = fs::File::open(path.parent().expect("a folder")).expect("a folder of ours");
    let name = path.file_name().expect("a name");
    let short = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
    UnixStream::connect(short).expect("the agent of the step")
}
