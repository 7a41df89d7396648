//! Docker's default profile, as the build script wrote it.

use std::borrow::Cow;

use super::KernelVersion;
use super::abi::Abi;
use super::rules::{Action, Condition, Coverage, Op, Profile, Requirements, Rule};

include!(concat!(env!("OUT_DIR"), "/seccomp_default.rs"));
