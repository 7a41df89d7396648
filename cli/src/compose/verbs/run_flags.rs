//! What the flags of `compose run` change of a service.

use coracle_compose::project::Service;
use coracle_words::pair;

use crate::error::CliError;

/// What is to be otherwise than the file has it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overrides {
    pub(crate) command: Vec<String>,
    pub(crate) entrypoint: Option<String>,
    /// `KEY=VALUE`
    pub(crate) env: Vec<String>,
    pub(crate) labels: Vec<String>,
    pub(crate) cap_add: Vec<String>,
    pub(crate) cap_drop: Vec<String>,
    pub(crate) user: Option<String>,
    pub(crate) working_dir: Option<String>,
    pub(crate) tty: bool,
    pub(crate) stdin_open: bool,
    /// The ports of the service are published.
    pub(crate) ports: bool,
}

impl Overrides {
    /// The service as it is to be run.
    pub(crate) fn apply(self, service: &Service) -> Result<Service, CliError> {
        let mut service = service.clone();
        service.tty = self.tty;
        service.stdin_open = self.stdin_open;
        if !self.ports {
            service.ports.clear();
        }
        let given = !self.command.is_empty();
        if given {
            service.command = Some(self.command);
        }
        if let Some(line) = &self.entrypoint {
            let words = coracle_compose::split_words(line);
            let wrong = || CliError::plain(format!("invalid command line string: {line}"));
            service.entrypoint = Some(words.ok_or_else(wrong)?);
            if !given {
                // The command was one of the former entry point.
                service.command = Some(Vec::new());
            }
        }
        for entry in self.env {
            let (key, value) = pair(&entry);
            service.environment.insert(key.to_owned(), Some(value.to_owned()));
        }
        for entry in self.labels {
            let (key, value) = entry
                .split_once('=')
                .ok_or_else(|| CliError::plain("label must be set as KEY=VALUE"))?;
            service.labels.insert(key.to_owned(), value.to_owned());
        }
        // What is given wins over the opposite in the file.
        service.cap_drop.retain(|name| !self.cap_add.contains(name));
        service.cap_add.retain(|name| !self.cap_drop.contains(name));
        service.cap_add.extend(self.cap_add);
        service.cap_drop.extend(self.cap_drop);
        if let Some(user) = self.user.filter(|user| !user.is_empty()) {
            service.user = Some(user);
        }
        if let Some(folder) = self.working_dir.filter(|folder| !folder.is_empty()) {
            service.working_dir = folder;
        }
        Ok(service)
    }
}

#[cfg(test)]
mod tests {
    use coracle_compose::project::Port;

    use crate::compose::verbs::run_flags::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    fn service() -> Service {
        Service {
            command: Some(words(&["serve"])),
            entrypoint: Some(words(&["/entry"])),
            cap_drop: words(&["NET_RAW", "CHOWN"]),
            ports: vec![Port { target: 80, ..Port::default() }],
            ..Service::default()
        }
    }

    #[test]
    fn an_entry_point_takes_the_command_of_the_service_away() {
        let entrypoint = Some("sh -c 'a b'".to_owned());
        let changed = Overrides { entrypoint, ..Overrides::default() }.apply(&service()).unwrap();
        assert_eq!(changed.entrypoint, Some(words(&["sh", "-c", "a b"])));
        assert_eq!(changed.command, Some(vec![]));
        assert!(changed.ports.is_empty());
    }

    #[test]
    fn what_is_given_wins() {
        let overrides = Overrides {
            command: words(&["echo", "x"]),
            env: words(&["A=1=2", "B="]),
            labels: words(&["k=v"]),
            cap_add: words(&["CHOWN"]),
            ports: true,
            ..Overrides::default()
        };
        let changed = overrides.apply(&service()).unwrap();
        assert_eq!(changed.command, Some(words(&["echo", "x"])));
        assert_eq!(changed.entrypoint, Some(words(&["/entry"])));
        assert_eq!(changed.environment["A"].as_deref(), Some("1=2"));
        assert_eq!(changed.environment["B"].as_deref(), Some(""));
        assert_eq!((changed.cap_add, changed.cap_drop), (words(&["CHOWN"]), words(&["NET_RAW"])));
        assert_eq!((changed.labels["k"].as_str(), changed.ports.len()), ("v", 1));
        let bare = Overrides { labels: words(&["k"]), ..Overrides::default() };
        assert_eq!(bare.apply(&service()).unwrap_err().message, "label must be set as KEY=VALUE");
    }
}
