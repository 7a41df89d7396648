//! The form of the files of cases: lines `#=# WORD VALUE`, each with the text up to the next one.
//!
//! `case` begins a case and names it; what other words mean is the reader's business.

/// A case, with what is said of it.
pub struct Case<'a> {
    pub name: &'a str,
    pub parts: Vec<Part<'a>>,
}

/// A line and what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    pub word: &'a str,
    pub value: &'a str,
    pub text: &'a str,
}

/// The cases of a file.
///
/// # Panics
/// When it has another form.
pub fn cases(file: &str) -> Vec<Case<'_>> {
    let mut cases: Vec<Case<'_>> = Vec::new();
    for part in file.split("#=# ").skip(1) {
        let (line, text) = part.split_once('\n').expect("whole lines");
        let (word, value) = line.split_once(' ').expect("a word and its value");
        if word == "case" {
            cases.push(Case { name: value, parts: Vec::new() });
        } else {
            let case = cases.last_mut().expect("a case comes first");
            case.parts.push(Part { word, value, text });
        }
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_ends_at_the_next_line_of_the_form() {
        let read = cases("header\n#=# case one\n#=# file a b\n1\n\n2\n#=# case two\n");
        let names: Vec<_> = read.iter().map(|case| case.name).collect();
        assert_eq!(names, ["one", "two"]);
        assert_eq!(read[0].parts, [Part { word: "file", value: "a b", text: "1\n\n2\n" }]);
        assert!(read[1].parts.is_empty());
    }
}
