//! What `--call=outline` and `--call=targets` print: as text for people, and as JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coracle_words::template::escape_html;
use serde::Serialize;

use super::{Location, location};
use crate::check::Findings;
use crate::dockerfile::parse;
use crate::instruction::{about, stages};
use crate::plan::{Given, Outline};
use crate::source::{Fault, Span};

/// A stage that can be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub name: Option<String>,
    /// It is the one that is built when none is named.
    pub is_default: bool,
    /// The comment above it, if it begins with the name.
    pub about: String,
    /// What it begins with, as written.
    pub base: String,
    pub platform: Option<String>,
    pub at: Span,
}

/// The stages of a Dockerfile.
///
/// # Errors
/// Where its form is wrong.
pub fn targets(text: &str) -> Result<Vec<Target>, Fault> {
    let read = stages(&parse(text)?, &mut Findings::default())?;
    let count = read.stages.len();
    let targets = read.stages.into_iter().enumerate().map(|(at, stage)| Target {
        is_default: at + 1 == count,
        about: about(&stage.comments, stage.name.as_deref().unwrap_or_default()),
        name: stage.name,
        base: stage.base,
        platform: stage.platform,
        at: stage.span,
    });
    Ok(targets.collect())
}

/// A table of targets.
pub fn targets_text(targets: &[Target]) -> String {
    let rows = targets.iter().map(|target| {
        let name = match (&target.name, target.is_default) {
            (None, true) => "(default)".to_owned(),
            (Some(name), true) => format!("{name} (default)"),
            (name, false) => name.clone().unwrap_or_default(),
        };
        [name, target.about.clone()]
    });
    columns(["TARGET", "DESCRIPTION"], rows, 1)
}

/// The same as a document, with the file.
pub fn targets_json(targets: &[Target], text: &str) -> String {
    let targets = targets.iter().map(|target| TargetEntry {
        name: target.name.as_deref().unwrap_or_default(),
        default: target.is_default,
        description: &target.about,
        base: &target.base,
        platform: target.platform.as_deref().unwrap_or_default(),
        location: location(&[target.at]),
    });
    written(&Targets { targets: targets.collect(), sources: [STANDARD.encode(text)] })
}

/// Tables of what can be given.
pub fn outline_text(outline: &Outline) -> String {
    let mut out = String::new();
    if outline.name.is_some() || !outline.about.is_empty() {
        let name = outline.name.as_deref().unwrap_or("(default)").to_owned();
        let about = Some(["DESCRIPTION:".to_owned(), outline.about.clone()]);
        let rows = about.filter(|[_, about]| !about.is_empty());
        out += &columns(["TARGET:", &name], rows, 1);
        out.push('\n');
    }
    if !outline.args.is_empty() {
        let rows =
            outline.args.iter().map(|it| [it.name.clone(), it.value.clone(), it.about.clone()]);
        out += &columns(["BUILD ARG", "VALUE", "DESCRIPTION"], rows, 3);
        out.push('\n');
    }
    for (title, given) in [("SECRET", &outline.secrets), ("SSH", &outline.ssh)] {
        if !given.is_empty() {
            let word = |required| if required { "true" } else { "" }.to_owned();
            let rows = given.iter().map(|one| [one.name.clone(), word(one.required)]);
            out += &columns([title, "REQUIRED"], rows, 3);
            out.push('\n');
        }
    }
    out
}

/// The same as a document, with the file.
pub fn outline_json(outline: &Outline, text: &str) -> String {
    let given = |list: &[Given]| {
        let entries = list.iter().map(|one| GivenEntry {
            name: one.name.clone(),
            required: one.required,
            location: location(&[one.at]),
        });
        entries.collect()
    };
    let args = outline.args.iter().map(|argument| ArgEntry {
        name: &argument.name,
        description: &argument.about,
        value: &argument.value,
        location: location(&[argument.at]),
    });
    written(&OutlineDocument {
        name: outline.name.as_deref().unwrap_or_default(),
        description: &outline.about,
        args: args.collect(),
        secrets: given(&outline.secrets),
        ssh: given(&outline.ssh),
        sources: [STANDARD.encode(text)],
    })
}

/// Strings and numbers can be written.
fn written(document: &impl Serialize) -> String {
    escape_html(&serde_json::to_string_pretty(document).unwrap_or_default()) + "\n"
}

