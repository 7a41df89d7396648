//! Aligns tab-separated cells into columns.
//!
//! A cell belongs to a column when a tab ends it; neighbouring lines that have
//! a cell in a column share its width. The last cell of a line is not padded.

const CELL_WIDTH_MIN: usize = 10;
const PADDING: usize = 3;

/// Replaces the tabs of `text` by blanks so that columns line up.
pub(crate) fn align(text: &str) -> String {
    align_with(text, CELL_WIDTH_MIN, PADDING)
}

/// The same with another least width and padding (`top` has 20 and 1).
pub(crate) fn align_with(text: &str, width_min: usize, padding: usize) -> String {
    let lines: Vec<Vec<&str>> = text.split('\n').map(|line| line.split('\t').collect()).collect();
    let mut out = String::with_capacity(text.len() * 2);
    let mut widths: Vec<usize> = Vec::new();
    for (row, cells) in lines.iter().enumerate() {
        let ended = cells.len() - 1;
        // A column block starts on the first line that has the column.
        let before = if row == 0 { 0 } else { lines[row - 1].len() - 1 };
        widths.truncate(before.min(ended));
        while widths.len() < ended {
            let column = widths.len();
            let widest = lines[row..]
                .iter()
                .take_while(|line| line.len() - 1 > column)
                .map(|line| line[column].chars().count())
                .max()
                .unwrap_or(0);
            widths.push((widest + padding).max(width_min));
        }
        for (cell, width) in cells.iter().zip(&widths) {
            out.push_str(cell);
            out.extend(std::iter::repeat_n(' ', width - cell.chars().count()));
        }
        out.push_str(cells[ended]);
        if row + 1 < lines.len() {
            out.push('\n');
        }
    }
    out
}
