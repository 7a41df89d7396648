//! Health checks: when a probe is due, and what its result means.
//!
//! ```text
//!              first success                    `retries` failures in a row
//! starting ───────────────────> healthy ─────────────────────────────> unhealthy
//!     │                            ^                                        │
//!     │ `retries` failures in a    └──────────────── a success ─────────────┤
//!     └─ row after start period ────────────────────────────────────────────┘
//! ```
//!
//! # How it works
//!
//! The next probe is due one interval after the last one ended: the start interval while the
//! container is starting within its start period, the ordinary one otherwise. Failures of
//! that time are logged and do not count.
//!
//! # Not here
//!
//! No process, no clock: the caller runs the command when [`Checker::poll`] says so and
//! tells how it went.

use std::time::{Duration, Instant};

use coracle_words::duration;

use crate::model::{Config, Health, HealthConfig, HealthLog, HealthStatus, Timestamp};

/// Results that are kept.
const LOG_ENTRIES_MAX: usize = 5;
/// Output of one probe that is kept, in bytes.
const OUTPUT_BYTES_MAX: usize = 4096;
/// Exit code in the log of a probe that had none.
const NO_EXIT_CODE: i32 = -1;

const INTERVAL_DEFAULT: Duration = Duration::from_secs(30);
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);
const START_INTERVAL_DEFAULT: Duration = Duration::from_secs(5);
const RETRIES_DEFAULT: u32 = 3;

/// A check with all defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    pub command: Vec<String>,
    pub interval: Duration,
    pub timeout: Duration,
    pub start_period: Duration,
    pub start_interval: Duration,
    pub retries: u32,
}

impl HealthCheck {
    /// The check of a container, if it has one.
    #[must_use]
    pub fn new(config: &Config) -> Option<Self> {
        let check = config.healthcheck.as_ref()?;
        let command = command(check, config.shell.as_deref())?;
        let or = |nanos: i64, default| match u64::try_from(nanos) {
            Ok(nanos) if nanos > 0 => Duration::from_nanos(nanos),
            _ => default,
        };
        Some(Self {
            command,
            interval: or(check.interval, INTERVAL_DEFAULT),
            timeout: or(check.timeout, TIMEOUT_DEFAULT),
            start_period: or(check.start_period, Duration::ZERO),
            start_interval: or(check.start_interval, START_INTERVAL_DEFAULT),
            retries: u32::try_from(check.retries)
                .ok()
                .filter(|retries| *retries > 0)
                .unwrap_or(RETRIES_DEFAULT),
        })
    }
}

fn command(check: &HealthConfig, shell: Option<&[String]>) -> Option<Vec<String>> {
    let (kind, words) = check.test.split_first()?;
    match kind.as_str() {
        "CMD" if !words.is_empty() => Some(words.to_vec()),
        "CMD-SHELL" => {
            let mut command = match shell {
                Some(shell) if !shell.is_empty() => shell.to_vec(),
                _ => vec!["/bin/sh".to_owned(), "-c".to_owned()],
            };
            command.push(words.join(" "));
            Some(command)
        }
        _ => None,
    }
}

/// A moment on both clocks: one that only goes forward, and the one of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    pub instant: Instant,
    pub time: Timestamp,
}

impl Now {
    /// The present moment.
    #[must_use]
    pub fn read() -> Self {
        Self { instant: Instant::now(), time: crate::clock::now() }
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Run this command in the container.
    Run(Vec<String>),
    /// End the probe that runs; its end is then to be told as usual.
    Kill,
}

/// The health of one running container.
#[derive(Debug)]
pub struct Checker {
    check: HealthCheck,
    health: Health,
    started: Instant,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Waiting {
        due: Instant,
    },
    Probing {
        began: Now,
        output: Output,
        timed_out: bool,
    },
    /// The container is paused.
    Resting,
}

impl Checker {
    /// Begins when the container starts; `before` is its health of an earlier run, of which
    /// the log is kept.
    #[must_use]
    pub fn new(check: HealthCheck, before: Option<Health>, now: Now) -> Self {
        let health = Health { log: before.unwrap_or_default().log, ..Health::default() };
        let mut checker = Self { check, health, started: now.instant, phase: Phase::Resting };
        checker.resume(now);
        checker
    }

