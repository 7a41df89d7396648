//! Compressing on all processors, always to the same bytes.
//!
//! # How it works
//!
//! The input is cut into blocks of one size. Each is deflated on its own, with the end of the block
//! before it as its dictionary, and ends at a byte; one after the other they are one deflate stream in
//! one gzip member, as `pigz` makes it. The result depends on the input alone, not on how many
//! processors there were.
//!
//! # Limits
//!
//! At most [`THREADS_MAX`] blocks are in work, and in memory.

use std::io::{self, Write};
use std::num::NonZero;
use std::thread;

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

/// Part of what is compressed to the same bytes: another size gives others.
const BLOCK: usize = 512 * 1024;
/// How far back deflate looks.
const WINDOW: usize = 32 * 1024;
const LEVEL: u32 = 6;
const THREADS_MAX: usize = 16;

/// No name, no time, an unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
/// A last block without content.
const END: [u8; 2] = [3, 0];

/// Compresses what is written to it; starts threads.
pub(crate) struct Gzip<W> {
    out: W,
    threads: usize,
    /// Full blocks, and the one that is being filled.
    blocks: Vec<Vec<u8>>,
    /// The end of the last block that was compressed.
    dictionary: Vec<u8>,
    crc: Crc,
}

impl<W: Write> Gzip<W> {
    pub(crate) fn new(out: W) -> io::Result<Self> {
        let threads = thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX);
        Self::with_threads(out, threads)
    }

    fn with_threads(mut out: W, threads: usize) -> io::Result<Self> {
        out.write_all(&HEADER)?;
        Ok(Self { out, threads, blocks: Vec::new(), dictionary: Vec::new(), crc: Crc::new() })
    }

    /// Writes what is left, and the end.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.compress()?;
        self.out.write_all(&END)?;
        self.out.write_all(&self.crc.sum().to_le_bytes())?;
        self.out.write_all(&self.crc.amount().to_le_bytes())?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// Compresses the blocks that are there, side by side, and writes them in order.
    fn compress(&mut self) -> io::Result<()> {
        let blocks = std::mem::take(&mut self.blocks);
        let before = |at: usize| match at {
            0 => &self.dictionary[..],
            _ => tail(&blocks[at - 1]),
        };
        let done: Vec<io::Result<(Vec<u8>, Crc)>> = match &blocks[..] {
            [] => return Ok(()),
            [only] => vec![deflate(only, before(0))],
            _ => thread::scope(|scope| {
                let each = blocks.iter().enumerate();
                let started: Vec<_> = each
                    .map(|(at, block)| {
                        let dictionary = before(at);
                        scope.spawn(move || deflate(block, dictionary))
                    })
                    .collect();
                let join = |one: thread::ScopedJoinHandle<'_, _>| match one.join() {
                    Ok(done) => done,
                    Err(panic) => std::panic::resume_unwind(panic),
                };
                started.into_iter().map(join).collect()
            }),
        };
        for one in done {
            let (bytes, crc) = one?;
            self.out.write_all(&bytes)?;
            self.crc.combine(&crc);
        }
        self.dictionary = blocks.last().map(|last| tail(last).to_vec()).unwrap_or_default();
        Ok(())
    }
}

impl<W: Write> Write for Gzip<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let full = |block: &Vec<u8>| block.len() == BLOCK;
        if self.blocks.last().is_none_or(full) {
            if self.blocks.len() == self.threads {
                self.compress()?;
            }
            self.blocks.push(Vec::with_capacity(BLOCK));
        }
        let Some(block) = self.blocks.last_mut() else { return Ok(0) };
        let count = bytes.len().min(BLOCK - block.len());
        block.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn tail(block: &[u8]) -> &[u8] {
    &block[block.len().saturating_sub(WINDOW)..]
}

/// One block as a part of a deflate stream that ends at a byte.
fn deflate(block: &[u8], dictionary: &[u8]) -> io::Result<(Vec<u8>, Crc)> {
    let mut compress = Compress::new(Compression::new(LEVEL), false);
    if !dictionary.is_empty() {
        compress.set_dictionary(dictionary)?;
    }
    let mut out = Vec::with_capacity(block.len() / 2 + 64);
    loop {
        let taken = usize::try_from(compress.total_in()).unwrap_or(usize::MAX);
        let status = compress.compress_vec(&block[taken..], &mut out, FlushCompress::Sync)?;
        // Room is left: all of it was taken, and its end written.
        if out.len() < out.capacity() {
            break;
        }
        if status == Status::StreamEnd {
            return Err(io::Error::other("the stream ended early"));
        }
        out.reserve(out.capacity());
    }
    let mut crc = Crc::new();
    crc.update(block);
    Ok((out, crc))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn compressed(bytes: &[u8], threads: usize, piece: usize) -> Vec<u8> {
        let mut gzip = Gzip::with_threads(Vec::new(), threads).unwrap();
        for piece in bytes.chunks(piece) {
            gzip.write_all(piece).unwrap();
        }
        gzip.finish().unwrap()
    }

    /// Neither all the same nor without any pattern.
    fn content(len: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let next = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24).to_le_bytes()[0] & if state.is_multiple_of(3) { 255 } else { 7 }
        };
        (0..len).map(next).collect()
    }

    #[test]
    fn it_is_one_member_and_the_same_however_it_is_made() {
        for len in [0, 1, 1000, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK + 77] {
            let plain = content(len);
            let one = compressed(&plain, 1, 1 << 20);
            assert_eq!(compressed(&plain, 3, 4097), one, "{len}");
            let mut read = Vec::new();
            flate2::read::GzDecoder::new(&one[..]).read_to_end(&mut read).unwrap();
            assert!(read == plain, "{len}");
        }
    }

    #[test]
    fn blocks_know_what_came_before_them() {
        let second = content(WINDOW / 2);
        let twice = [vec![0; BLOCK - WINDOW / 2], second.clone(), second].concat();
        let plain = compressed(&twice[..BLOCK], 2, BLOCK).len();
        // What the second block repeats of the first costs next to nothing.
        assert!(compressed(&twice, 2, BLOCK).len() < plain + plain / 10);
    }
}
