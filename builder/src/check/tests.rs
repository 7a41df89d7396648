//! Findings and faults of small files, after those of the corpus.

use super::*;
use crate::ignore::Ignore;
use crate::walk::{BaseImage, Unavailable};
use coracle_image::{Platform, Reference};

mod hostile;

/// An image that says something of itself, one that does not, and others.
struct Local;

impl Images for Local {
    fn image(&mut self, name: &Reference, _: &Platform) -> Result<Option<BaseImage>, Unavailable> {
        let mut image = BaseImage::default();
        match name.path() {
            "library/alpine" => {}
            "library/rich" => {
                let config = &mut image.config.config;
                config.env = Some(vec!["PATH=/bin".into(), "LANG=C".into()]);
                config.shell = Some(vec!["/bin/bash".into(), "-c".into()]);
                config.on_build = Some(vec!["COPY --from=one $SRC /".into()]);
                (image.config.os, image.config.architecture) = ("linux".into(), "s390x".into());
            }
            _ => return Ok(None),
        }
        Ok(Some(image))
    }
}

fn checked(text: &str) -> Checked {
    check(text, &Request::default(), &mut Local)
}

/// `RULE:LINE` of each finding.
fn rules(text: &str) -> Vec<String> {
    let checked = checked(text);
    assert_eq!(checked.fault, None, "{text}");
    let short = |it: &Finding| format!("{}:{}", it.rule, it.at[0].first);
    checked.findings.iter().map(short).collect()
}

fn fault(text: &str) -> String {
    checked(text).fault.unwrap().message
}

#[test]
fn names_and_words_of_from() {
    assert_eq!(
        rules("FROM alpine as Base\nfrom alpine AS base\nRUN x\nFROM alpine AS scratch\n"),
        [
            "StageNameCasing:1",
            "FromAsCasing:1",
            "FromAsCasing:2",
            "DuplicateStageName:2",
            "ConsistentInstructionCasing:2",
            "ReservedStageName:4"
        ]
    );
    assert_eq!(
        rules(
            "FROM --platform=$TARGETPLATFORM alpine\nFROM --platform=linux/arm64 alpine\n\
               FROM --platform=linux/arm64 alpine AS arm64\nFROM --platform=$BUILDPLATFORM alpine\n"
        ),
        ["RedundantTargetPlatform:1", "FromPlatformFlagConstDisallowed:2"]
    );
    let found = checked("FROM alpine AS one\nFROM rich\n").findings;
    let foreign = found.iter().filter(|it| it.rule == "InvalidBaseImagePlatform");
    assert_eq!(foreign.count(), usize::from(Platform::host().architecture != "s390x"));
}

#[test]
fn variables_of_from() {
    assert_eq!(rules("ARG A\nFROM alpine$A\n"), Vec::<String>::new());
    let checked = checked("ARG TAG=1\nFROM alpine:$TGA\n");
    let details: Vec<_> = checked.findings.iter().map(|it| it.detail.as_str()).collect();
    assert_eq!(
        details,
        [
            "Default value for ARG alpine:$TGA results in empty or invalid base image name",
            "FROM argument 'TGA' is not declared (did you mean TAG?)"
        ]
    );
    assert!(checked.fault.unwrap().message.contains("invalid reference format"));
    assert_eq!(fault("FROM $X\n"), "base name ($X) should not be blank");
    assert_eq!(fault("FROM --platform=$X alpine\n"), "empty platform value from expression $X");
}

