//! Progress on a terminal: a line for each object, drawn over as things go on, below one that counts.
//!
//! ```text
//! [+] up 1/2
//!  ✔ Network app_default Created                           0.0s
//!  ⠙ Container app-db-1  Starting                          0.1s
//! ```
//!
//! It is drawn when something is told, by the one thread there is. Whatever else is written to the
//! terminal comes after [`settle`], which leaves the lines as they are; what is told later begins
//! anew below. Lines that do not fit on the screen are shown when it settles.

use std::cell::RefCell;
use std::io::Write as _;
use std::time::Instant;

use crate::terminal;

const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// Where nobody knows how large the terminal is.
const USUAL_SIZE: (u16, u16) = (80, 24);

/// The line that counts, and the one that the cursor is on.
const ROWS_BESIDE_LINES: usize = 2;

/// Characters up to the end of the mark, and up to the name of the object with its gap after it.
const MARK_END: usize = 2;
const NAME_COLUMN: usize = 4;

thread_local! {
    static BOARD: RefCell<Board> = const { RefCell::new(Board::new()) };
}

/// Says which command goes on.
pub(crate) fn title(operation: &'static str) {
    BOARD.with_borrow_mut(|board| board.operation = operation);
}

/// Shows what an object is at; `more` stands beside it.
pub(crate) fn tell(id: &str, text: &str, more: &str, coloured: bool) {
    BOARD.with_borrow_mut(|board| {
        board.coloured = coloured;
        board.take(id, text, more, Instant::now());
        board.draw(false);
    });
}

/// Leaves what is shown. Called before anything else is written.
pub(crate) fn settle() {
    BOARD.with_borrow_mut(|board| {
        if !board.lines.is_empty() {
            board.draw(true);
            *board = Board { operation: board.operation, ..Board::new() };
        }
    });
}

/// How far an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Working,
    Done,
    Warned,
    Failed,
}

impl State {
    /// The word for programs.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Working => "Working",
            Self::Done => "Done",
            Self::Warned => "Warning",
            Self::Failed => "Error",
        }
    }

    /// The number of the terminal's colour: green, yellow, red.
    fn colour(self) -> Option<u8> {
        match self {
            Self::Working => None,
            Self::Done => Some(32),
            Self::Warned => Some(33),
            Self::Failed => Some(31),
        }
    }

    /// By the words of Compose: `Creating` goes on, `Created` and `Running` have come to an end.
    pub(super) fn of(word: &str) -> Self {
        const WARNINGS: [&str; 5] = [
            "Warning",
            "Interrupted",
            "Skipped: ",
            "Resource is still in use",
            "No resource found to remove",
        ];
        match word {
            word if word.starts_with("Error") => Self::Failed,
            word if WARNINGS.iter().any(|start| word.starts_with(start)) => Self::Warned,
            "Running" => Self::Done,
            "" | "Recreate" => Self::Working,
            word if word.ends_with("ing") => Self::Working,
            _ => Self::Done,
        }
    }
}

#[derive(Debug)]
struct Line {
    id: String,
    text: String,
    more: String,
    state: State,
    began: Instant,
    ended: Option<Instant>,
}

#[derive(Debug)]
struct Board {
    lines: Vec<Line>,
    /// Rows that are on the screen.
    drawn: usize,
    frame: usize,
    coloured: bool,
    operation: &'static str,
}

impl Board {
    const fn new() -> Self {
        Self { lines: Vec::new(), drawn: 0, frame: 0, coloured: false, operation: "" }
    }

    fn take(&mut self, id: &str, text: &str, more: &str, now: Instant) {
        let state = State::of(text);
        let ended = (state != State::Working).then_some(now);
        let one_line = |text: &str| text.lines().next().unwrap_or_default().to_owned();
        let (text, more) = (one_line(text), one_line(more));
        match self.lines.iter_mut().find(|line| line.id == id) {
            Some(line) => {
                let ended =
                    ended.map(|now| line.ended.filter(|_| line.state == state).unwrap_or(now));
                (line.text, line.more, line.state, line.ended) = (text, more, state, ended);
            }
            None => {
                self.lines.push(Line { id: id.to_owned(), text, more, state, began: now, ended })
            }
        }
    }

    fn draw(&mut self, whole: bool) {
        let (columns, rows) = terminal::size_of_stderr().unwrap_or(USUAL_SIZE);
        let fits = usize::from(rows).saturating_sub(ROWS_BESIDE_LINES).max(1);
        let most = if whole { self.lines.len() } else { fits };
        self.frame = (self.frame + 1) % SPINNER.len();
        let shown = self.rendered(usize::from(columns), most, Instant::now());
        let mut out = String::from("\x1b[?25l");
        if self.drawn > 0 {
            out.push_str(&format!("\x1b[{}A\r", self.drawn));
        }
        for line in &shown {
            out.push_str(line);
            out.push_str("\x1b[K\n");
        }
        out.push_str("\x1b[J\x1b[?25h");
        self.drawn = shown.len();
        // Who does not see the progress does not miss it.
        std::io::stderr().write_all(out.as_bytes()).unwrap_or_default();
    }