/// Rows below their titles; every cell but the last of a row is filled up, and then comes `gap`.
fn columns<const N: usize>(
    titles: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
    gap: usize,
) -> String {
    let mut all = vec![titles.map(str::to_owned)];
    all.extend(rows);
    let widths: [usize; N] = std::array::from_fn(|at| {
        all.iter().map(|row| row[at].chars().count()).max().unwrap_or_default()
    });
    let mut out = String::new();
    for row in &all {
        for (at, cell) in row.iter().enumerate() {
            out += cell;
            if at + 1 < N {
                out += &" ".repeat(widths[at] - cell.chars().count() + gap);
            }
        }
        out.push('\n');
    }
    out
}

#[derive(Serialize)]
struct Targets<'a> {
    targets: Vec<TargetEntry<'a>>,
    sources: [String; 1],
}

#[derive(Serialize)]
struct TargetEntry<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    default: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    base: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    platform: &'a str,
    location: Location,
}

#[derive(Serialize)]
struct OutlineDocument<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    args: Vec<ArgEntry<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    secrets: Vec<GivenEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ssh: Vec<GivenEntry>,
    sources: [String; 1],
}

#[derive(Serialize)]
struct ArgEntry<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    value: &'a str,
    location: Location,
}

#[derive(Serialize)]
struct GivenEntry {
    name: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    required: bool,
    location: Location,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{BaseImage, Images, Request, Unavailable, outline};
    use coracle_image::{Platform, Reference};

    struct NoImages;

    impl Images for NoImages {
        fn image(&mut self, _: &Reference, _: &Platform) -> Result<Option<BaseImage>, Unavailable> {
            Ok(None)
        }
    }

    const TEXT: &str = "# version of the thing\nARG VERSION=1\n# base is what all stages need\n\
                        FROM alpine AS base\nARG TOKEN_NAME\nRUN --mount=type=secret,id=key,required \
                        --mount=type=ssh --mount=type=cache,target=/c true\nFROM base AS Final\nCMD x\n";

    fn outlined(text: &str) -> Outline {
        outline(text, &Request::default(), &mut NoImages).unwrap().0
    }

    #[test]
    fn what_can_be_given() {
        assert_eq!(
            outline_text(&outlined(TEXT)),
            "TARGET: final\n\nBUILD ARG    VALUE   DESCRIPTION\nTOKEN_NAME           \n\n\
             SECRET   REQUIRED\nkey      true\n\nSSH       REQUIRED\ndefault   \n\n"
        );
        let request = Request { target: Some("base".into()), ..Request::default() };
        let base = outline(TEXT, &request, &mut NoImages).unwrap().0;
        let document: serde_json::Value = serde_json::from_str(&outline_json(&base, TEXT)).unwrap();
        assert_eq!(document["description"], "is what all stages need");
        assert_eq!(document["args"][0]["location"]["ranges"][0]["start"]["line"], 5);
        assert_eq!(document["secrets"][0]["required"], true);
        assert_eq!(document["ssh"][0]["name"], "default");
    }

    #[test]
    fn arguments_that_others_use() {
        let text =
            "# A is deep\nARG A=1\nARG B=$A\nARG C=x\nFROM alpine:$B\nARG C\nARG D=<$C>\nARG N\n";
        let said: Vec<_> =
            outlined(text).args.into_iter().map(|it| (it.name, it.value, it.at.first)).collect();
        let wanted = [("A", "1", 2), ("B", "1", 3), ("C", "x", 4), ("D", "<x>", 7), ("N", "", 8)];
        assert_eq!(said, wanted.map(|(name, value, at)| (name.into(), value.into(), at)));
        assert!(outline_json(&outlined(text), text).contains("\\u003cx\\u003e"));
        assert_eq!(outlined("FROM scratch\n"), Outline::default());
    }

    #[test]
    fn stages_that_can_be_built() {
        let found = targets(TEXT).unwrap();
        assert_eq!(
            targets_text(&found),
            "TARGET          DESCRIPTION\nbase            is what all stages need\nfinal (default) \n"
        );
        let document: serde_json::Value =
            serde_json::from_str(&targets_json(&found, TEXT)).unwrap();
        assert_eq!(document["targets"][1]["default"], true);
        assert_eq!(document["targets"][0]["base"], "alpine");
        assert_eq!(
            targets_text(&targets("FROM a\n").unwrap()),
            "TARGET    DESCRIPTION\n(default) \n"
        );
        assert!(targets("FROM a\nBOGUS\n").is_err());
    }
}