#[test]
fn undefined_variables() {
    let checked = checked("FROM alpine\nARG A\nENV B=$A C=$PATH D=${U:-x}\nWORKDIR /$Bx\nRUN $N\n");
    let said: Vec<_> =
        checked.findings.iter().map(|it| (it.at[0].first, it.detail.as_str())).collect();
    assert_eq!(
        said,
        [
            (3, "Usage of undefined variable '$U'"),
            (4, "Usage of undefined variable '$Bx' (did you mean $B?)")
        ]
    );
    assert_eq!(rules("FROM nosuch\nLABEL a=$LANG\n"), Vec::<String>::new(), "it may be set there");
    assert_eq!(rules("FROM nosuch AS a\nFROM a\nLABEL a=$LANG\n"), Vec::<String>::new());
    assert_eq!(
        rules("FROM alpine AS a\nARG X=1\nENV Y=2\nFROM a\nLABEL a=$X b=$Y c=$Z\n"),
        ["UndefinedVar:5"]
    );
    assert_eq!(
        rules("FROM alpine\nCOPY <<E /x\n$A 'it\nE\nCOPY <<'E' /x\n$B\nE\n"),
        ["UndefinedVar:2"]
    );
}

#[test]
fn what_only_counts_once() {
    assert_eq!(
        rules(
            "FROM alpine\nCMD a\nENTRYPOINT [\"a\"]\nCMD [\"b\"]\nENTRYPOINT [\"c\"]\nFROM alpine\nCMD [\"x\"]\n"
        ),
        [
            "JSONArgsRecommended:2",
            "MultipleInstructionsDisallowed:2",
            "MultipleInstructionsDisallowed:3"
        ]
    );
    assert_eq!(rules("FROM alpine\nSHELL [\"x\"]\nCMD a\n"), Vec::<String>::new());
}

#[test]
fn old_and_dangerous_forms() {
    assert_eq!(
        rules(
            "FROM alpine\nENV A b\nLABEL a b\nMAINTAINER me\nWORKDIR rel\nWORKDIR rel2\n\
               ARG API_TOKEN\nENV KEY_FILE=x DB_PASSWORD=y\nRUN a \\\n\n b\n"
        ),
        [
            "LegacyKeyValueFormat:2",
            "LegacyKeyValueFormat:3",
            "MaintainerDeprecated:4",
            "WorkdirRelativePath:5",
            "SecretsUsedInArgOrEnv:7",
            "SecretsUsedInArgOrEnv:8",
            "NoEmptyContinuation:11"
        ]
    );
    assert_eq!(rules("FROM alpine AS a\nWORKDIR /x\nFROM a\nWORKDIR rel\n"), Vec::<String>::new());
}

#[test]
fn rules_are_skipped_by_file_and_by_instruction() {
    let none = Vec::<String>::new();
    assert_eq!(rules("# check=skip=all\nFROM alpine\nENV A b\n"), none);
    assert_eq!(
        rules("FROM alpine\n# check=skip=LegacyKeyValueFormat old\nENV A b\nENV B c\n"),
        ["LegacyKeyValueFormat:4"]
    );
    assert_eq!(
        rules("FROM alpine\n# check=skip=all\nMAINTAINER x\nMAINTAINER y\n"),
        ["MaintainerDeprecated:4"]
    );
    let described = "# check=experimental=all\n# other words\nARG A=1\n# b is it\nFROM alpine AS b\n# x\nFROM alpine AS c\n";
    assert_eq!(
        rules(described),
        ["InvalidDefinitionDescription:3", "InvalidDefinitionDescription:7"]
    );
    assert_eq!(
        fault("# check=error=true\nFROM alpine\nCMD a\n"),
        "lint violation found for rules: JSONArgsRecommended"
    );
    assert_eq!(checked("# check=error=true\nFROM alpine\n").fault, None);
    assert_eq!(
        fault("# check=bogus\nFROM alpine\n"),
        "failed to parse check options: invalid check option \"bogus\""
    );
}

