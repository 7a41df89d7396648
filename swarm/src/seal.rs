//! Secrets at rest: sealed under the data key of the swarm.
//!
//! # How it works
//!
//! ChaCha20-Poly1305 (RFC 8439) with a random nonce of 96 bits for each seal, and what is sealed (`secret ID`) as
//! associated data, so that one cannot take another's place. The data key lies in `swarm/key` (0600), or with
//! `--autolock` only under the unlock key in the state ([`crate::model::cluster::ClusterOwn`]).
//!
//! # Limits
//!
//! Random nonces are good for 2^32 seals under one key: more secrets than anybody makes.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::model::{Sealed, id};

const KEY_BYTES: usize = 32;
const FILE: &str = "key";
const VERSION: u32 = 1;
/// In front of an unlock key, as swarmkit has it.
const UNLOCK_PREFIX: &str = "SWMKEY-1-";

/// Why something cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    #[error("the kernel has no random bytes")]
    Random,
    #[error("cannot use the key of the swarm, {path}")]
    File { path: PathBuf, source: io::Error },
    #[error("{path} is no key of a swarm")]
    NoKey { path: PathBuf },
    #[error(
        "{path} was written by a newer version of this program (format {found}, known is {VERSION})"
    )]
    Newer { path: PathBuf, found: u32 },
    #[error(
        "what is sealed cannot be opened with the key of this swarm: the key is another's, or the state was changed"
    )]
    Wrong,
}

#[derive(Serialize, Deserialize)]
struct KeyFile {
    version: u32,
    key: String,
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

/// A key; wiped when it is dropped.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; KEY_BYTES]>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// A new one.
    ///
    /// # Errors
    /// When the kernel has no random bytes.
    pub fn random() -> Result<Self, SealError> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        getrandom::fill(bytes.as_mut()).map_err(|_| SealError::Random)?;
        Ok(Self(bytes))
    }

    /// The key in the folder of the swarm; `None` when there is none: the swarm is locked.
    ///
    /// # Errors
    /// When the file cannot be read or is no key.
    pub fn load(folder: &Path) -> Result<Option<Self>, SealError> {
        let path = folder.join(FILE);
        let text = match fs::read(&path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(SealError::File { path, source }),
        };
        let no_key = || SealError::NoKey { path: path.clone() };
        let file: KeyFile = serde_json::from_slice(&text).map_err(|_| no_key())?;
        if file.version > VERSION {
            return Err(SealError::Newer { found: file.version, path });
        }
        let bytes = Zeroizing::new(BASE64.decode(&file.key).map_err(|_| no_key())?);
        Self::from_bytes(&bytes).map(Some).ok_or_else(no_key)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }

    /// Writes it into the folder of the swarm.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, folder: &Path) -> Result<(), SealError> {
        let (path, new) = (folder.join(FILE), folder.join("key.new"));
        let write = || -> io::Result<()> {
            let file = KeyFile { version: VERSION, key: BASE64.encode(self.0.as_slice()) };
            let text = Zeroizing::new(serde_json::to_vec(&file)?);
            drop(fs::remove_file(&new));
            let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
            out.write_all(&text)?;
            out.sync_all()?;
            fs::rename(&new, &path)?;
            fs::File::open(folder)?.sync_all()
        };
        write().map_err(|source| SealError::File { path: path.clone(), source })
    }

    /// Takes it away from the disk.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn forget(folder: &Path) -> Result<(), SealError> {
        let path = folder.join(FILE);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(SealError::File { path, source })
            }
            _ => Ok(()),
        }
    }

    /// Seals bytes; `of` says what they are.
    ///
    /// # Errors
    /// When the kernel has no random bytes.
    pub fn seal(&self, of: &str, clear: &[u8]) -> Result<Sealed, SealError> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|_| SealError::Random)?;
        let mut text = clear.to_vec();
        let sealed = self.cipher()?.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(of.as_bytes()),
            &mut text,
        );
        sealed.map_err(|_| SealError::Wrong)?;
        Ok(Sealed { nonce: BASE64.encode(nonce), text: BASE64.encode(text) })
    }

    /// Opens what was sealed as the same.
    ///
    /// # Errors
    /// When it was not sealed with this key as that.
    pub fn open(&self, of: &str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let wrong = |_| SealError::Wrong;
        let nonce: [u8; NONCE_LEN] = BASE64
            .decode(&sealed.nonce)
            .map_err(wrong)?
            .try_into()
            .map_err(|_| SealError::Wrong)?;
        let mut text = Zeroizing::new(BASE64.decode(&sealed.text).map_err(wrong)?);
        let clear = self
            .cipher()?
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(of.as_bytes()), &mut text)
            .map_err(|_| SealError::Wrong)?
            .len();
        text.truncate(clear);
        Ok(text)
    }

    fn cipher(&self) -> Result<LessSafeKey, SealError> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, self.0.as_slice());
        Ok(LessSafeKey::new(key.map_err(|_| SealError::Wrong)?))
    }

    /// The key as a person keeps it: `SWMKEY-1-…`.
    #[must_use]
    pub fn to_unlock_key(&self) -> Zeroizing<String> {
        Zeroizing::new(format!(
            "{UNLOCK_PREFIX}{}",
            BASE64.encode(self.0.as_slice()).trim_end_matches('=')
        ))
    }

    /// Reads what a person typed.
    #[must_use]
    pub fn from_unlock_key(text: &str) -> Option<Self> {
        let digits = text.trim().strip_prefix(UNLOCK_PREFIX)?;
        let padded = Zeroizing::new(format!("{}=", digits.trim_end_matches('=')));
        let bytes = Zeroizing::new(BASE64.decode(padded.as_bytes()).ok()?);
        Self::from_bytes(&bytes)
    }

    /// The key under another.
    ///
    /// # Errors
    /// As [`Key::seal`].
    pub fn wrap(&self, of: &str, inner: &Self) -> Result<Sealed, SealError> {
        self.seal(of, inner.0.as_slice())
    }

    /// The key that was wrapped as the same.
    ///
    /// # Errors
    /// As [`Key::open`].
    pub fn unwrap(&self, of: &str, sealed: &Sealed) -> Result<Self, SealError> {
        Self::from_bytes(&self.open(of, sealed)?).ok_or(SealError::Wrong)
    }
}

