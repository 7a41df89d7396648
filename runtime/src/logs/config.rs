//! `--log-driver` and `--log-opt`: which are known, and what they mean.
//!
//! As in Docker, names are checked when a container is created and values when it starts.

use std::collections::BTreeMap;

use coracle_words::{size, strconv};

use super::LogError;
use super::attributes::attributes;
use crate::model::{Container, LogConfig};

/// Where the output of a container goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    JsonFile,
    Local,
    None,
}

impl Driver {
    /// The driver of that name.
    ///
    /// # Errors
    /// For one that Docker has and we do not, and for one that nobody has.
    pub fn parse(name: &str) -> Result<Self, LogError> {
        match name {
            // Docker's API takes the empty name for the default.
            "json-file" | "" => Ok(Self::JsonFile),
            "local" => Ok(Self::Local),
            "none" => Ok(Self::None),
            "awslogs" | "etwlogs" | "fluentd" | "gcplogs" | "gelf" | "journald" | "splunk"
            | "syslog" => Err(LogError::UnsupportedDriver { driver: name.to_owned() }),
            _ => Err(LogError::UnknownDriver { driver: name.to_owned() }),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::JsonFile => "json-file",
            Self::Local => "local",
            Self::None => "none",
        }
    }

    fn options(self) -> &'static [&'static str] {
        match self {
            Self::JsonFile | Self::Local => &[
                "max-file",
                "max-size",
                "compress",
                "labels",
                "labels-regex",
                "env",
                "env-regex",
                "tag",
                "mode",
                "max-buffer-size",
            ],
            Self::None => &[],
        }
    }
}

/// Checks driver and names of options, for when a container is created.
///
/// # Errors
/// For an unknown driver or option.
pub fn validate(config: &LogConfig) -> Result<Driver, LogError> {
    let driver = Driver::parse(&config.driver)?;
    if driver == Driver::None {
        // Docker takes any option for the driver that does nothing.
        return Ok(driver);
    }
    let mode = config.config.get("mode").map_or("", String::as_str);
    if !matches!(mode, "" | "blocking" | "non-blocking") {
        return Err(LogError::Mode { mode: mode.to_owned() });
    }
    if config.config.contains_key("max-buffer-size") && mode != "non-blocking" {
        return Err(LogError::BufferOfBlocking);
    }
    match config.config.keys().find(|name| !driver.options().contains(&name.as_str())) {
        Some(option) => {
            Err(LogError::UnknownOption { driver: driver.name(), option: option.clone() })
        }
        None => Ok(driver),
    }
}

/// How a container's log is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub driver: Driver,
    /// A file that reached this size is rotated; `None`: never.
    pub max_bytes: Option<u64>,
    /// Files kept, the current one included.
    pub max_files: u32,
    /// Rotated files are compressed with gzip.
    pub compress: bool,
    /// Stored with every entry, and shown by `logs --details`.
    pub attributes: BTreeMap<String, String>,
}

/// `max-size` of the local driver, in bytes.
const LOCAL_BYTES_MAX: u64 = 20_000_000;
/// `max-file` of the local driver.
const LOCAL_FILES_MAX: u32 = 5;

impl Plan {
    /// Reads the options of a container about to start.
    ///
    /// # Errors
    /// For an unknown driver or option, and for a value that makes no sense.
    pub fn new(container: &Container) -> Result<Self, LogError> {
        let config = &container.host_config.log_config;
        let driver = validate(config)?;
        let options = &config.config;
        Self::from_options(driver, options)
            .and_then(|plan| {
                let attributes = attributes(options, container)?;
                Ok(Self { attributes, ..plan })
            })
            .map_err(|complaint| LogError::Initialize { complaint })
    }

