//! `swarm update`: change the settings of the swarm.

use std::io::Write as _;

use coracle_swarm::protocol::{Request, Rotate};

use super::settings::SettingFlags;
use super::words;
use crate::app::App;
use crate::args::{Runnable, command_help, values};
use crate::error::{CommandResult, ExitStatus};

/// Change the settings of the swarm
#[derive(Debug, clap::Args)]
pub(crate) struct SwarmUpdateArgs {
    /// Keep the key of secrets off the disk, or no longer (true or false)
    #[arg(
        long,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_name = "bool",
        value_parser = values::switch
    )]
    pub(crate) autolock: Option<bool>,
    #[command(flatten)]
    pub(crate) settings: SettingFlags,
}

impl Runnable for SwarmUpdateArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        if self.autolock.is_none() && !self.settings.is_any() {
            // As Docker: who changes nothing is told what could be changed.
            let help = app
                .table
                .by_name("swarm update")
                .map(|spec| command_help(app.program, "swarm update", spec));
            app.ui.data().write_all(help.unwrap_or_default().as_bytes())?;
            return Ok(ExitStatus::Success);
        }
        let swarm = app.manager()?;
        let cluster = &swarm.state.cluster;
        let mut spec = cluster.spec.clone();
        self.settings.apply(&mut spec)?;
        let was_locking = spec.encryption_config.auto_lock_managers;
        let locks = self.autolock.unwrap_or(was_locking);
        spec.encryption_config.auto_lock_managers = locks;
        app.order(&Request::UpdateCluster {
            version: cluster.meta.version.index,
            spec: Box::new(spec),
            rotate: Rotate::default(),
        })?;
        writeln!(app.ui.data(), "Swarm updated.")?;
        if locks && !was_locking {
            let key = app.text_of(&Request::UnlockKey { rotate: false })?;
            app.ui.data().write_all(words::unlock(app.program, &key).as_bytes())?;
        }
        Ok(ExitStatus::Success)
    }
}
