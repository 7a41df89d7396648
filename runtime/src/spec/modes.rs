//! Namespace modes as `HostConfig` spells them.

use super::SpecError;

/// `NetworkMode`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkMode {
    Host,
    None,
    /// Name or id after `container:`.
    Container(String),
    /// `bridge`, `default` or a network's name.
    Network(String),
}

/// `PidMode`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PidMode {
    Private,
    Host,
    Container(String),
}

/// `IpcMode`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IpcMode {
    Private,
    Shareable,
    /// Private, and without `/dev/shm`.
    None,
    Host,
    Container(String),
}

/// `UTSMode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UtsMode {
    Private,
    Host,
}

/// `CgroupnsMode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CgroupnsMode {
    Private,
    Host,
}

impl NetworkMode {
    pub fn parse(mode: &str) -> Self {
        match mode {
            "host" => Self::Host,
            "none" => Self::None,
            other => match other.strip_prefix("container:") {
                Some(name) => Self::Container(name.to_owned()),
                None => Self::Network(other.to_owned()),
            },
        }
    }
}

impl PidMode {
    /// # Errors
    /// For anything but empty, `private`, `host` and `container:NAME`.
    pub fn parse(mode: &str) -> Result<Self, SpecError> {
        match mode {
            "" | "private" => Ok(Self::Private),
            "host" => Ok(Self::Host),
            other => container(other)
                .map(Self::Container)
                .ok_or_else(|| SpecError::PidMode { mode: mode.to_owned() }),
        }
    }
}

impl IpcMode {
    /// # Errors
    /// For anything but Docker's modes.
    pub fn parse(mode: &str) -> Result<Self, SpecError> {
        match mode {
            "" | "private" => Ok(Self::Private),
            "shareable" => Ok(Self::Shareable),
            "none" => Ok(Self::None),
            "host" => Ok(Self::Host),
            other => container(other)
                .map(Self::Container)
                .ok_or_else(|| SpecError::IpcMode { mode: mode.to_owned() }),
        }
    }
}

impl UtsMode {
    /// # Errors
    /// For anything but empty, `private` and `host`.
    pub fn parse(mode: &str) -> Result<Self, SpecError> {
        match mode {
            "" | "private" => Ok(Self::Private),
            "host" => Ok(Self::Host),
            _ => Err(SpecError::UtsMode { mode: mode.to_owned() }),
        }
    }
}

impl CgroupnsMode {
    /// # Errors
    /// For anything but empty, `private` and `host`.
    pub fn parse(mode: &str) -> Result<Self, SpecError> {
        match mode {
            "" | "private" => Ok(Self::Private),
            "host" => Ok(Self::Host),
            _ => Err(SpecError::CgroupnsMode { mode: mode.to_owned() }),
        }
    }
}

fn container(mode: &str) -> Option<String> {
    mode.strip_prefix("container:").filter(|name| !name.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_modes() {
        assert_eq!(NetworkMode::parse("container:db"), NetworkMode::Container("db".to_owned()));
        assert_eq!(
            NetworkMode::parse("app_default"),
            NetworkMode::Network("app_default".to_owned())
        );
        assert_eq!(PidMode::parse("container:db").unwrap(), PidMode::Container("db".to_owned()));
        assert_eq!(IpcMode::parse("shareable").unwrap(), IpcMode::Shareable);
        assert_eq!(UtsMode::parse("host").unwrap(), UtsMode::Host);
    }

    #[test]
    fn refuses_others() {
        assert_eq!(IpcMode::parse("bogus").unwrap_err().to_string(), "invalid IPC mode: bogus");
        assert!(PidMode::parse("container:").is_err());
        assert!(UtsMode::parse("container:db").is_err());
        assert!(CgroupnsMode::parse("x").is_err());
    }
}
