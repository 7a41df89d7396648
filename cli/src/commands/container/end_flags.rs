//! How a container is asked to end: the flags that `stop` and `restart` share.

use crate::args::values;
use crate::commands::signal_number;
use crate::error::CliError;

// No doc comment: it would replace the description of the command it is part of.
#[derive(Debug, clap::Args)]
pub(crate) struct EndFlags {
    /// Signal sent first instead of the configured one
    #[arg(long, short = 's', value_name = "string")]
    signal: Option<String>,
    /// Seconds before SIGKILL; -1 waits for ever
    #[arg(long, short = 't', value_name = "int", value_parser = values::int)]
    timeout: Option<i64>,
    /// Old spelling of --timeout (deprecated)
    #[arg(long, value_parser = values::int, hide = true)]
    time: Option<i64>,
}

impl EndFlags {
    pub(crate) fn signal(&self) -> Result<Option<i32>, CliError> {
        self.signal.as_deref().map(signal_number).transpose()
    }

    /// Seconds; the container's own when there are none.
    pub(crate) fn grace(&self) -> Option<i64> {
        self.timeout.or(self.time)
    }
}
