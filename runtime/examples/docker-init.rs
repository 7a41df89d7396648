//! The init of `--init` alone, for its tests: in the product it is the executable itself.

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    ExitCode::from(u8::try_from(coracle_runtime::start::tiny_init::main(&args)).unwrap_or(255))
}
