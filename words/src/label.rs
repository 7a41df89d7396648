//! Labels as filters ask for them.

use std::collections::BTreeMap;

/// Whether `KEY`, or `KEY=VALUE`, is among the labels.
#[must_use]
pub fn has_label(labels: &BTreeMap<String, String>, wanted: &str) -> bool {
    match wanted.split_once('=') {
        Some((key, value)) => labels.get(key).is_some_and(|found| found == value),
        None => labels.contains_key(wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::has_label;

    #[test]
    fn a_value_counts_where_one_is_asked_for() {
        let labels = [("a".to_owned(), "b=c".to_owned()), ("d".to_owned(), String::new())].into();
        for (wanted, there) in
            [("a", true), ("a=b=c", true), ("a=b", false), ("d", true), ("d=", true), ("e", false)]
        {
            assert_eq!(has_label(&labels, wanted), there, "{wanted}");
        }
    }
}
