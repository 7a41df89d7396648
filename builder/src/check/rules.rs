//! The rules, with BuildKit's names and words.
//!
//! Source: <https://docs.docker.com/reference/build-checks/>.

/// A rule that is broken, and by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule<'a> {
    ConsistentInstructionCasing { name: &'a str, casing: &'a str },
    CopyIgnoredFile { verb: &'a str, path: &'a str },
    DuplicateStageName { name: &'a str },
    ExposeInvalidFormat { port: &'a str },
    ExposeProtoCasing { port: &'a str },
    FromAsCasing { from: &'a str, word: &'a str },
    FromPlatformFlagConstDisallowed { platform: &'a str },
    InvalidBaseImagePlatform { image: &'a str, expected: &'a str, actual: &'a str },
    InvalidDefaultArgInFrom { base: &'a str },
    InvalidDefinitionDescription { instruction: &'a str, name: &'a str },
    JsonArgsRecommended { instruction: &'a str },
    LegacyKeyValueFormat { instruction: &'a str },
    MaintainerDeprecated,
    MultipleInstructionsDisallowed { instruction: &'a str },
    NoEmptyContinuation,
    RedundantTargetPlatform { platform: &'a str },
    ReservedStageName { name: &'a str },
    SecretsUsedInArgOrEnv { instruction: &'a str, name: &'a str },
    StageNameCasing { name: &'a str },
    UndefinedArgInFrom { name: &'a str, near: Option<&'a str> },
    UndefinedVar { name: &'a str, near: Option<&'a str> },
    WorkdirRelativePath { path: &'a str },
}

impl Rule<'_> {
    /// Only looked for when it is asked for.
    pub(super) fn is_experimental(&self) -> bool {
        matches!(self, Self::InvalidDefinitionDescription { .. })
    }

    /// Where it is explained. One is not.
    pub(super) fn url(&self) -> String {
        let page = match self {
            Self::InvalidBaseImagePlatform { .. } => return String::new(),
            // The name in small letters, with dashes between its words.
            Self::JsonArgsRecommended { .. } => "json-args-recommended".to_owned(),
            _ => {
                let mut page = String::new();
                for (at, c) in self.name().char_indices() {
                    if c.is_ascii_uppercase() && at > 0 {
                        page.push('-');
                    }
                    page.push(c.to_ascii_lowercase());
                }
                page
            }
        };
        format!("https://docs.docker.com/go/dockerfile/rule/{page}/")
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.facts().0
    }

    /// What it asks for.
    pub(super) fn description(&self) -> &'static str {
        self.facts().1
    }

    #[rustfmt::skip]
    fn facts(&self) -> (&'static str, &'static str) {
        match self {
            Self::ConsistentInstructionCasing { .. } => ("ConsistentInstructionCasing", "All commands within the Dockerfile should use the same casing (either upper or lower)"),
            Self::CopyIgnoredFile { .. } => ("CopyIgnoredFile", "Attempting to Copy file that is excluded by .dockerignore"),
            Self::DuplicateStageName { .. } => ("DuplicateStageName", "Stage names should be unique"),
            Self::ExposeInvalidFormat { .. } => ("ExposeInvalidFormat", "IP address and host-port mapping should not be used in EXPOSE instruction. This will become an error in a future release"),
            Self::ExposeProtoCasing { .. } => ("ExposeProtoCasing", "Protocol in EXPOSE instruction should be lowercase"),
            Self::FromAsCasing { .. } => ("FromAsCasing", "The 'as' keyword should match the case of the 'from' keyword"),
            Self::FromPlatformFlagConstDisallowed { .. } => ("FromPlatformFlagConstDisallowed", "FROM --platform flag should not use a constant value"),
            Self::InvalidBaseImagePlatform { .. } => ("InvalidBaseImagePlatform", "Base image platform does not match expected target platform"),
            Self::InvalidDefaultArgInFrom { .. } => ("InvalidDefaultArgInFrom", "Default value for global ARG results in an empty or invalid base image name"),
            Self::InvalidDefinitionDescription { .. } => ("InvalidDefinitionDescription", "Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`. If this is not intended to be a description comment, add an empty line or comment between the instruction and the comment."),
            Self::JsonArgsRecommended { .. } => ("JSONArgsRecommended", "JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals"),
            Self::LegacyKeyValueFormat { .. } => ("LegacyKeyValueFormat", "Legacy key/value format with whitespace separator should not be used"),
            Self::MaintainerDeprecated => ("MaintainerDeprecated", "The MAINTAINER instruction is deprecated, use a label instead to define an image author"),
            Self::MultipleInstructionsDisallowed { .. } => ("MultipleInstructionsDisallowed", "Multiple instructions of the same type should not be used in the same stage"),
            Self::NoEmptyContinuation => ("NoEmptyContinuation", "Empty continuation lines will become errors in a future release"),
            Self::RedundantTargetPlatform { .. } => ("RedundantTargetPlatform", "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior"),
            Self::ReservedStageName { .. } => ("ReservedStageName", "Reserved words should not be used as stage names"),
            Self::SecretsUsedInArgOrEnv { .. } => ("SecretsUsedInArgOrEnv", "Sensitive data should not be used in the ARG or ENV commands"),
            Self::StageNameCasing { .. } => ("StageNameCasing", "Stage names should be lowercase"),
            Self::UndefinedArgInFrom { .. } => ("UndefinedArgInFrom", "FROM command must use declared ARGs"),
            Self::UndefinedVar { .. } => ("UndefinedVar", "Variables should be defined before their use"),
            Self::WorkdirRelativePath { .. } => ("WorkdirRelativePath", "Relative workdir without an absolute workdir declared within the build can have unexpected results if the base image changes"),
        }
    }

    /// What is wrong here.
    #[rustfmt::skip]
    pub(super) fn detail(&self) -> String {
        match self {
            Self::ConsistentInstructionCasing { name, casing } => format!("Command '{name}' should match the case of the command majority ({casing})"),
            Self::CopyIgnoredFile { verb, path } => format!("Attempting to {verb} file {path:?} that is excluded by .dockerignore"),
            Self::DuplicateStageName { name } => format!("Duplicate stage name {name:?}, stage names should be unique"),
            Self::ExposeInvalidFormat { port } => format!("EXPOSE instruction should not define an IP address or host-port mapping, found '{port}'"),
            Self::ExposeProtoCasing { port } => format!("Defined protocol '{port}' in EXPOSE instruction should be lowercase"),
            Self::FromAsCasing { from, word } => format!("'{word}' and '{from}' keywords' casing do not match"),
            Self::FromPlatformFlagConstDisallowed { platform } => format!("FROM --platform flag should not use constant value {platform:?}"),
            Self::InvalidBaseImagePlatform { image, expected, actual } => format!("Base image {image} was pulled with platform {actual:?}, expected {expected:?} for current build"),
            Self::InvalidDefaultArgInFrom { base } => format!("Default value for ARG {base} results in empty or invalid base image name"),
            Self::InvalidDefinitionDescription { instruction, name } => format!("Comment for {instruction} should follow the format: `# {name} <description>`"),
            Self::JsonArgsRecommended { instruction } => format!("JSON arguments recommended for {instruction} to prevent unintended behavior related to OS signals"),
            Self::LegacyKeyValueFormat { instruction } => format!("\"{instruction} key=value\" should be used instead of legacy \"{instruction} key value\" format"),
            Self::MaintainerDeprecated => "Maintainer instruction is deprecated in favor of using label".to_owned(),
            Self::MultipleInstructionsDisallowed { instruction } => format!("Multiple {instruction} instructions should not be used in the same stage because only the last one will be used"),
            Self::NoEmptyContinuation => "Empty continuation line".to_owned(),
            Self::RedundantTargetPlatform { platform } => format!("Setting platform to predefined {platform} in FROM is redundant as this is the default behavior"),
            Self::ReservedStageName { name } => format!("Stage name should not use the same name as reserved stage {name:?}"),
            Self::SecretsUsedInArgOrEnv { instruction, name } => format!("Do not use ARG or ENV instructions for sensitive data ({instruction} {name:?})"),
            Self::StageNameCasing { name } => format!("Stage name '{name}' should be lowercase"),
            Self::UndefinedArgInFrom { name, near } => format!("FROM argument '{name}' is not declared{}", meant("", *near)),
            Self::UndefinedVar { name, near } => format!("Usage of undefined variable '${name}'{}", meant("$", *near)),
            Self::WorkdirRelativePath { path } => format!("Relative workdir {path:?} can have unexpected results if the base image changes"),
        }
    }
}

fn meant(mark: &str, near: Option<&str>) -> String {
    near.map(|near| format!(" (did you mean {mark}{near}?)")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::Rule;

    #[test]
    fn pages_are_named_after_the_rules() {
        let base = "https://docs.docker.com/go/dockerfile/rule/";
        for (rule, page) in [
            (
                Rule::SecretsUsedInArgOrEnv { instruction: "", name: "" },
                "secrets-used-in-arg-or-env/",
            ),
            (Rule::JsonArgsRecommended { instruction: "" }, "json-args-recommended/"),
            (Rule::NoEmptyContinuation, "no-empty-continuation/"),
            (Rule::UndefinedArgInFrom { name: "", near: None }, "undefined-arg-in-from/"),
        ] {
            assert_eq!(rule.url(), format!("{base}{page}"));
        }
    }
}
