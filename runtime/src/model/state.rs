//! `State`: where a container is in its life.
//!
//! Docker prints the status once as a word and once as flags. Here the word is
//! the only truth and the flags are derived when the JSON is written.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// A container's status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    #[default]
    Created,
    Running,
    Paused,
    Restarting,
    Removing,
    Exited,
    Dead,
}

impl Status {
    /// True while the container counts as running: also paused and between restarts.
    pub fn is_running(self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Restarting)
    }

    /// The word in `inspect` and in filters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Removing => "removing",
            Self::Exited => "exited",
            Self::Dead => "dead",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What changes while a container lives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StateJson", into = "StateJson")]
pub struct State {
    pub status: Status,
    pub oom_killed: bool,
    /// Zero when no process runs.
    pub pid: u32,
    pub exit_code: i32,
    /// Why the last start failed.
    pub error: String,
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
    pub health: Option<Health>,
}

/// Health of a container that has a check.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Health {
    pub status: HealthStatus,
    pub failing_streak: u32,
    /// The last five probes, oldest first.
    pub log: Vec<HealthLog>,
}

/// The verdict of the probes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    #[default]
    Starting,
    Healthy,
    Unhealthy,
    None,
}

impl fmt::Display for HealthStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::None => "none",
        })
    }
}

/// One probe.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct HealthLog {
    pub start: Timestamp,
    pub end: Timestamp,
    pub exit_code: i32,
    pub output: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StateJson {
    status: Status,
    running: bool,
    paused: bool,
    restarting: bool,
    #[serde(rename = "OOMKilled")]
    oom_killed: bool,
    dead: bool,
    pid: u32,
    exit_code: i32,
    error: String,
    started_at: Timestamp,
    finished_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    health: Option<Health>,
}

impl From<State> for StateJson {
    fn from(state: State) -> Self {
        Self {
            status: state.status,
            running: state.status.is_running(),
            paused: state.status == Status::Paused,
            restarting: state.status == Status::Restarting,
            oom_killed: state.oom_killed,
            dead: state.status == Status::Dead,
            pid: state.pid,
            exit_code: state.exit_code,
            error: state.error,
            started_at: state.started_at,
            finished_at: state.finished_at,
            health: state.health,
        }
    }
}

impl From<StateJson> for State {
    fn from(json: StateJson) -> Self {
        Self {
            status: json.status,
            oom_killed: json.oom_killed,
            pid: json.pid,
            exit_code: json.exit_code,
            error: json.error,
            started_at: json.started_at,
            finished_at: json.finished_at,
            health: json.health,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Health, HealthLog, HealthStatus, State, Status};

    #[test]
    fn flags_follow_the_status() {
        let state = State { status: Status::Paused, pid: 7, ..State::default() };
        let json = serde_json::to_string(&state).unwrap();
        assert_eq!(
            json,
            r#"{"Status":"paused","Running":true,"Paused":true,"Restarting":false,"OOMKilled":false,"Dead":false,"Pid":7,"ExitCode":0,"Error":"","StartedAt":"0001-01-01T00:00:00Z","FinishedAt":"0001-01-01T00:00:00Z"}"#
        );
        assert_eq!(serde_json::from_str::<State>(&json).unwrap(), state);
    }

    #[test]
    fn health_has_dockers_keys() {
        let log = HealthLog { exit_code: 1, output: "no\n".to_owned(), ..HealthLog::default() };
        let health = Health { status: HealthStatus::Starting, failing_streak: 1, log: vec![log] };
        assert_eq!(
            serde_json::to_string(&health).unwrap(),
            r#"{"Status":"starting","FailingStreak":1,"Log":[{"Start":"0001-01-01T00:00:00Z","End":"0001-01-01T00:00:00Z","ExitCode":1,"Output":"no\n"}]}"#
        );
    }
}
