//! A credential, and the text forms it has in configuration files.
//!
//! Secrets do not appear in `Debug` output.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Padding is written, but its absence is forgiven when reading.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Text that must not end up in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// What we show to a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A user name and password.
    Basic { username: String, password: Secret },
    /// A long-lived token that is exchanged for access tokens.
    IdentityToken(Secret),
    /// A token that is sent to the registry as it is.
    RegistryToken(Secret),
}

impl Credential {
    pub fn basic(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self::Basic { username: username.into(), password: Secret::new(password) }
    }
}

/// Base64 of `user:password`, the `auth` value of a configuration file.
pub(crate) fn encode_basic(username: &str, password: &str) -> String {
    BASE64.encode(format!("{username}:{password}"))
}

/// The reverse of [`encode_basic`]; `None` when the text is not of that form.
pub(crate) fn decode_basic(text: &str) -> Option<Credential> {
    // Docker's decoder passes over the ends of lines; some tools break at 76 characters.
    let one_line: String = text.trim().chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let bytes = BASE64.decode(one_line).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (username, password) = text.split_once(':')?;
    Some(Credential::basic(username, password.trim_end_matches('\0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_round_trip() {
        assert_eq!(encode_basic("u", "pw"), "dTpwdw==");
        assert_eq!(decode_basic("dTpwdw=="), Some(Credential::basic("u", "pw")));
        assert_eq!(decode_basic("dTpwdw"), Some(Credential::basic("u", "pw")));
        assert_eq!(decode_basic(&encode_basic("u", "a:b")), Some(Credential::basic("u", "a:b")));
        assert_eq!(decode_basic("dTp\r\nwdw==\n"), Some(Credential::basic("u", "pw")));
        assert_eq!(decode_basic("no base64!"), None);
        assert_eq!(decode_basic("dQ=="), None);
    }

    #[test]
    fn debug_output_hides_the_password() {
        let shown = format!("{:?}", Credential::basic("u", "hunter2"));
        assert_eq!(shown, "Basic { username: \"u\", password: <secret> }");
    }
}
