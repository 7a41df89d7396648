//! `KEY=VALUE` as labels, options and variables are given.

use std::collections::BTreeMap;

/// Key and value of an entry; a key alone has an empty value.
pub fn pair(entry: &str) -> (&str, &str) {
    entry.split_once('=').unwrap_or((entry, ""))
}

/// All entries; the last one of a key counts.
pub fn pairs<T: AsRef<str>>(entries: impl IntoIterator<Item = T>) -> BTreeMap<String, String> {
    let owned = |entry: T| {
        let (key, value) = pair(entry.as_ref());
        (key.to_owned(), value.to_owned())
    };
    entries.into_iter().map(owned).collect()
}

#[cfg(test)]
mod tests {
    use super::pairs;

    #[test]
    fn the_last_one_counts_and_a_key_may_be_alone() {
        let map = pairs(["a=1", "b", "c=x=y", "a=2"]);
        let shown: Vec<_> = map.iter().map(|(key, value)| format!("{key}:{value}")).collect();
        assert_eq!(shown, ["a:2", "b:", "c:x=y"]);
    }
}
