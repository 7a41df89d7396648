//! Every bound of this crate, with its reason.

/// Manifest or index size accepted; Docker's own registry refuses larger ones.
pub const MANIFEST_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Image configuration size accepted. Real ones have a few KiB; long histories some hundred.
pub const CONFIG_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Blob of a manifest that is no image (an attestation), which is held in memory. Large bills of
/// materials have some MiB.
pub const ATTACHED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Layers in one image. overlayfs takes 500 lower directories; we keep room.
pub const LAYERS_MAX: usize = 256;
const _: () = assert!(LAYERS_MAX < 500, "overlayfs refuses more lower layers");

/// Images in one archive.
pub const ARCHIVE_IMAGES_MAX: usize = 10_000;

/// Archive that `import` takes from a URL: far above any root filesystem, and what keeps a
/// server that never ends from filling the disk.
pub const DOWNLOAD_BYTES_MAX: u64 = 64 << 30;

/// Depth of an index inside an index. Nothing real goes beyond 2.
pub const INDEX_DEPTH_MAX: usize = 8;

/// Name of a layer entry, or target of a link: the kernel's `PATH_MAX` less the final NUL.
pub const ENTRY_NAME_BYTES_MAX: usize = 4095;

/// Extended headers (PAX records, GNU long names) of one entry. Go's reader has the same bound.
pub const EXTENDED_HEADER_BYTES_MAX: u64 = 1024 * 1024;

/// Extended headers in a row before one entry; two or three are usual.
pub const EXTENDED_HEADERS_MAX: usize = 16;

/// Data segments in one sparse entry.
pub const SPARSE_SEGMENTS_MAX: usize = 1_000_000;

/// Notes (skipped devices, refused attributes) kept for one layer.
pub const NOTES_MAX: usize = 100;

/// Open parent directories remembered while unpacking.
pub const DIR_CACHE_MAX: usize = 64;

/// Size of one buffer handed from decompression to unpacking.
pub const CHUNK_BYTES: usize = 256 * 1024;

/// Buffers in flight between decompression and unpacking.
pub const CHUNKS_IN_FLIGHT: usize = 8;

/// `images.json` accepted; some 100,000 images.
pub const INDEX_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Window that a zstd frame may ask for, as a power of two: 128 MiB, the library's own default.
pub const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// Memory that xz decompression may take: its highest preset needs 65 MiB.
pub const XZ_MEMORY_BYTES_MAX: u64 = 256 * 1024 * 1024;
