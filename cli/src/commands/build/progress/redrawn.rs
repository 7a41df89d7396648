//! Rows of a terminal that are drawn over.
//!
//! Rows take as many lines as they are long: when the terminal has become narrower since, a row takes several, as
//! terminals wrap anew what they show.

use super::tree::Row;

#[derive(Debug, Default)]
pub(super) struct Redrawn {
    /// Columns of each row that is shown.
    shown: Vec<usize>,
}

impl Redrawn {
    /// What is to be written to have `rows` in place of those that are shown. The cursor is below them.
    pub(super) fn draw(&mut self, rows: &[Row], columns: usize) -> String {
        let lines = |width: &usize| width.div_ceil(columns.max(1)).max(1);
        let up: usize = self.shown.iter().map(lines).sum();
        let mut out = String::from("\x1b[?25l");
        if up > 0 {
            out.push_str(&format!("\x1b[{up}A\r"));
        }
        for row in rows {
            out.push_str(&row.text);
            out.push_str("\x1b[K\n");
        }
        out.push_str("\x1b[J\x1b[?25h");
        self.shown = rows.iter().map(|row| row.columns).collect();
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_far_up_as_rows_are_shown() {
        let row = |text: &str| Row { text: text.to_owned(), columns: text.len() };
        let mut redrawn = Redrawn::default();
        let rows = [row("0123456789"), row("")];
        assert_eq!(redrawn.draw(&rows, 80), "\x1b[?25l0123456789\x1b[K\n\x1b[K\n\x1b[J\x1b[?25h");
        assert!(redrawn.draw(&rows[..1], 80).starts_with("\x1b[?25l\x1b[2A\r"));
        assert!(redrawn.draw(&rows, 4).starts_with("\x1b[?25l\x1b[3A\r"), "it was wrapped");
        assert!(redrawn.draw(&[], 0).contains("\x1b[11A"));
    }
}
