//! Output of a process without a terminal: what it wrote, each piece after a header that tells the stream.
//!
//! One byte of stream (1 standard output, 2 standard error), three zeros, the length in four bytes (big endian).

/// Standard output.
pub(crate) const STDOUT: u8 = 1;
/// Standard error.
pub(crate) const STDERR: u8 = 2;

/// The header of a piece.
pub(crate) fn header(stream: u8, length: usize) -> [u8; 8] {
    let [a, b, c, d] = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    [stream, 0, 0, 0, a, b, c, d]
}

/// Appends a piece; with a terminal there is no header.
pub(crate) fn append(out: &mut Vec<u8>, stream: u8, tty: bool, bytes: &[u8]) {
    if !tty {
        out.extend_from_slice(&header(stream, bytes.len()));
    }
    out.extend_from_slice(bytes);
}

/// The media type of such output.
pub(crate) fn media_type(tty: bool) -> &'static str {
    match tty {
        true => RAW,
        false => "application/vnd.docker.multiplexed-stream",
    }
}

/// The media type without headers.
pub(crate) const RAW: &str = "application/vnd.docker.raw-stream";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_have_a_header_unless_there_is_a_terminal() {
        let mut out = Vec::new();
        append(&mut out, STDERR, false, b"no");
        append(&mut out, STDOUT, true, b"yes");
        assert_eq!(out, [&[2, 0, 0, 0, 0, 0, 0, 2][..], b"noyes"].concat());
    }
}
