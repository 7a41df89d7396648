//! Skips with a name: a test that cannot run here says so in a file that `scripts/test` counts.

use std::{fs::OpenOptions, io::Write, path::Path};

use crate::settings::settings;

/// Ends the test at once and records why.
#[macro_export]
macro_rules! skip {
    ($($why:tt)*) => {{
        $crate::skip::record(&format!($($why)*));
        return;
    }};
}

/// Adds `SKIP e2e <test> <why>` to the file of skips. One `write` of one short line, so lines stay whole.
pub fn record(why: &str) {
    let thread = std::thread::current();
    let line = format!("SKIP e2e {} {why}\n", thread.name().unwrap_or("?"));
    let Some(path) = &settings().skips else { return };
    let mut file = OpenOptions::new().append(true).open(path).expect("the file of skips opens");
    file.write_all(line.as_bytes()).expect("the file of skips can be written");
}

/// The path of a program on this machine, if it is installed.
pub fn program(name: &str) -> Option<std::path::PathBuf> {
    ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]
        .iter()
        .map(|dir| Path::new(dir).join(name))
        .find(|path| path.is_file())
}
