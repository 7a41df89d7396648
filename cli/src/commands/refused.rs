//! Commands that are there to say why they are not.

/// A command of each row: its type, its words, and the reason.
macro_rules! refused {
    ($($name:ident, $what:literal, $why:literal;)+) => {$(
        #[doc = concat!("`", $what, "` is not supported")]
        #[derive(Debug, clap::Args)]
        pub(crate) struct $name {
            #[arg(value_name = "ARG", hide = true, allow_hyphen_values = true)]
            pub(crate) args: Vec<String>,
        }

        impl $crate::args::Runnable for $name {
            fn execute(self, _: &mut $crate::app::App) -> $crate::error::CommandResult {
                Err($crate::error::CliError::unsupported($what, $why))
            }
        }
    )+};
}

pub(crate) use refused;
