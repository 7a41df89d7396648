//! Names of variables that hold what nobody should know.

/// Words of such names.
const SECRETS: [&str; 10] = [
    "apikey",
    "auth",
    "credential",
    "credentials",
    "key",
    "password",
    "pword",
    "passwd",
    "secret",
    "token",
];

/// A name with one of these is about something else.
const HARMLESS: [&str; 3] = ["public", "file", "version"];

/// Whether a word between underscores says so.
pub(crate) fn is_secret(name: &str) -> bool {
    let has = |known: &[&str]| {
        name.split('_').any(|word| known.contains(&word.to_ascii_lowercase().as_str()))
    };
    has(&SECRETS) && !has(&HARMLESS)
}

#[cfg(test)]
mod tests {
    use super::is_secret;

    #[test]
    fn words_count_as_a_whole() {
        for name in ["SECRET_KEY", "api_token", "Auth", "DB_PASSWORD_OLD"] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["KEYS", "AUTHOR", "PUBLIC_KEY", "TOKEN_FILE", "KEY_VERSION_1", "token-x"] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
