//! The keys that leave a session without ending it: `ctrl-p,ctrl-q`.

/// Those of who names none.
const DETACH_KEYS: &str = "ctrl-p,ctrl-q";

/// Keys that there are not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid detach keys ({keys}): Unknown character: '{name}'")]
pub struct BadKeys {
    keys: String,
    name: String,
}

/// Watches what is typed for the keys that leave a session.
#[derive(Debug)]
pub struct DetachKeys {
    keys: Vec<u8>,
    matched: usize,
}

impl DetachKeys {
    /// Keys such as `ctrl-p,ctrl-q` or `ctrl-x` or `a`.
    pub fn parse(text: Option<&str>) -> Result<Self, BadKeys> {
        let text = text.filter(|text| !text.is_empty()).unwrap_or(DETACH_KEYS);
        let known = |name| {
            key(name).ok_or_else(|| BadKeys { keys: text.to_owned(), name: name.to_owned() })
        };
        let keys = text.split(',').map(known).collect::<Result<Vec<u8>, _>>()?;
        Ok(Self { keys, matched: 0 })
    }

    /// What of `typed` goes to the container; true when the keys are complete.
    ///
    /// Keys that begin the sequence are held back until it is clear what they are.
    pub fn filter(&mut self, typed: &[u8]) -> (Vec<u8>, bool) {
        let mut out = Vec::with_capacity(typed.len());
        for byte in typed {
            if self.keys.get(self.matched) == Some(byte) {
                self.matched += 1;
                if self.matched == self.keys.len() {
                    return (out, true);
                }
                continue;
            }
            out.extend_from_slice(&self.keys[..self.matched]);
            self.matched = 0;
            if self.keys.first() == Some(byte) {
                self.matched = 1;
            } else {
                out.push(*byte);
            }
        }
        (out, false)
    }
}

fn key(text: &str) -> Option<u8> {
    if let Some(letter) = text.strip_prefix("ctrl-") {
        let [byte] = letter.as_bytes() else { return None };
        return match byte {
            b'a'..=b'z' => Some(byte - b'a' + 1),
            b'@' => Some(0),
            b'[' => Some(27),
            b'\\' => Some(28),
            b']' => Some(29),
            b'^' => Some(30),
            b'_' => Some(31),
            _ => None,
        };
    }
    match text.as_bytes() {
        [byte] => Some(*byte),
        b"DEL" => Some(127),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_held_back_until_they_are_clear() {
        let mut keys = DetachKeys::parse(None).unwrap();
        assert_eq!(keys.filter(b"ab\x10"), (b"ab".to_vec(), false));
        assert_eq!(keys.filter(b"c"), (b"\x10c".to_vec(), false));
        assert_eq!(keys.filter(b"\x10\x10\x11"), (b"\x10".to_vec(), true));
    }

    #[test]
    fn other_keys() {
        let mut keys = DetachKeys::parse(Some("ctrl-x")).unwrap();
        assert_eq!(keys.filter(b"a\x18b"), (b"a".to_vec(), true));
        let error = DetachKeys::parse(Some("ctrl-px")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "invalid detach keys (ctrl-px): Unknown character: 'ctrl-px'"
        );
    }
}