    /// The rows: at most `most` objects, and of those that go on as many as can be.
    fn rendered(&self, columns: usize, most: usize, now: Instant) -> Vec<String> {
        let done = self.lines.iter().filter(|line| line.state != State::Working).count();
        let mut out = vec![format!("[+] {} {done}/{}", self.operation, self.lines.len())];
        let width = |line: &Line| line.id.chars().count();
        let widest = self.lines.iter().map(width).max().unwrap_or(0);
        let mut hidden = self.lines.len().saturating_sub(most);
        for line in &self.lines {
            if hidden > 0 && line.state != State::Working {
                hidden -= 1;
                continue;
            }
            if out.len() > most {
                break;
            }
            out.push(self.row(line, widest, columns, now));
        }
        out
    }

    fn row(&self, line: &Line, widest: usize, columns: usize, now: Instant) -> String {
        let mark = match line.state {
            State::Working => SPINNER[self.frame],
            State::Done => '✔',
            State::Warned => '!',
            State::Failed => '✘',
        };
        let seconds = line.ended.unwrap_or(now).duration_since(line.began).as_secs_f64();
        let time = format!("{seconds:.1}s ");
        let gap = if line.more.is_empty() { "" } else { " " };
        let text = format!(" {mark} {:widest$} {}{gap}{}", line.id, line.text, line.more);
        let room = columns.saturating_sub(time.len() + 1);
        let text: String = text.chars().take(room).collect();
        let text = format!("{text:room$} ");
        match line.state.colour().filter(|_| self.coloured) {
            None => format!("{text}{time}"),
            Some(colour) => {
                // The mark, and what it is at; the name stays as it is.
                let after = widest + NAME_COLUMN;
                let part = |from: usize, to: usize| -> String {
                    text.chars().skip(from).take(to - from).collect()
                };
                let paint = |text: String| format!("\x1b[{colour}m{text}\x1b[0m");
                let (mark, name) = (paint(part(0, MARK_END)), part(MARK_END, after));
                format!("{mark}{name}{}{time}", paint(part(after, usize::MAX)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::compose::screen::board::*;

    #[test]
    fn lines_are_told_apart_by_their_objects() {
        let began = Instant::now();
        let after = |ms: u64| began + Duration::from_millis(ms);
        let mut board = Board { operation: "up", ..Board::new() };
        board.take("Network n", "Creating", "", began);
        board.take("Network n", "Created", "", after(100));
        board.take("Container a-web-1", "Creating", "", after(100));
        board.take("Container a-db-1", "Error", "no such image: x\nand more", after(100));
        board.take("Network n", "Created", "", after(900));
        insta::assert_snapshot!(board.rendered(60, 10, after(1600)).join("\n"), @r"
        [+] up 2/3
         ✔ Network n         Created                           0.1s 
         ⠋ Container a-web-1 Creating                          1.5s 
         ✘ Container a-db-1  Error no such image: x            0.0s
        ");
        // What has ended makes room first.
        insta::assert_snapshot!(board.rendered(30, 1, after(1600)).join("\n"), @r"
        [+] up 2/3
         ⠋ Container a-web-1 Cre 1.5s
        ");
        assert!(board.rendered(0, 1, began)[1].len() < 10);
        board.coloured = true;
        let rows = board.rendered(60, 10, after(1600));
        assert!(rows[1].starts_with("\x1b[32m ✔\x1b[0m Network n         \x1b[32mCreated "));
        assert!(rows[2].starts_with(" ⠋ Container a-web-1 Creating "), "{:?}", rows[2]);
        assert!(rows[3].contains("\x1b[31mError no such image: x "), "{:?}", rows[3]);
        assert!(board.rendered(3, 10, after(1600)).len() == 4);
    }

    #[test]
    fn words_tell_whether_something_goes_on() {
        for word in ["Creating", "Waiting", "Recreate", "Pulling"] {
            assert_eq!(State::of(word), State::Working, "{word}");
        }
        for word in ["Created", "Running", "Healthy", "Skipped"] {
            assert_eq!(State::of(word), State::Done, "{word}");
        }
        assert_eq!(State::of("Error while Killing"), State::Failed);
        for word in ["Warning", "Skipped: optional dependency", "Resource is still in use"] {
            assert_eq!(State::of(word), State::Warned, "{word}");
        }
    }
}