/// A token for `swarm join`: `SWMTKN-1-`, what all tokens of a swarm have in common, and a secret.
///
/// # Errors
/// When the kernel has no random bytes.
pub fn join_token(cluster: &str) -> Result<String, SealError> {
    let mut bits = [0u8; 16];
    getrandom::fill(&mut bits).map_err(|_| SealError::Random)?;
    let common = ring::digest::digest(&ring::digest::SHA256, cluster.as_bytes());
    let mut half = [0u8; 16];
    let mut parts = Vec::new();
    for chunk in common.as_ref().chunks_exact(16) {
        half.copy_from_slice(chunk);
        parts.push(id::base36(u128::from_be_bytes(half), 25));
    }
    Ok(format!("SWMTKN-1-{}-{}", parts.concat(), id::base36(u128::from_be_bytes(bits), 25)))
}

#[cfg(test)]
mod tests {
    use super::{Key, SealError};

    #[test]
    fn what_was_sealed_opens_as_the_same_only() {
        let key = Key::random().unwrap();
        let sealed = key.seal("secret a", b"clear").unwrap();
        assert_eq!(key.open("secret a", &sealed).unwrap().as_slice(), b"clear");
        assert!(matches!(key.open("secret b", &sealed), Err(SealError::Wrong)));
        assert!(matches!(Key::random().unwrap().open("secret a", &sealed), Err(SealError::Wrong)));
        assert!(!sealed.text.contains("clear"));
        let again = key.seal("secret a", b"clear").unwrap();
        assert_ne!(sealed.text, again.text);
    }

    #[test]
    fn keys_are_kept_and_typed() {
        let temp = tempfile::tempdir().unwrap();
        let key = Key::random().unwrap();
        assert!(Key::load(temp.path()).unwrap().is_none());
        key.save(temp.path()).unwrap();
        let sealed = Key::load(temp.path()).unwrap().unwrap().seal("x", b"y").unwrap();
        assert_eq!(key.open("x", &sealed).unwrap().as_slice(), b"y");
        Key::forget(temp.path()).unwrap();
        assert!(Key::load(temp.path()).unwrap().is_none());
        let text = key.to_unlock_key();
        assert_eq!(text.len(), "SWMKEY-1-".len() + 43);
        let typed = Key::from_unlock_key(&text).unwrap();
        assert_eq!(typed.open("x", &sealed).unwrap().as_slice(), b"y");
        assert!(Key::from_unlock_key("SWMKEY-1-short").is_none());
        let unlock = Key::random().unwrap();
        let wrapped = unlock.wrap("data key", &key).unwrap();
        assert_eq!(
            unlock.unwrap("data key", &wrapped).unwrap().open("x", &sealed).unwrap().as_slice(),
            b"y"
        );
    }
}
