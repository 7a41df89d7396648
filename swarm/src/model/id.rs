//! Ids of swarm objects: 25 digits of base 36, as swarmkit makes them of 128 random bits.

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const LENGTH: usize = 25;

/// The id that these random bits make.
#[must_use]
pub fn from_bits(bits: u128) -> String {
    base36(bits, LENGTH)
}

/// A number in base 36, with zeros in front up to `width`.
#[must_use]
pub fn base36(mut bits: u128, width: usize) -> String {
    let mut digits = vec![b'0'; width];
    for digit in digits.iter_mut().rev() {
        let index = usize::try_from(bits % 36).unwrap_or_default();
        *digit = DIGITS[index];
        bits /= 36;
    }
    String::from_utf8_lossy(&digits).into_owned()
}

#[cfg(test)]
mod tests {
    use super::from_bits;

    #[test]
    fn all_bits_have_room() {
        assert_eq!(from_bits(0), "0000000000000000000000000");
        assert_eq!(from_bits(35), "000000000000000000000000z");
        assert_eq!(from_bits(u128::MAX), "f5lxx1zz5pnorynqglhzmsp33");
    }
}
