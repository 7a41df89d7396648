//! Whom to trust: certification authorities and client certificates.
//!
//! # How it works
//!
//! The authorities are those of the system's bundle, or of the file and directories
//! given instead, together with the `*.crt` files of the registry's own directory.
//! A `NAME.cert` there with its `NAME.key` is the certificate we show.
//!
//! # Limits
//!
//! A certificate in a bundle that cannot be read is left out, as other TLS clients
//! do; a registry's own file that cannot be read is an error.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::error::RegistryError;
use super::settings::RegistrySettings;

/// Where distributions keep the bundle of the authorities they trust.
const SYSTEM_BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// What one registry's connections are made with.
#[derive(Debug, Default)]
pub(crate) struct HostTls {
    /// Authorities, DER.
    pub(crate) roots: Vec<Vec<u8>>,
    /// PEM text of the client certificate followed by its key.
    pub(crate) identity: Option<Vec<u8>>,
}

impl HostTls {
    /// Without `verify` there is no use for authorities, and none are read.
    pub(crate) fn load(
        settings: &RegistrySettings,
        host: &str,
        verify: bool,
    ) -> Result<Self, RegistryError> {
        let roots = if verify { system_roots(settings)? } else { Vec::new() };
        let mut tls = Self { roots, identity: None };
        for directory in &settings.certs_dirs {
            tls.add_directory(&directory.join(host))?;
        }
        tls.keep_usable();
        Ok(tls)
    }

    fn add_directory(&mut self, directory: &Path) -> Result<(), RegistryError> {
        for path in files_in(directory)? {
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("crt") => {
                    let certificates = certificates_in(&read(&path)?);
                    if certificates.is_empty() {
                        return Err(tls_file(&path, "it holds no certificate"));
                    }
                    self.roots.extend(certificates);
                }
                Some("cert") if self.identity.is_none() => {
                    let key = path.with_extension("key");
                    let mut pem = read(&path)?;
                    pem.push(b'\n');
                    pem.extend(read(&key)?);
                    self.identity = Some(pem);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Drops what the TLS library would refuse as a whole.
    fn keep_usable(&mut self) {
        let mut store = RootCertStore::empty();
        self.roots.retain(|der| store.add(CertificateDer::from(der.as_slice())).is_ok());
    }
}

fn system_roots(settings: &RegistrySettings) -> Result<Vec<Vec<u8>>, RegistryError> {
    let mut roots = Vec::new();
    match &settings.ca_file {
        Some(path) => roots.extend(certificates_in(&read(path)?)),
        None => {
            if let Some(text) = SYSTEM_BUNDLES.iter().find_map(|path| fs::read(path).ok()) {
                roots.extend(certificates_in(&text));
            }
        }
    }
    for directory in settings.ca_dirs.iter().flat_map(|list| list.split(':')) {
        for path in files_in(Path::new(directory))? {
            roots.extend(certificates_in(&read(&path)?));
        }
    }
    Ok(roots)
}

/// The regular files of a directory by name; none when there is no such directory.
fn files_in(directory: &Path) -> Result<Vec<PathBuf>, RegistryError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(tls_file(directory, source)),
    };
    let mut paths: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    paths.sort();
    Ok(paths)
}

fn certificates_in(pem: &[u8]) -> Vec<Vec<u8>> {
    CertificateDer::pem_slice_iter(pem).flatten().map(|der| der.as_ref().to_vec()).collect()
}

fn read(path: &Path) -> Result<Vec<u8>, RegistryError> {
    fs::read(path).map_err(|source| tls_file(path, source))
}

fn tls_file<E>(path: &Path, why: E) -> RegistryError
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    RegistryError::TlsFile { path: path.display().to_string(), source: io::Error::other(why) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(directory: &Path) -> RegistrySettings {
        RegistrySettings {
            ca_file: Some(directory.join("none.pem")),
            certs_dirs: vec![directory.join("certs.d")],
            ..RegistrySettings::default()
        }
    }

    #[test]
    fn the_named_bundle_must_exist_and_rubbish_in_it_is_left_out() {
        let directory = tempfile::tempdir().unwrap();
        let settings = settings(directory.path());
        let error = HostTls::load(&settings, "h.io", true).unwrap_err();
        let path = directory.path().join("none.pem");
        assert_eq!(error.to_string(), format!("cannot use the TLS file `{}`", path.display()));

        let rubbish = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        fs::write(&path, rubbish).unwrap();
        assert!(HostTls::load(&settings, "h.io", true).unwrap().roots.is_empty());
    }

    #[test]
    fn a_client_certificate_needs_its_key_and_an_authority_a_certificate() {
        let directory = tempfile::tempdir().unwrap();
        let settings = settings(directory.path());
        fs::write(directory.path().join("none.pem"), "").unwrap();
        let host = directory.path().join("certs.d/h.io:5000");
        fs::create_dir_all(&host).unwrap();
        fs::write(host.join("client.cert"), "C").unwrap();
        let error = HostTls::load(&settings, "h.io:5000", true).unwrap_err();
        assert!(error.to_string().ends_with("client.key`"), "{error}");

        fs::write(host.join("client.key"), "K").unwrap();
        let tls = HostTls::load(&settings, "h.io:5000", true).unwrap();
        assert_eq!(tls.identity.as_deref(), Some(&b"C\nK"[..]));

        fs::write(host.join("ca.crt"), "nothing").unwrap();
        let error = HostTls::load(&settings, "h.io:5000", true).unwrap_err();
        assert!(error.to_string().ends_with("ca.crt`"), "{error}");
    }
}