    /// The health as `inspect` shows it.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// When to call [`Checker::poll`] next; `None`: not before a probe ends or we resume.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Waiting { due } => Some(*due),
            Phase::Probing { began, timed_out: false, .. } => {
                Some(began.instant + self.check.timeout)
            }
            Phase::Probing { .. } | Phase::Resting => None,
        }
    }

    /// What is to be done now.
    pub fn poll(&mut self, now: Now) -> Option<Step> {
        if self.due().is_none_or(|due| now.instant < due) {
            return None;
        }
        match &mut self.phase {
            Phase::Waiting { .. } => {
                self.phase =
                    Phase::Probing { began: now, output: Output::default(), timed_out: false };
                Some(Step::Run(self.check.command.clone()))
            }
            Phase::Probing { timed_out, .. } => {
                *timed_out = true;
                Some(Step::Kill)
            }
            Phase::Resting => None,
        }
    }

    /// Takes output of the probe.
    pub fn output(&mut self, bytes: &[u8]) {
        if let Phase::Probing { output, .. } = &mut self.phase {
            output.push(bytes);
        }
    }

    /// The probe ended with that exit code. Returns the status if it changed.
    pub fn ended(&mut self, exit_code: i32, now: Now) -> Option<HealthStatus> {
        let phase = std::mem::replace(&mut self.phase, Phase::Resting);
        let Phase::Probing { began, output, timed_out } = phase else {
            self.phase = phase;
            return None;
        };
        let output = output.into_text();
        let (exit_code, output) = match (timed_out, output.is_empty()) {
            (false, _) => (exit_code, output),
            (true, empty) => {
                let limit = i64::try_from(self.check.timeout.as_nanos()).unwrap_or(i64::MAX);
                let limit = duration::format(limit);
                let colon = if empty { "" } else { ": " };
                let text = format!("Health check exceeded timeout ({limit}){colon}{output}");
                (NO_EXIT_CODE, text)
            }
        };
        self.conclude(began, exit_code, output, now)
    }

    /// The probe could not be run. Returns the status if it changed.
    pub fn failed(&mut self, complaint: &str, now: Now) -> Option<HealthStatus> {
        let Phase::Probing { began, .. } = self.phase else { return None };
        self.conclude(began, NO_EXIT_CODE, complaint.to_owned(), now)
    }

    /// The container is paused: no probe is due, and one that runs is forgotten.
    pub fn pause(&mut self) {
        self.phase = Phase::Resting;
    }

    /// The container goes on.
    pub fn resume(&mut self, now: Now) {
        self.phase = Phase::Waiting { due: now.instant + self.wait(now) };
    }

    fn conclude(
        &mut self,
        began: Now,
        exit_code: i32,
        output: String,
        now: Now,
    ) -> Option<HealthStatus> {
        let before = self.health.status;
        let log = &mut self.health.log;
        log.push(HealthLog { start: began.time, end: now.time, exit_code, output });
        let surplus = log.len().saturating_sub(LOG_ENTRIES_MAX);
        log.drain(..surplus);
        if exit_code == 0 {
            self.health.failing_streak = 0;
            self.health.status = HealthStatus::Healthy;
        } else if before != HealthStatus::Starting
            || began.instant.duration_since(self.started) >= self.check.start_period
        {
            self.health.failing_streak += 1;
            if self.health.failing_streak >= self.check.retries {
                self.health.status = HealthStatus::Unhealthy;
            }
        }
        self.resume(now);
        (self.health.status != before).then_some(self.health.status)
    }

    /// Time until the next probe.
    fn wait(&self, now: Now) -> Duration {
        let in_start_period = self.health.status == HealthStatus::Starting
            && now.instant.duration_since(self.started) < self.check.start_period;
        if in_start_period { self.check.start_interval } else { self.check.interval }
    }
}

/// The beginning of what a probe printed.
#[derive(Debug, Default)]
struct Output {
    bytes: Vec<u8>,
    truncated: bool,
}

