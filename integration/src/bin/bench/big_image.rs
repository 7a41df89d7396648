//! An image of five layers that gzip to 20 MB each and unpack to about twice as much, as real ones do.

use coracle_integration::fixture::{Image, Layer};

const LAYERS: u32 = 5;
/// Files of a layer, of 4 to 128 kB.
const FILES: u32 = 620;
/// Words that the text is made of.
const WORDS: usize = 4096;

/// The image `big`.
pub(crate) fn big_image() -> Image {
    let mut random = Random(1);
    let words: Vec<Vec<u8>> = (0..WORDS)
        .map(|_| {
            let bytes = random.next().to_le_bytes();
            bytes[..3 + bytes[7] as usize % 5].to_vec()
        })
        .collect();
    let layers = (0..LAYERS).map(|number| {
        let mut layer = Layer::new();
        layer.dir(&format!("data-{number}"), 0o755);
        for file in 0..FILES {
            let size = 4096 + random.below(124 * 1024);
            let path = format!("data-{number}/file-{file}");
            layer.file(&path, 0o644, content(&mut random, &words, size));
        }
        layer.finish()
    });
    let layers = layers.collect();
    Image { names: vec!["big:latest".into()], config: serde_json::json!({"Cmd": ["/x"]}), layers }
}

/// Each fourth file does not compress; the others are text of words.
fn content(random: &mut Random, words: &[Vec<u8>], size: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size + 8);
    let text = random.below(4) > 0;
    while bytes.len() < size {
        if text {
            bytes.extend_from_slice(&words[random.below(WORDS)]);
        } else {
            bytes.extend_from_slice(&random.next().to_le_bytes());
        }
    }
    bytes.truncate(size);
    bytes
}

/// A xorshift stream: the same image in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 33).expect("31 bits fit") % limit
    }
}