#[test]
fn stages_that_cannot_be() {
    for (text, why) in [
        ("", "the Dockerfile cannot be empty"),
        ("ARG A=1\n", "dockerfile contains no stages to build"),
        (
            "FROM Alpine\n",
            "failed to parse stage name \"Alpine\": invalid reference format: repository name (library/Alpine) must be lowercase",
        ),
        ("FROM alpine AS a\nCOPY --from=a /x /\n", "circular dependency detected on stage: a"),
        (
            "FROM alpine AS a\nCOPY --from=b /x /\nFROM alpine AS b\nRUN --mount=from=a,target=/x true\n",
            "circular dependency detected on stage: a",
        ),
        ("FROM alpine\nCOPY --from=7 /x /\n", "invalid stage index 7"),
        (
            "FROM alpine AS a\nCOPY --from=b /x /\nFROM alpine AS b\n",
            "cannot copy from stage \"b\", it needs to be defined before current stage \"a\"",
        ),
        (
            "FROM alpine\nCOPY --from=$X /x /\n",
            "variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround",
        ),
        ("ARG SOURCE_DATE_EPOCH=yesterday\nFROM alpine\n", "invalid SOURCE_DATE_EPOCH: yesterday"),
    ] {
        assert_eq!(fault(text), why);
    }
    let target = |target: &str| {
        let request = Request { target: Some(target.to_owned()), ..Request::default() };
        check("FROM alpine AS base\nCMD x\nFROM alpine\nCMD y\n", &request, &mut Local)
    };
    assert_eq!(
        target("bsae").fault.unwrap().message,
        "target stage \"bsae\" could not be found (did you mean base?)"
    );
    let lines: Vec<_> = target("base").findings.iter().map(|it| it.at[0].first).collect();
    assert_eq!(lines, [2], "other stages are left alone");
}

#[test]
fn instructions_that_cannot_be() {
    for (line, why) in [
        ("EXPOSE bogus", "invalid containerPort: bogus"),
        ("STOPSIGNAL BOGUS", "invalid signal: BOGUS"),
        ("RUN --mount=type=bogus,target=/x true", "unsupported mount type \"bogus\""),
        ("RUN --mount=target=/ true", "invalid mount target \"/\""),
        (
            "RUN --device=x true",
            "device feature is only supported in Dockerfile frontend 1.14.0-labs or later",
        ),
        (
            "COPY --chmod=999 a /a",
            "invalid chmod parameter: '999'. it should be octal string and between 0 and 07777",
        ),
        ("COPY http://x/y /a", "source can't be a URL for COPY"),
        ("ADD --checksum=sha256:00 a /a", "checksum requires HTTP(S) or Git sources"),
        ("LABEL a=${x^}", "failed to process \"${x^}\": unsupported modifier (^) in substitution"),
        ("VOLUME $X", "VOLUME specified can not be an empty string"),
    ] {
        assert_eq!(fault(&format!("FROM alpine\n{line}\n")), why);
    }
}

#[test]
fn what_the_base_image_asks_for_comes_first() {
    let text = "FROM alpine AS one\nFROM rich\nLABEL a=$LANG\nCMD x\n";
    let checked = checked(text);
    let found: Vec<_> = checked.findings.iter().filter(|it| it.rule == "UndefinedVar").collect();
    assert_eq!(found.len(), 1, "{checked:?}");
    assert_eq!(
        (found[0].at[0].first, found[0].detail.as_str()),
        (2, "Usage of undefined variable '$SRC'")
    );
    assert!(
        checked.findings.iter().all(|it| it.rule != "JSONArgsRecommended"),
        "it brings a shell"
    );
}

#[test]
fn files_that_the_context_leaves_out() {
    let request = Request { ignore: Some(Ignore::parse("*.log\n")), ..Request::default() };
    let text = "FROM alpine AS a\nCOPY b.log /\nADD ./b.log /\nCOPY --from=a b.log /x\nCOPY a /\n";
    let found = check(text, &request, &mut Local).findings;
    let said: Vec<_> = found.iter().map(|it| it.detail.as_str()).collect();
    // The third takes from itself.
    assert_eq!(said.len(), 0);
    let text = text.replace("COPY --from=a b.log /x\n", "");
    let found = check(&text, &request, &mut Local).findings;
    let said: Vec<_> = found.iter().map(|it| it.detail.as_str()).collect();
    assert_eq!(
        said,
        [
            "Attempting to Copy file \"b.log\" that is excluded by .dockerignore",
            "Attempting to Add file \"b.log\" that is excluded by .dockerignore"
        ]
    );
}
