//! Measures pulls of 100 MB in 5 gzip layers from the reference registry.
//!
//! `cargo run --release -p coracle-image --example pull_speed [RUNS]` needs
//! `docker-registry`. Each run pulls into a new store; the median is what counts.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use coracle_image::{
    Digest, LayerSource, NewImage, Platform, PullOptions, Reference, RegistrySettings, Silent,
    Store, StoreOptions, pull, push,
};
use flate2::Compression;
use flate2::write::GzEncoder;

const LAYERS: u64 = 5;
const LAYER_BYTES: usize = 40 << 20;
const FILE_BYTES: usize = 64 << 10;
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const OCI_LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let runs: usize = std::env::args().nth(1).map_or(Ok(5), |n| n.parse())?;
    let directory = tempfile::tempdir()?;
    let (mut registry, host) = start_registry(&directory.path().join("registry"))?;
    let outcome = measure(directory.path(), &host, runs);
    registry.kill()?;
    registry.wait()?;
    let mut times = outcome?;
    times.sort();
    let mut out = std::io::stdout().lock();
    writeln!(out, "median of {runs}: {:?}, all: {times:?}", times[times.len() / 2])?;
    Ok(())
}

fn measure(directory: &std::path::Path, host: &str, runs: usize) -> Result<Vec<Duration>> {
    let reference = Reference::parse(&format!("{host}/speed:1"))?;
    let settings = RegistrySettings::default();
    {
        let store = Store::open(directory.join("from"), StoreOptions::default())?;
        make_image(&store, &reference)?;
        push(&store, &settings, &reference, None, &Silent)?;
    }
    std::fs::remove_dir_all(directory.join("from"))?;
    let mut times = Vec::new();
    for _ in 0..runs {
        let root = directory.join("to");
        let store = Store::open(&root, StoreOptions::default())?;
        let start = Instant::now();
        pull(&store, &settings, &reference, &PullOptions::default(), &Silent)?;
        times.push(start.elapsed());
        drop(store);
        std::fs::remove_dir_all(&root)?;
    }
    Ok(times)
}

fn make_image(store: &Store, reference: &Reference) -> Result<()> {
    let mut layers = Vec::new();
    let mut size = 0;
    for seed in 0..LAYERS {
        let mut blob = GzEncoder::new(Vec::new(), Compression::new(6));
        blob.write_all(&archive(seed)?)?;
        let blob = blob.finish()?;
        size += blob.len();
        let source =
            LayerSource { media_type: Some(OCI_LAYER_GZIP.to_owned()), ..LayerSource::default() };
        layers.push(store.ingest_layer(&source, &mut &blob[..], &|_| {})?);
    }
    writeln!(std::io::stdout(), "{LAYERS} layers, {size} bytes compressed")?;
    let diff_ids: Vec<String> = layers.iter().map(|layer| layer.diff_id.to_string()).collect();
    let platform = Platform::host();
    let config = serde_json::json!({
        "os": platform.os, "architecture": platform.architecture, "config": {},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    });
    let config_bytes = serde_json::to_vec(&config)?;
    let entries: Vec<_> = layers
        .iter()
        .map(|layer| {
            serde_json::json!({"mediaType": OCI_LAYER_GZIP, "size": layer.blob_size,
                "digest": layer.blob_digest})
        })
        .collect();
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": entries,
        "config": {"mediaType": OCI_CONFIG, "size": config_bytes.len(),
            "digest": Digest::of(&config_bytes)},
    });
    store.commit_image(&NewImage {
        config_bytes,
        manifest_bytes: serde_json::to_vec(&manifest)?,
        manifest_media_type: OCI_MANIFEST.to_owned(),
        layers,
        names: vec![reference.clone()],
        ..NewImage::default()
    })?;
    Ok(())
}

/// Files that compress about as well as programs do.
fn archive(seed: u64) -> Result<Vec<u8>> {
    let mut state = seed + 1;
    let mut builder = tar::Builder::new(Vec::new());
    for number in 0..LAYER_BYTES / FILE_BYTES {
        let content: Vec<u8> = (0..FILE_BYTES / 8)
            .flat_map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                // Half of each word is noise.
                (state & 0xffff_ffff).to_le_bytes()
            })
            .collect();
        let mut header = tar::Header::new_ustar();
        header.set_size(FILE_BYTES as u64);
        header.set_mode(0o644);
        header.set_uid(rustix::process::getuid().as_raw().into());
        header.set_gid(rustix::process::getgid().as_raw().into());
        builder.append_data(&mut header, format!("d{seed}/f{number}"), &content[..])?;
    }
    Ok(builder.into_inner()?)
}

fn start_registry(directory: &std::path::Path) -> Result<(Child, String)> {
    std::fs::create_dir(directory)?;
    let config = directory.join("config.yml");
    std::fs::write(
        &config,
        format!(
            "version: 0.1\nlog: {{accesslog: {{disabled: true}}, level: info}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '127.0.0.1:0'}}\n",
            directory.join("data").display()
        ),
    )?;
    let mut child = Command::new("/usr/bin/docker-registry")
        .arg("serve")
        .arg(&config)
        .stderr(Stdio::piped())
        .spawn()?;
    let mut log = BufReader::new(child.stderr.take().ok_or("no log")?);
    let mut line = String::new();
    loop {
        line.clear();
        if log.read_line(&mut line)? == 0 {
            return Err("the registry ended".into());
        }
        if let Some((_, rest)) = line.split_once("listening on ") {
            let host = rest[..rest.find('"').ok_or("no address")?].to_owned();
            std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
            return Ok((child, host));
        }
    }
}
