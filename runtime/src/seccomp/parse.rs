//! Profiles from JSON, as `--security-opt seccomp=FILE` gives them.

use std::borrow::Cow;

use super::abi::Abi;
use super::ints::bits;
use super::json::{ArgJson, FilterJson, ProfileJson, SyscallJson};
use super::rules::{Action, Condition, Coverage, Op, Profile, Requirements, Rule};
use super::{KernelVersion, ProfileError};

/// System calls have six arguments.
const ARGUMENTS_MAX: u8 = 6;

impl Profile {
    /// Reads a profile in Docker's format or the OCI's.
    ///
    /// Calls and architectures this code does not know are passed over.
    ///
    /// # Errors
    /// For malformed JSON, unknown actions and operators, and profiles that need
    /// a listener, which is not supported.
    pub fn from_json(text: &str) -> Result<Self, ProfileError> {
        let json: ProfileJson =
            serde_json::from_str(text).map_err(|source| ProfileError::Parse { source })?;
        if json.listener_path.as_deref().is_some_and(|path| !path.is_empty()) {
            return Err(ProfileError::Listener);
        }
        let mut rules = Vec::new();
        for entry in json.syscalls.iter().flatten() {
            rules.extend(read(entry)?);
        }
        Ok(Self {
            default: action(&json.default_action, json.default_errno_ret)?,
            coverage: Cow::Owned(coverage(&json)?),
            rules: Cow::Owned(rules),
        })
    }
}

fn action(name: &str, errno: Option<u16>) -> Result<Action, ProfileError> {
    if name == "SCMP_ACT_NOTIFY" {
        return Err(ProfileError::Listener);
    }
    Action::parse(name, errno).ok_or_else(|| ProfileError::Action { name: name.to_owned() })
}

fn coverage(json: &ProfileJson) -> Result<Vec<Coverage>, ProfileError> {
    let listed = json.architectures.as_deref().unwrap_or_default();
    let mapped = json.arch_map.as_deref().unwrap_or_default();
    if !listed.is_empty() && !mapped.is_empty() {
        return Err(ProfileError::TwoArchitectureLists);
    }
    if mapped.is_empty() {
        // A plain list is for any machine: each covers what it has of it.
        return Ok([Abi::X86_64, Abi::Aarch64]
            .into_iter()
            .map(|native| Coverage { native, others: Cow::Owned(abis(listed)) })
            .collect());
    }
    Ok(mapped
        .iter()
        .filter_map(|entry| {
            let others = entry.sub_architectures.as_deref().unwrap_or_default();
            Some(Coverage { native: abi(&entry.architecture)?, others: Cow::Owned(abis(others)) })
        })
        .collect())
}

fn abis(names: &[String]) -> Vec<Abi> {
    names.iter().filter_map(|name| abi(name)).collect()
}

fn abi(name: &str) -> Option<Abi> {
    Abi::ALL.into_iter().find(|abi| abi.scmp_name() == name)
}

/// The rules of an entry: one, or with conditions one for each call, as the arguments of each have
/// types of their own.
fn read(json: &SyscallJson) -> Result<Vec<Rule>, ProfileError> {
    let names = json.names.as_deref().unwrap_or_default();
    let name = json.name.as_deref().filter(|name| !name.is_empty());
    if name.is_some() && !names.is_empty() {
        return Err(ProfileError::NameAndNames);
    }
    let all: Vec<&str> = name.into_iter().chain(names.iter().map(String::as_str)).collect();
    if json.args.iter().flatten().next().is_none() {
        return Ok(vec![rule(json, &all)?]);
    }
    // One that names nothing is read all the same, for its mistakes.
    let each: Vec<&[&str]> = if all.is_empty() { vec![&[]] } else { all.chunks(1).collect() };
    each.into_iter().map(|one| rule(json, one)).collect()
}

fn rule(json: &SyscallJson, names: &[&str]) -> Result<Rule, ProfileError> {
    let numbers =
        Abi::ALL.map(|abi| Cow::Owned(names.iter().filter_map(|name| abi.number(name)).collect()));
    let of = names.first().copied().unwrap_or_default();
    let conditions = json
        .args
        .iter()
        .flatten()
        .map(|argument| condition(argument, of))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Rule {
        numbers,
        action: action(&json.action, json.errno_ret)?,
        conditions: Cow::Owned(conditions),
        includes: requirements(json.includes.as_ref())?,
        excludes: requirements(json.excludes.as_ref())?,
    })
}

fn condition(json: &ArgJson, name: &str) -> Result<Condition, ProfileError> {
    let ArgJson { index, value, value_two, .. } = *json;
    if index >= ARGUMENTS_MAX {
        return Err(ProfileError::ArgumentIndex { index });
    }
    let op = Op::parse(&json.op).ok_or_else(|| ProfileError::Operator { name: json.op.clone() })?;
    let bits = Abi::ALL.map(|abi| bits(abi, name, index));
    Ok(Condition { index, op, value, value_two, bits })
}

fn requirements(json: Option<&FilterJson>) -> Result<Requirements, ProfileError> {
    let Some(json) = json else { return Ok(Requirements::default()) };
    let words = |list: &Option<Vec<String>>| {
        Cow::Owned(list.iter().flatten().cloned().map(Cow::Owned).collect())
    };
    let min_kernel = match json.min_kernel.as_deref() {
        None | Some("") => None,
        Some(text) => {
            Some(text.parse::<KernelVersion>().map_err(|source| ProfileError::Kernel { source })?)
        }
    };
    Ok(Requirements { caps: words(&json.caps), arches: words(&json.arches), min_kernel })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Profile::from_json(text).unwrap_err().to_string()
    }

    #[test]
    fn reads_the_oci_form() {
        let profile = Profile::from_json(
            r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X32"],
            "syscalls":[{"names":["mkdir","nosuchcall"],"action":"SCMP_ACT_ERRNO","errnoRet":13,
            "args":[{"index":1,"value":7,"op":"SCMP_CMP_EQ"}]}]}"#,
        )
        .unwrap();
        assert_eq!(profile.default, Action(0x7fff_0000));
        let rule = &profile.rules[0];
        assert_eq!(rule.numbers[Abi::X86_64.index()].as_ref(), [83]);
        assert_eq!(rule.numbers[Abi::X32.index()].as_ref(), [0x4000_0053]);
        assert_eq!(rule.action, Action(0x0005_000d));
        assert_eq!(rule.conditions[0].value, 7);
    }

    #[test]
    fn refuses_what_it_cannot_apply() {
        assert_eq!(error("{"), "cannot read the profile");
        assert_eq!(error(r#"{"defaultAction":"SCMP_ACT_X"}"#), "unknown action `SCMP_ACT_X`");
        assert_eq!(
            error(r#"{"defaultAction":"SCMP_ACT_NOTIFY"}"#),
            "profiles that hand system calls to a listener are not supported"
        );
        assert_eq!(
            error(
                r#"{"defaultAction":"SCMP_ACT_KILL","syscalls":[{"names":["a"],
                "action":"SCMP_ACT_KILL","args":[{"index":6,"value":1,"op":"SCMP_CMP_EQ"}]}]}"#
            ),
            "system calls have no argument 6"
        );
        assert_eq!(
            error(
                r#"{"defaultAction":"SCMP_ACT_KILL","architectures":["SCMP_ARCH_X86"],
                "archMap":[{"architecture":"SCMP_ARCH_X86_64"}]}"#
            ),
            "'architectures' and 'archMap' were specified in the seccomp profile, use either 'architectures' or 'archMap'"
        );
    }
}
