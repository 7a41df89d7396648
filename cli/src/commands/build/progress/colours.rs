//! Colours of the tree: `BUILDKIT_COLORS=run=green:error=255,0,0:cancel=yellow`, and none with `NO_COLOR`.

/// Parameters of a colour for a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Colours {
    pub(super) run: String,
    pub(super) cancel: String,
    pub(super) warning: String,
    pub(super) error: String,
    /// Output of what runs.
    pub(super) faint: String,
}

const NAMES: [&str; 8] = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

impl Colours {
    /// With `none`, nothing is coloured. What cannot be read of `wanted` is told of.
    pub(super) fn new(none: bool, wanted: Option<&str>) -> (Self, Vec<String>) {
        let colour = |number: &str| if none { String::new() } else { number.to_owned() };
        let mut out = Self {
            run: colour("34"),
            cancel: colour("33"),
            warning: colour("33"),
            error: colour("31"),
            faint: colour("2"),
        };
        let mut wrong = Vec::new();
        for part in wanted.filter(|_| !none).into_iter().flat_map(|wanted| wanted.split(':')) {
            let Some((what, value)) = part.split_once('=') else {
                wrong.push(format!("could not parse BUILDKIT_COLORS component: {part:?}"));
                continue;
            };
            let Some(value) = parse(value) else {
                wrong.push(format!("could not parse BUILDKIT_COLORS value: {value:?}"));
                continue;
            };
            match what.to_lowercase().as_str() {
                "run" => out.run = value,
                "cancel" => out.cancel = value,
                "error" => out.error = value,
                "warning" => out.warning = value,
                _ => wrong.push(format!(
                    "invalid BUILDKIT_COLORS target: {what:?} (try run, cancel, error or warning)"
                )),
            }
        }
        (out, wrong)
    }
}

/// A name, or `RED,GREEN,BLUE` up to 255.
fn parse(text: &str) -> Option<String> {
    let text = text.to_lowercase();
    if text == "default" {
        return Some("39".to_owned());
    }
    let (name, base) = match text.strip_prefix("light-") {
        Some(name) => (name, 90),
        None => (text.as_str(), 30),
    };
    if let Some(index) = NAMES.iter().position(|known| *known == name) {
        return Some((base + index).to_string());
    }
    let parts: Vec<u8> =
        text.split(',').map(|part| part.trim().parse().ok()).collect::<Option<_>>()?;
    let [red, green, blue] = parts[..] else { return None };
    Some(format!("38;2;{red};{green};{blue}"))
}

/// `text` in a colour, if there is one.
pub(super) fn paint(text: &str, colour: &str) -> String {
    match colour {
        "" => text.to_owned(),
        colour => format!("\x1b[{colour}m{text}\x1b[0m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        let (colours, wrong) = Colours::new(
            false,
            Some("run=green:error=255, 0,1:cancel=light-red:x:y=red:warning=no"),
        );
        assert_eq!(
            [&colours.run, &colours.error, &colours.cancel, &colours.warning],
            ["32", "38;2;255;0;1", "91", "33"]
        );
        assert_eq!(wrong.len(), 3, "{wrong:?}");
        assert_eq!(paint("x", &colours.run), "\x1b[32mx\x1b[0m");
        let (none, wrong) = Colours::new(true, Some("run=green"));
        assert_eq!((paint("x", &none.run), wrong), ("x".to_owned(), Vec::new()));
    }
}
