//! Every bound of this crate, with its reason.

/// Size of a Dockerfile. What a frontend can be handed by BuildKit ends at 16 MiB.
pub const DOCKERFILE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of one line, its end included: BuildKit refuses longer ones.
pub const LINE_BYTES_MAX: usize = 64 * 1024 - 1;

/// Bytes of one instruction, without the bodies of its heredocs. The kernel takes 128 KiB for one text of a program's.
pub const INSTRUCTION_BYTES_MAX: usize = 1024 * 1024;

/// Instructions of a file, with those that images add. Each takes about a kilobyte; large files have a hundred.
pub const INSTRUCTIONS_MAX: usize = 50_000;

/// Words of all instructions.
pub const WORDS_MAX: usize = 500_000;

/// `${A:-${B:-…}}` in each other. Nobody writes five; each costs a call.
pub const SUBSTITUTION_DEPTH_MAX: usize = 64;

/// What variables may add to a word: the kernel takes 128 KiB for one of a program's. A line that names a long
/// variable again and again would grow without end from line to line.
pub const EXPANDED_BYTES_MAX: usize = 1024 * 1024;

/// What all texts may take together that come out of variables: names, values, configurations, commands.
pub const VALUES_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Variables of one stage. Each stage has a list of its own.
pub const VARIABLES_MAX: usize = 4096;

/// Steps of a build. An image has at most 256 layers, and a file few stages.
pub const STEPS_MAX: usize = 20_000;

/// Stages of a file. Large ones have twenty.
pub const STAGES_MAX: usize = 1000;

/// Stages and images that something is taken from.
pub const SOURCES_MAX: usize = 20_000;

/// What a kept text takes beside its bytes: a short one takes much more than itself.
pub const TEXT_BYTES: usize = 64;

/// Heredocs of one instruction.
pub const HEREDOCS_MAX: usize = 1000;

/// Findings that get a suggestion: beyond that nobody reads them, and each is compared with all
/// variables.
pub const SUGGESTIONS_MAX: usize = 1000;

/// `ONBUILD` triggers of an image. Docker's layers end long before.
pub const TRIGGERS_MAX: usize = 1000;

/// A file that comes from a web server: far above any archive that is built from, and what keeps a server that never
/// ends from filling the disk.
pub const HTTP_SOURCE_BYTES_MAX: u64 = 16 << 30;

/// Fetched files and repositories that are kept, unless they were used in the last hour.
pub const SOURCES_KEPT_MAX: usize = 200;

/// Bytes of them.
pub const SOURCES_KEPT_BYTES_MAX: u64 = 4 << 30;

/// A secret; BuildKit has the same bound.
pub const SECRET_BYTES_MAX: usize = 500 * 1024;

/// What is kept of the output of one git command; a listing of references may be long.
pub const GIT_OUTPUT_BYTES_MAX: usize = 16 << 20;
