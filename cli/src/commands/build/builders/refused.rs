//! Commands of `buildx` that there is nothing to do for.

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult};

macro_rules! refused {
    ($($name:ident, $what:literal, $why:literal;)+) => {$(
        #[doc = concat!("`", $what, "` is not supported")]
        #[derive(Debug, clap::Args)]
        pub(crate) struct $name {
            #[arg(value_name = "ARG", hide = true, allow_hyphen_values = true)]
            pub(crate) args: Vec<String>,
        }

        impl Runnable for $name {
            fn execute(self, _: &mut App) -> CommandResult {
                Err(CliError::unsupported($what, $why))
            }
        }
    )+};
}

refused! {
    Create, "buildx create", "there is one builder, \"default\", which is ready without being created";
    Dap, "buildx dap", "builds cannot be stepped through";
    DialStdio, "buildx dial-stdio", "there is no BuildKit to talk to";
    History, "buildx history", "no record is kept of builds; --metadata-file writes one";
    Imagetools, "buildx imagetools", "manifest lists are neither shown nor made; `pull` and `image inspect` show an image";
    Install, "buildx install", "`build` builds as `buildx build` does already";
    Policy, "buildx policy", "no policies of sources are applied";
    Uninstall, "buildx uninstall", "`build` builds as `buildx build` does, and there is no other builder";
}
