//! `images` as Docker shows it since 29.0: a row for each name, in the order of the names; with `--tree` a row for
//! each platform below.
//!
//! Pure: what a screen is comes from whoever asks. A name is never shortened; one that is too long for its column has
//! a line of its own. Columns that a screen has no room for are left out, the last one first.

use coracle_view::image::{Bytes, Stored};
use coracle_words::template::visible;

use crate::format::units::short_size;

/// What the rows are for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Screen {
    /// Columns of a terminal; any number fits elsewhere.
    pub(super) width: Option<usize>,
    /// The line that tells what the letters say.
    pub(super) legend: bool,
    pub(super) colour: bool,
}

const UNTAGGED: &str = "<untagged>";
const GAP: &str = "   ";
/// What is left of the first column at least.
const NAME_WIDTH_MIN: usize = 12;
const TITLES: [&str; 5] = ["IMAGE", "ID", "DISK USAGE", "CONTENT SIZE", "EXTRA"];
/// Of all but the first.
const WIDTHS: [usize; 4] = [12, 10, 12, 5];

const DEFAULT: &str = "\x1b[39m";
const BOLD: &str = "\x1b[39m\x1b[1m";
const FAINT: &str = "\x1b[39m\x1b[2m";
const NAME: &str = "\x1b[34m\x1b[1m";
const RESET: &str = "\x1b[0m";
const CHIP: &str = "\x1b[38;5;0m\x1b[48;5;14m U \x1b[0m";
const INFO: &str = "\x1b[1m\x1b[106m\x1b[30mi\x1b[0m\x1b[0m \x1b[96mInfo → \x1b[0m\x1b[0m";

/// The whole view; `tree` shows the platforms.
pub(super) fn render(images: &[Stored], tree: bool, screen: Screen) -> String {
    let rows = rows(images, tree);
    let (columns, name_width) = fit(&rows, tree, screen.width);
    let table = Table { screen, columns, name_width };
    let mut out = String::new();
    if screen.legend {
        out.push_str(&legend(screen));
    }
    table.header(&mut out);
    for (names, image) in rows {
        table.names(&mut out, &names);
        table.details(&mut out, DEFAULT, &image.id, image.bytes, image.in_use);
        out.push('\n');
        if tree {
            table.platforms(&mut out, image);
            out.push('\n');
        }
    }
    out
}

/// What stands before each row of figures: one name, or all that an image has.
fn rows(images: &[Stored], tree: bool) -> Vec<(Vec<&str>, &Stored)> {
    let mut rows: Vec<(Vec<&str>, &Stored)> = Vec::new();
    for image in images {
        let names: Vec<&str> = image.names.iter().map(String::as_str).collect();
        if tree || names.is_empty() {
            rows.push((names, image));
        } else {
            rows.extend(names.into_iter().map(|name| (vec![name], image)));
        }
    }
    rows.sort_by_key(|(names, _)| (names.is_empty(), names.first().copied()));
    rows
}

/// How many columns have room, and how wide the first is.
fn fit(rows: &[(Vec<&str>, &Stored)], tree: bool, width: Option<usize>) -> (usize, usize) {
    let names = rows.iter().flat_map(|(names, _)| names.iter().map(|name| name.len()));
    let untagged = rows.iter().filter(|(names, _)| names.is_empty()).map(|_| UNTAGGED.len());
    let platforms = rows.iter().filter(|_| tree).flat_map(|(_, image)| &image.variants);
    // Docker counts the bytes of its line.
    let platforms = platforms.map(|variant| "└─ ".len() + variant.platform.len());
    let widest = names.chain(untagged).chain(platforms).chain([TITLES[0].len()]).max();
    let widest = widest.unwrap_or_default();
    let Some(mut left) = width else { return (TITLES.len(), widest) };
    let mut columns = 1;
    for width in WIDTHS.map(|width| width + GAP.len()) {
        if left < width + NAME_WIDTH_MIN {
            break;
        }
        left -= width;
        columns += 1;
    }
    (columns, left.min(widest))
}

fn legend(screen: Screen) -> String {
    let (text, shown) = match screen.colour {
        true => (format!("{INFO} {CHIP} In Use"), "i Info →   U  In Use"),
        false => (" Info ->  U In Use".to_owned(), " Info ->  U In Use"),
    };
    let blanks = screen.width.unwrap_or_default().saturating_sub(shown.chars().count());
    format!("{}{text}\n", " ".repeat(blanks))
}

struct Table {
    screen: Screen,
    columns: usize,
    name_width: usize,
}

impl Table {
    fn coloured(&self, colour: &str, text: &str) -> String {
        if self.screen.colour { format!("{colour}{text}{RESET}") } else { text.to_owned() }
    }

    /// A cell of the first column.
    fn first(&self, colour: &str, text: &str) -> String {
        let blanks = self.name_width.saturating_sub(text.chars().count());
        self.coloured(colour, text) + &" ".repeat(blanks)
    }

    fn header(&self, out: &mut String) {
        out.push_str(&self.first(BOLD, TITLES[0]));
        // No title is longer than its column.
        for title in &TITLES[1..self.columns] {
            out.push_str(GAP);
            out.push_str(&self.coloured(BOLD, title));
            if *title == "ID" {
                out.push_str(&" ".repeat(WIDTHS[0] - title.len()));
            }
        }
        out.push('\n');
    }

    fn names(&self, out: &mut String, names: &[&str]) {
        let Some((last, others)) = names.split_last() else {
            return out.push_str(&self.first(FAINT, UNTAGGED));
        };
        for name in others {
            out.push_str(&self.first(NAME, name));
            out.push('\n');
        }
        out.push_str(&self.first(NAME, last));
        if last.len() > self.name_width {
            out.push('\n');
            out.push_str(&" ".repeat(self.name_width));
        }
    }

    /// The figures of a row.
    fn details(&self, out: &mut String, colour: &str, id: &str, bytes: Bytes, in_use: bool) {
        let (disk, content) = (short_size(bytes.disk), short_size(bytes.content));
        let right = |text: &str, width: usize| " ".repeat(width.saturating_sub(text.len()));
        let short = coracle_image::short_id(id);
        let used = match (in_use, self.screen.colour) {
            (true, true) => format!("{CHIP}  "),
            (true, false) => "U    ".to_owned(),
            (false, _) => " ".repeat(WIDTHS[3]),
        };
        let cells = [
            self.coloured(colour, short) + &right(short, WIDTHS[0]),
            right(&disk, WIDTHS[1]) + &self.coloured(colour, &disk),
            right(&content, WIDTHS[2]) + &self.coloured(colour, &content),
            used,
        ];
        for cell in &cells[..self.columns - 1] {
            out.push_str(GAP);
            out.push_str(cell);
        }
    }

    fn platforms(&self, out: &mut String, image: &Stored) {
        for (at, variant) in image.variants.iter().enumerate() {
            let line = if at + 1 == image.variants.len() { "└─ " } else { "├─ " };
            // What an image says of its platform is its maker's.
            let text = format!("{line}{}", visible(&variant.platform));
            out.push_str(&self.first(DEFAULT, &text));
            self.details(out, DEFAULT, &variant.id, variant.bytes, variant.in_use);
            out.push('\n');
        }
    }
}

#[cfg(test)]
mod tests;
