//! The scripts that make a shell ask.

use std::str::FromStr;

/// Every name this program has for people.
pub(crate) const NAMES: [&str; 3] = ["coracle", "docker", "docker-compose"];

/// A shell that asks at each press of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl FromStr for Shell {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "bash" => Ok(Self::Bash),
            "zsh" => Ok(Self::Zsh),
            "fish" => Ok(Self::Fish),
            _ => Err(()),
        }
    }
}

/// Its script, for these names.
pub(crate) fn script(shell: Shell, names: &[&str]) -> String {
    let for_all = match shell {
        Shell::Bash => include_str!("coracle.bash"),
        Shell::Zsh => include_str!("coracle.zsh"),
        Shell::Fish => include_str!("coracle.fish"),
    };
    for_all.replace(&NAMES.join(" "), &names.join(" "))
}
