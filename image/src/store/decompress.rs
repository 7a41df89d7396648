//! Compression of layers and archives, told by their first bytes.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

use crate::limits::{XZ_MEMORY_BYTES_MAX, ZSTD_WINDOW_LOG_MAX};

/// Bytes needed to tell any of them.
const MAGIC_LEN: usize = 6;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const XZ: [u8; 6] = [0xfd, b'7', b'z', b'X', b'Z', 0];
const BZIP2: [u8; 3] = *b"BZh";
/// `0x184D2A5?`: a skippable frame, with which zstd:chunked blobs may begin.
const ZSTD_SKIPPABLE: [u8; 3] = [0x2a, 0x4d, 0x18];

/// How a stream is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    None,
    Gzip,
    Zstd,
    Xz,
    Bzip2,
}

impl Compression {
    /// What a stream that begins with `head` is.
    pub fn detect(head: &[u8]) -> Self {
        let skippable = head.len() >= 4 && head[0] & 0xf0 == 0x50 && head[1..4] == ZSTD_SKIPPABLE;
        if head.starts_with(&GZIP) {
            Self::Gzip
        } else if head.starts_with(&ZSTD) || skippable {
            Self::Zstd
        } else if head.starts_with(&XZ) {
            Self::Xz
        } else if head.starts_with(&BZIP2) {
            Self::Bzip2
        } else {
            Self::None
        }
    }

    /// Whether a registry takes layers compressed like this.
    pub fn is_distributable(self) -> bool {
        matches!(self, Self::None | Self::Gzip | Self::Zstd)
    }
}

/// A stream whose first bytes were looked at and put back.
pub(super) type Peeked<R> = Chain<Cursor<Vec<u8>>, R>;

/// Reads the first bytes of `reader`, tells the compression, and puts them back.
pub(super) fn peek<R: Read>(mut reader: R) -> io::Result<(Compression, Peeked<R>)> {
    let mut head = Vec::with_capacity(MAGIC_LEN);
    reader.by_ref().take(MAGIC_LEN as u64).read_to_end(&mut head)?;
    Ok((Compression::detect(&head), Cursor::new(head).chain(reader)))
}

/// Decompresses `reader`, whatever it is compressed with.
pub fn decoder<'a, R: Read + 'a>(reader: R) -> io::Result<(Compression, Box<dyn Read + 'a>)> {
    let (compression, reader) = peek(reader)?;
    let buffered = BufReader::with_capacity(crate::limits::CHUNK_BYTES, reader);
    Ok((compression, decode(compression, buffered)?))
}

/// Decompresses a stream of a known kind.
pub(super) fn decode<'a, R: BufRead + 'a>(
    compression: Compression,
    reader: R,
) -> io::Result<Box<dyn Read + 'a>> {
    Ok(match compression {
        Compression::None => Box::new(reader),
        // Several members in a row are one stream: eStargz writes them.
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(reader)),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(reader)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            Box::new(decoder)
        }
        Compression::Xz => {
            let flags = liblzma::stream::CONCATENATED;
            let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY_BYTES_MAX, flags)?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(reader, stream))
        }
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(reader)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn tells_compression_by_the_first_bytes() {
        for (head, expected) in [
            (&b""[..], Compression::None),
            (b"\x1f", Compression::None),
            (b"\x1f\x8b\x08", Compression::Gzip),
            (b"\x28\xb5\x2f\xfd\x00", Compression::Zstd),
            (b"\x50\x2a\x4d\x18", Compression::Zstd),
            (b"\xfd7zXZ\x00", Compression::Xz),
            (b"BZh9", Compression::Bzip2),
            (b"etc/passwd", Compression::None),
        ] {
            assert_eq!(Compression::detect(head), expected, "{head:?}");
        }
    }

    #[test]
    fn decodes_each_kind_and_several_gzip_members() {
        let mut gzip = Vec::new();
        for part in ["hello ", "world"] {
            let mut encoder = flate2::write::GzEncoder::new(&mut gzip, flate2::Compression::fast());
            encoder.write_all(part.as_bytes()).unwrap();
            encoder.finish().unwrap();
        }
        let zstd = zstd::encode_all(&b"hello world"[..], 1).unwrap();
        let mut xz = Vec::new();
        liblzma::read::XzEncoder::new(&b"hello world"[..], 1).read_to_end(&mut xz).unwrap();
        let mut bz = Vec::new();
        bzip2::read::BzEncoder::new(&b"hello world"[..], bzip2::Compression::fast())
            .read_to_end(&mut bz)
            .unwrap();
        for (bytes, expected) in [
            (b"hello world".to_vec(), Compression::None),
            (gzip, Compression::Gzip),
            (zstd, Compression::Zstd),
            (xz, Compression::Xz),
            (bz, Compression::Bzip2),
        ] {
            let (compression, mut reader) = decoder(&bytes[..]).unwrap();
            let mut text = String::new();
            reader.read_to_string(&mut text).unwrap();
            assert_eq!((compression, text.as_str()), (expected, "hello world"));
        }
    }
}