impl Output {
    fn push(&mut self, bytes: &[u8]) {
        let kept = bytes.len().min(OUTPUT_BYTES_MAX - self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..kept]);
        self.truncated |= kept < bytes.len();
    }

    fn into_text(self) -> String {
        let mut text = String::from_utf8_lossy(&self.bytes).into_owned();
        if self.truncated {
            text.push_str("...");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{Checker, HealthCheck, Now, Step};
    use crate::model::{Config, Health, HealthConfig, HealthStatus, Timestamp};
    use std::time::{Duration, Instant};

    const MS: i64 = 1_000_000;

    /// A clock that tests set.
    struct Clock {
        began: Instant,
    }

    impl Clock {
        fn at(&self, millis: u64) -> Now {
            let zero: Timestamp = "2026-11-20T23:53:00Z".parse().unwrap();
            let time = zero.datetime() + Duration::from_millis(millis);
            Now { instant: self.began + Duration::from_millis(millis), time: time.into() }
        }
    }

    fn check(config: HealthConfig) -> HealthCheck {
        let healthcheck = Some(config);
        HealthCheck::new(&Config { healthcheck, ..Config::default() }).unwrap()
    }

    fn shell(interval: i64, retries: i64) -> HealthConfig {
        let test = vec!["CMD-SHELL".to_owned(), "test -f /ok".to_owned()];
        HealthConfig { test, interval, retries, timeout: 1000 * MS, ..HealthConfig::default() }
    }

    fn begin(config: HealthConfig) -> (Clock, Checker) {
        let clock = Clock { began: Instant::now() };
        let checker = Checker::new(check(config), None, clock.at(0));
        (clock, checker)
    }

    /// Milliseconds until something is due.
    fn due(clock: &Clock, checker: &Checker) -> Option<u128> {
        checker.due().map(|due| due.duration_since(clock.began).as_millis())
    }

    #[test]
    fn commands_and_defaults() {
        let none = |words: &[&str]| {
            let test = words.iter().map(|word| (*word).to_owned()).collect();
            let healthcheck = Some(HealthConfig { test, ..HealthConfig::default() });
            HealthCheck::new(&Config { healthcheck, ..Config::default() })
        };
        assert_eq!(HealthCheck::new(&Config::default()), None);
        assert_eq!(none(&["NONE"]), None);
        assert_eq!(none(&[]), None);
        let check = none(&["CMD", "curl", "-f"]).unwrap();
        assert_eq!(check.command, ["curl", "-f"]);
        assert_eq!((check.interval.as_secs(), check.timeout.as_secs()), (30, 30));
        assert_eq!((check.start_period.as_secs(), check.start_interval.as_secs()), (0, 5));
        assert_eq!(check.retries, 3);
        assert_eq!(none(&["CMD-SHELL", "true"]).unwrap().command, ["/bin/sh", "-c", "true"]);
        let healthcheck = Some(shell(0, 0));
        let words = Some(vec!["/bin/bash".to_owned(), "-c".to_owned()]);
        let config = Config { healthcheck, shell: words, ..Config::default() };
        let check = HealthCheck::new(&config).unwrap();
        assert_eq!(check.command, ["/bin/bash", "-c", "test -f /ok"]);
    }

    #[test]
    fn failures_in_a_row_and_recovery() {
        let (clock, mut checker) = begin(shell(1000 * MS, 2));
        assert_eq!(due(&clock, &checker), Some(1000));
        assert_eq!(checker.poll(clock.at(999)), None);
        let command = ["/bin/sh", "-c", "test -f /ok"].map(str::to_owned).to_vec();
        assert_eq!(checker.poll(clock.at(1000)), Some(Step::Run(command)));
        assert_eq!(due(&clock, &checker), Some(2000));
        checker.output(b"check");
        checker.output(b"ing\n");
        assert_eq!(checker.ended(1, clock.at(1040)), None);
        assert_eq!(
            serde_json::to_string(checker.health()).unwrap(),
            r#"{"Status":"starting","FailingStreak":1,"Log":[{"Start":"2026-11-20T23:53:01Z","End":"2026-11-20T23:53:01.04Z","ExitCode":1,"Output":"checking\n"}]}"#
        );
        assert_eq!(due(&clock, &checker), Some(2040));
        checker.poll(clock.at(2040)).unwrap();
        assert_eq!(checker.ended(1, clock.at(2050)), Some(HealthStatus::Unhealthy));
        checker.poll(clock.at(3050)).unwrap();
        assert_eq!(checker.ended(1, clock.at(3060)), None);
        assert_eq!(checker.health().failing_streak, 3);
        checker.poll(clock.at(4060)).unwrap();
        assert_eq!(checker.ended(0, clock.at(4070)), Some(HealthStatus::Healthy));
        assert_eq!(checker.health().failing_streak, 0);
        // An end without a probe changes nothing.
        assert_eq!(checker.ended(1, clock.at(4080)), None);
        assert_eq!(checker.health().log.len(), 4);
    }

    #[test]
    fn start_period_and_its_interval() {
        let config = HealthConfig {
            start_period: 5000 * MS,
            start_interval: 500 * MS,
            ..shell(1000 * MS, 1)
        };
        let (clock, mut checker) = begin(config);
        for at in (500..5000).step_by(500) {
            assert_eq!(due(&clock, &checker), Some(at));
            let at = clock.at(u64::try_from(at).unwrap());
            checker.poll(at).unwrap();
            assert_eq!(checker.ended(1, at), None);
        }
        assert_eq!(checker.health().failing_streak, 0);
        assert_eq!(checker.health().log.len(), 5);
        checker.poll(clock.at(5000)).unwrap();
        assert_eq!(checker.ended(1, clock.at(5000)), Some(HealthStatus::Unhealthy));
        assert_eq!(due(&clock, &checker), Some(6000));
    }

    #[test]
    fn a_success_ends_the_start_period() {
        let config = HealthConfig { start_period: 60_000 * MS, ..shell(2000 * MS, 1) };
        let (clock, mut checker) = begin(config);
        assert_eq!(due(&clock, &checker), Some(5000));
        checker.poll(clock.at(5000)).unwrap();
        assert_eq!(checker.ended(0, clock.at(5100)), Some(HealthStatus::Healthy));
        assert_eq!(due(&clock, &checker), Some(7100));
        checker.poll(clock.at(7100)).unwrap();
        assert_eq!(checker.ended(1, clock.at(7100)), Some(HealthStatus::Unhealthy));
    }

    #[test]
    fn slow_probes_are_ended() {
        let (clock, mut checker) = begin(shell(1000 * MS, 1));
        checker.poll(clock.at(1000)).unwrap();
        assert_eq!(checker.poll(clock.at(2000)), Some(Step::Kill));
        assert_eq!((checker.due(), checker.poll(clock.at(2001))), (None, None));
        assert_eq!(checker.ended(137, clock.at(2050)), Some(HealthStatus::Unhealthy));
        let entry = &checker.health().log[0];
        assert_eq!(entry.exit_code, -1);
        assert_eq!(entry.output, "Health check exceeded timeout (1s)");
        checker.poll(clock.at(3050)).unwrap();
        checker.output(b"so far");
        checker.poll(clock.at(4050)).unwrap();
        checker.ended(137, clock.at(4060));
        let entry = &checker.health().log[1];
        assert_eq!(entry.output, "Health check exceeded timeout (1s): so far");
    }

    #[test]
    fn output_is_cut() {
        let (clock, mut checker) = begin(shell(1000 * MS, 1));
        checker.poll(clock.at(1000)).unwrap();
        for _ in 0..5 {
            checker.output(&[b'x'; 1000]);
        }
        checker.ended(0, clock.at(1001));
        let output = &checker.health().log[0].output;
        assert_eq!(*output, "x".repeat(4096) + "...");
    }

    #[test]
    fn a_new_run_keeps_the_log() {
        let (clock, mut checker) = begin(shell(1000 * MS, 1));
        checker.poll(clock.at(1000)).unwrap();
        assert_eq!(checker.failed("no such file", clock.at(1001)), Some(HealthStatus::Unhealthy));
        let before = checker.health().clone();
        assert_eq!(before.log[0].output, "no such file");
        let checker = Checker::new(check(shell(0, 0)), Some(before.clone()), clock.at(9000));
        let expected = Health { log: before.log, ..Health::default() };
        assert_eq!(*checker.health(), expected);
    }

    #[test]
    fn a_pause_starts_the_interval_anew() {
        let (clock, mut checker) = begin(shell(1000 * MS, 1));
        checker.poll(clock.at(1000)).unwrap();
        checker.pause();
        assert_eq!((checker.due(), checker.ended(1, clock.at(1100))), (None, None));
        checker.resume(clock.at(5000));
        assert_eq!(due(&clock, &checker), Some(6000));
        assert_eq!(checker.health().status, HealthStatus::Starting);
    }
}
