//! Any text is a Dockerfile or has a fault: a check ends, and its report can be written; there is a plan, or not.

use coracle_builder::check::{Request, check};
use coracle_builder::ignore::Ignore;
use coracle_builder::plan::{BaseImage, Images, Unavailable, plan};
use coracle_builder::report::{self, Source};
use coracle_image::{Platform, Reference};
use proptest::prelude::*;

struct Nothing;

impl Images for Nothing {
    fn image(&mut self, _: &Reference, _: &Platform) -> Result<Option<BaseImage>, Unavailable> {
        Ok(Some(BaseImage::default()))
    }
}

/// Pieces that mean something in a Dockerfile, and some that mean nothing.
const PIECES: &[&str] = &[
    "FROM ",
    "alpine",
    "scratch",
    " AS ",
    "a",
    "B",
    "ARG ",
    "ENV ",
    "RUN ",
    "COPY ",
    "ADD ",
    "ONBUILD ",
    "CMD ",
    "HEALTHCHECK ",
    "LABEL ",
    "EXPOSE ",
    "SHELL ",
    "VOLUME ",
    "USER ",
    "WORKDIR ",
    "STOPSIGNAL ",
    "# ",
    "#",
    "check=",
    "skip=all",
    "escape=`",
    "syntax=x",
    "\n",
    "\n",
    "\n",
    "\n",
    "\r\n",
    "\\\n",
    "`\n",
    "\\",
    "`",
    " ",
    "\t",
    "=",
    "$",
    "${",
    "}",
    ":-",
    ":?",
    "#*",
    "%",
    "/",
    "//",
    "<<",
    "<<-",
    "E",
    "E\n",
    "'",
    "\"",
    "[",
    "]",
    "[\"a\"]",
    ",",
    "--from=",
    "--mount=",
    "type=cache",
    "--chmod=",
    "--platform=",
    "80",
    "1.2.3.4:",
    "é",
    "\u{feff}",
    "\0",
    "٣",
    "*",
    "?",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_checked_to_its_end(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40), from in any::<bool>()) {
        let mut text = if from { "FROM alpine\n".to_owned() } else { String::new() };
        text.extend(pieces);
        let request = Request { ignore: Some(Ignore::parse("a\n*.b\n")), ..Request::default() };
        let checked = check(&text, &request, &mut Nothing);
        // What a check finds nothing wrong with has a plan: it looks at less.
        let planned = plan(&text, &request, &mut Nothing);
        prop_assert!(planned.is_ok() || checked.fault.is_some(), "{planned:?}");
        if let Ok(planned) = planned {
            for step in &planned.plan.steps {
                prop_assert_eq!(step.key(), step.clone().key());
            }
        }
        let source = Source { path: "Dockerfile", name: "Dockerfile", text: &text };
        let written = report::text(&checked, source) + &report::json(&checked, source);
        prop_assert!(written.len() > 2);
        if let Some(fault) = &checked.fault {
            prop_assert!(!report::fault(fault, source).is_empty());
        }
    }
}
