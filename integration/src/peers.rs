//! The ledger of the peers' tests: no test of theirs is named twice, and what stands nowhere has a reason.

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recorded/peers");

    /// The tests that the lists of a file of commands name: a file of the peer's, and a name.
    fn named(text: &str) -> Vec<(String, String)> {
        let mut lists: Vec<(String, String)> = Vec::new();
        let mut fenced = false;
        for line in text.lines() {
            fenced ^= line.starts_with("```");
            if let Some((file, names)) = line.strip_prefix("- `").and_then(|l| l.split_once("`:")) {
                lists.push((file.to_owned(), names.to_owned()));
            } else if let (Some(more), false, Some(last)) =
                (line.strip_prefix("  "), fenced, lists.last_mut())
            {
                last.1.push(' ');
                last.1.push_str(more);
            }
        }
        let split = |(file, names): (String, String)| {
            let names: Vec<String> = names.split(';').map(|n| n.trim().to_owned()).collect();
            names.into_iter().filter(|n| !n.is_empty()).map(move |name| (file.clone(), name))
        };
        lists.into_iter().flat_map(split).collect()
    }

    #[test]
    fn every_test_of_a_peer_is_accounted_for_once() {
        let mut places: BTreeMap<(String, String, String), Vec<String>> = BTreeMap::new();
        for entry in std::fs::read_dir(FOLDER).unwrap() {
            let path = entry.unwrap().path();
            let place = path.file_name().unwrap().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            let tests: Vec<(String, String, String)> = if place.ends_with(".md") {
                let peer = place.split(['-', '.']).next().unwrap().to_owned();
                named(&text).into_iter().map(|(file, name)| (peer.clone(), file, name)).collect()
            } else {
                let lines = text.lines().filter(|line| !line.starts_with('#'));
                let columns = lines.map(|line| line.split('\t').collect::<Vec<_>>());
                columns
                    .map(|row| match row[..] {
                        [peer, file, name, "elsewhere" | "differs" | "none" | "open", why]
                            if !why.is_empty() =>
                        {
                            (peer.to_owned(), file.to_owned(), name.to_owned())
                        }
                        _ => panic!("rest.tsv: {row:?}"),
                    })
                    .collect()
            };
            for test in tests {
                places.entry(test).or_default().push(place.clone());
            }
        }
        assert!(places.len() > 1300, "only {} tests are named", places.len());
        let twice: Vec<_> = places.iter().filter(|(_, places)| places.len() > 1).collect();
        assert!(twice.is_empty(), "named twice: {twice:#?}");
    }

    /// Each difference that a line of the ledger names stands in the documentation.
    #[test]
    fn every_difference_is_documented() {
        let text = std::fs::read_to_string(format!("{FOLDER}/rest.tsv")).unwrap();
        let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/testing.md");
        let guide = std::fs::read_to_string(guide).unwrap();
        for line in text.lines() {
            if let Some((_, word)) = line.split_once("\tdiffers\t") {
                assert!(guide.contains(&format!("| `{word}` |")), "{line}");
            }
        }
    }
}