    fn from_options(driver: Driver, options: &BTreeMap<String, String>) -> Result<Self, String> {
        let (bytes, files) = match driver {
            Driver::Local => (Some(LOCAL_BYTES_MAX), LOCAL_FILES_MAX),
            Driver::JsonFile | Driver::None => (None, 1),
        };
        let mut plan = Self {
            driver,
            max_bytes: bytes,
            max_files: files,
            compress: false,
            attributes: BTreeMap::new(),
        };
        if driver == Driver::None {
            return Ok(plan);
        }
        if let Some(size) = options.get("max-size").filter(|size| *size != "-1") {
            let bytes = size::log(size).map_err(|error| error.to_string())?;
            if bytes == 0 {
                return Err("max-size must be a positive number".to_owned());
            }
            plan.max_bytes = Some(bytes);
        }
        if let Some(count) = options.get("max-file") {
            let count: i64 = count
                .parse()
                .map_err(|_| format!("strconv.Atoi: parsing {count:?}: invalid syntax"))?;
            plan.max_files = u32::try_from(count)
                .ok()
                .filter(|count| *count > 0)
                .ok_or("max-file cannot be less than 1")?;
        }
        if let Some(compress) = options.get("compress") {
            plan.compress = strconv::truth(compress).map_err(|error| error.to_string())?;
        }
        if plan.compress && (plan.max_files < 2 || plan.max_bytes.is_none()) {
            return Err("compress cannot be true when max-file is less than 2 or max-size is \
                        not set"
                .to_owned());
        }
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::{Driver, Plan, validate};
    use crate::model::{Container, HostConfig, LogConfig};

    fn config(driver: &str, options: &[(&str, &str)]) -> LogConfig {
        LogConfig {
            driver: driver.to_owned(),
            config: options.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect(),
        }
    }

    fn plan(driver: &str, options: &[(&str, &str)]) -> Result<Plan, String> {
        let host_config =
            HostConfig { log_config: config(driver, options), ..HostConfig::default() };
        Plan::new(&Container { host_config, ..Container::default() })
            .map_err(|error| error.to_string())
    }

    #[test]
    fn names_are_checked_in_dockers_words() {
        let complaint =
            |driver, options| validate(&config(driver, options)).map_err(|error| error.to_string());
        assert_eq!(complaint("", &[]), Ok(Driver::JsonFile));
        assert_eq!(complaint("none", &[("x", "y")]), Ok(Driver::None));
        assert_eq!(
            complaint("bogus", &[]).unwrap_err(),
            "error looking up logging plugin bogus: plugin \"bogus\" not found"
        );
        assert_eq!(
            complaint("json-file", &[("bogus", "1")]).unwrap_err(),
            "unknown log opt 'bogus' for json-file log driver"
        );
        assert_eq!(
            complaint("syslog", &[]).unwrap_err(),
            "logging driver \"syslog\" is not supported"
        );
        assert_eq!(
            complaint("json-file", &[("mode", "x")]).unwrap_err(),
            "logger: logging mode not supported: x"
        );
        assert_eq!(
            complaint("json-file", &[("max-buffer-size", "1m")]).unwrap_err(),
            "logger: max-buffer-size option is only supported with 'mode=non-blocking'"
        );
        assert_eq!(
            complaint("local", &[("bogus", "a")]).unwrap_err(),
            "unknown log opt 'bogus' for local log driver"
        );
        assert_eq!(
            complaint("syslog", &[]).unwrap_err(),
            "logging driver \"syslog\" is not supported"
        );
    }

    #[test]
    fn values_are_checked_in_dockers_words() {
        let complaint = |options| {
            let text = plan("json-file", options).unwrap_err();
            text.strip_prefix(
                "failed to create task for container: failed to initialize logging driver: ",
            )
            .unwrap()
            .to_owned()
        };
        assert_eq!(complaint(&[("max-size", "x")]), "invalid size: 'x'");
        assert_eq!(complaint(&[("max-size", "0")]), "max-size must be a positive number");
        assert_eq!(complaint(&[("max-file", "0")]), "max-file cannot be less than 1");
        assert_eq!(complaint(&[("max-file", "x")]), "strconv.Atoi: parsing \"x\": invalid syntax");
        assert_eq!(
            complaint(&[("compress", "true"), ("max-size", "1k")]),
            "compress cannot be true when max-file is less than 2 or max-size is not set"
        );
    }

    #[test]
    fn defaults() {
        let json = plan("json-file", &[]).unwrap();
        assert_eq!((json.max_bytes, json.max_files, json.compress), (None, 1, false));
        let local = plan("local", &[]).unwrap();
        assert_eq!((local.max_bytes, local.max_files), (Some(20_000_000), 5));
        let set =
            plan("json-file", &[("max-size", "10m"), ("max-file", "3"), ("compress", "true")])
                .unwrap();
        assert_eq!((set.max_bytes, set.max_files, set.compress), (Some(10_000_000), 3, true));
    }
}
