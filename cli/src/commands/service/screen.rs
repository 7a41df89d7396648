//! Lines of progress on a terminal, each redrawn in its place, and elsewhere, one after the other.

use std::collections::HashMap;
use std::io::{self, Write};

use coracle_view::service::progress::Line;

/// From this width on there are bars, as Docker draws them.
const BARS_FROM: u16 = 111;
/// Characters of a bar.
const BAR: u64 = 50;

#[derive(Debug)]
pub(super) struct Screen {
    /// Columns; none: no terminal.
    width: Option<u16>,
    /// Which line an id has, from above.
    places: HashMap<String, usize>,
    /// What an id shows.
    shown: HashMap<String, String>,
    /// The last one that was written where lines stay.
    last: String,
}

impl Screen {
    pub(super) fn new(width: Option<u16>) -> Self {
        Self { width, places: HashMap::new(), shown: HashMap::new(), last: String::new() }
    }

    pub(super) fn draw(&mut self, out: &mut impl Write, lines: &[Line]) -> io::Result<()> {
        for line in lines {
            match self.width {
                Some(width) => self.redraw(out, line, width)?,
                None => self.write(out, line)?,
            }
        }
        Ok(())
    }

    /// What has a bar changes too often to be kept.
    fn write(&mut self, out: &mut impl Write, line: &Line) -> io::Result<()> {
        let text = labelled(line);
        if line.bar.is_some() || text == self.last {
            return Ok(());
        }
        writeln!(out, "{text}")?;
        self.last = text;
        Ok(())
    }

    fn redraw(&mut self, out: &mut impl Write, line: &Line, width: u16) -> io::Result<()> {
        if line.apart {
            self.places.clear();
            self.shown.clear();
            return writeln!(out, "{}", labelled(line));
        }
        let bar = line.bar.filter(|_| width >= BARS_FROM).map(bar).unwrap_or_default();
        let mut text = format!("{} {bar}", labelled(line));
        // A character in the last column would begin another line, which nothing redraws.
        let end = text.char_indices().nth(usize::from(width).saturating_sub(1));
        if let Some((end, _)) = end.filter(|_| width > 0) {
            text.truncate(end);
        }
        if self.shown.get(&line.id) == Some(&text) {
            return Ok(());
        }
        let count = self.places.len();
        let place = *self.places.entry(line.id.clone()).or_insert_with(|| count);
        if place == count {
            writeln!(out)?;
        }
        let up = self.places.len() - place;
        write!(out, "\x1b[{up}A\x1b[2K\r{text}\r\x1b[{up}B")?;
        self.shown.insert(line.id.clone(), text);
        Ok(())
    }
}

fn labelled(line: &Line) -> String {
    match line.id.as_str() {
        "" => line.text.clone(),
        id => format!("{id}: {}", line.text),
    }
}

fn bar((current, total): (u64, u64)) -> String {
    let done = (current * 100).checked_div(total).map_or(0, |percent| percent / 2).min(BAR);
    let part = |count: u64, with: &str| with.repeat(usize::try_from(count).unwrap_or_default());
    format!("[{}>{}] ", part(done, "="), part(BAR - done, " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: &str, text: &str, bar: Option<(u64, u64)>) -> Line {
        Line { id: id.to_owned(), text: text.to_owned(), bar, apart: false }
    }

    fn drawn(width: Option<u16>, lines: &[Line]) -> String {
        let mut out = Vec::new();
        Screen::new(width).draw(&mut out, lines).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn on_a_terminal_as_recorded() {
        let lines = [
            line("overall progress", "0 out of 2 tasks", None),
            line("1/2", " ", None),
            line("2/2", " ", None),
            line("1/2", "pending  ", Some((3, 9))),
        ];
        assert_eq!(
            drawn(Some(80), &lines),
            "\n\x1b[1A\x1b[2K\roverall progress: 0 out of 2 tasks \r\x1b[1B\
             \n\x1b[1A\x1b[2K\r1/2:   \r\x1b[1B\
             \n\x1b[1A\x1b[2K\r2/2:   \r\x1b[1B\
             \x1b[2A\x1b[2K\r1/2: pending   \r\x1b[2B"
        );
        let wide = drawn(Some(120), &lines[3..]);
        assert!(wide.contains("1/2: pending   [================>"), "{wide}");
    }

    #[test]
    fn no_line_is_as_wide_as_the_terminal() {
        let drawn = drawn(Some(20), &[line("1/2", "starting container failed: é", None)]);
        assert_eq!(drawn, "\n\x1b[1A\x1b[2K\r1/2: starting conta\r\x1b[1B");
    }

    #[test]
    fn elsewhere_without_bars_and_nothing_twice() {
        let lines = [
            line("overall progress", "0 out of 1 tasks", None),
            line("1/1", " ", None),
            line("overall progress", "0 out of 1 tasks", None),
            line("1/1", "running  ", Some((9, 9))),
            line("overall progress", "0 out of 1 tasks", None),
        ];
        assert_eq!(
            drawn(None, &lines),
            "overall progress: 0 out of 1 tasks\n1/1:  \noverall progress: 0 out of 1 tasks\n"
        );
    }
}
