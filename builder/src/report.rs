//! What `build --check` prints: as text for people, and as JSON. Other calls: [`calls`].

pub mod calls;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::check::{Checked, Finding};
use crate::source::{Fault, Span, excerpt};

/// A Dockerfile and how it is called.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// In texts: the path that was given.
    pub path: &'a str,
    /// In JSON: the name alone.
    pub name: &'a str,
    pub text: &'a str,
}

/// The findings, for people. An error comes apart: [`fault`].
pub fn text(checked: &Checked, source: Source<'_>) -> String {
    let mut out = match checked.findings.len() {
        0 if checked.fault.is_some() => return String::new(),
        0 => return "Check complete, no warnings found.\n".to_owned(),
        1 => "Check complete, 1 warning has been found!\n".to_owned(),
        many => format!("Check complete, {many} warnings have been found!\n"),
    };
    for finding in &checked.findings {
        out += &one(finding, source);
    }
    if checked.fault.is_some() {
        out.push('\n');
    }
    out
}

fn one(finding: &Finding, source: Source<'_>) -> String {
    let url = match finding.url.as_str() {
        "" => String::new(),
        url => format!(" - {url}"),
    };
    let place = excerpt(source.path, source.text, &finding.at);
    format!("\nWARNING: {}{url}\n{}\n{place}", finding.rule, finding.detail)
}

/// A fault with its place, as a check tells it: without an end of line.
pub fn fault(fault: &Fault, source: Source<'_>) -> String {
    let place = excerpt(source.path, source.text, &fault.at);
    format!("{}\n{place}", fault.message).trim_end().to_owned()
}

/// Findings, the file and the fault in one document. What BuildKit adds about how it read the file is
/// not in it.
pub fn json(checked: &Checked, source: Source<'_>) -> String {
    let warnings = checked.findings.iter().map(|finding| Warning {
        rule_name: finding.rule,
        description: finding.description,
        url: &finding.url,
        detail: &finding.detail,
        location: location(&finding.at),
    });
    let warnings: Vec<Warning<'_>> = warnings.collect();
    let document = Document {
        warnings: Some(warnings).filter(|warnings| !warnings.is_empty()),
        sources: [File {
            filename: source.name,
            data: STANDARD.encode(source.text),
            language: "Dockerfile",
        }],
        build_error: checked
            .fault
            .as_ref()
            .map(|fault| BuildError { message: &fault.message, location: location(&fault.at) }),
    };
    // Strings and numbers can be written.
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

fn location(spans: &[Span]) -> Location {
    let lines = spans.iter().flat_map(|span| span.first..=span.last);
    let ranges = lines.map(|line| Range { start: Position { line }, end: Position { line } });
    Location { ranges: ranges.collect() }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    warnings: Option<Vec<Warning<'a>>>,
    sources: [File<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    build_error: Option<BuildError<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Warning<'a> {
    rule_name: &'a str,
    description: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    url: &'a str,
    detail: &'a str,
    location: Location,
}

#[derive(Serialize)]
struct File<'a> {
    filename: &'a str,
    data: String,
    language: &'a str,
}

#[derive(Serialize)]
struct BuildError<'a> {
    message: &'a str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ranges: Vec<Range>,
}

#[derive(Serialize)]
struct Range {
    start: Position,
    end: Position,
}

#[derive(Serialize)]
struct Position {
    line: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Request, check};
    use crate::plan::{BaseImage, Images, Unavailable};
    use coracle_image::{Platform, Reference};

    struct NoImages;

    impl Images for NoImages {
        fn image(&mut self, _: &Reference, _: &Platform) -> Result<Option<BaseImage>, Unavailable> {
            Ok(None)
        }
    }

    const TEXT: &str = "FROM alpine AS base\nENV A b\nCMD x\nFROM $NOPE\n";

    fn source(text: &str) -> Source<'_> {
        Source { path: "b/Dockerfile", name: "Dockerfile", text }
    }

    fn checked(text: &str) -> Checked {
        check(text, &Request::default(), &mut NoImages)
    }

    #[test]
    fn findings_and_a_fault_for_people() {
        let good = "FROM alpine\n";
        assert_eq!(text(&checked(good), source(good)), "Check complete, no warnings found.\n");
        let one = "FROM alpine\nCMD x\n";
        let rule = "-".repeat(20);
        assert_eq!(
            text(&checked(one), source(one)),
            format!(
                "Check complete, 1 warning has been found!\n\n\
                 WARNING: JSONArgsRecommended - https://docs.docker.com/go/dockerfile/rule/json-args-recommended/\n\
                 JSON arguments recommended for CMD to prevent unintended behavior related to OS signals\n\
                 b/Dockerfile:2\n{rule}\n   1 |     FROM alpine\n   2 | >>> CMD x\n   3 |     \n{rule}\n"
            )
        );
        let bad = checked(TEXT);
        let said = text(&bad, source(TEXT));
        assert!(said.starts_with("Check complete, 2 warnings have been found!\n\nWARNING: "));
        assert!(said.ends_with("\n\n"), "the error stands apart");
        assert_eq!(
            fault(bad.fault.as_ref().unwrap(), source(TEXT)),
            format!(
                "base name ($NOPE) should not be blank\nb/Dockerfile:4\n{rule}\n   2 |     ENV A b\n   \
                 3 |     CMD x\n   4 | >>> FROM $NOPE\n   5 |     \n{rule}"
            )
        );
    }

    #[test]
    fn the_same_as_json() {
        let document: serde_json::Value =
            serde_json::from_str(&json(&checked(TEXT), source(TEXT))).unwrap();
        let warning = &document["warnings"][0];
        assert_eq!(warning["ruleName"], "InvalidDefaultArgInFrom");
        assert_eq!(warning["location"]["ranges"][0]["start"]["line"], 4);
        assert_eq!(document["sources"][0]["filename"], "Dockerfile");
        assert_eq!(document["buildError"]["message"], "base name ($NOPE) should not be blank");
        let good = json(&checked("FROM a\n"), source("FROM a\n"));
        assert!(good.starts_with("{\n  \"warnings\": null,\n  \"sources\": [\n"));
    }
}
