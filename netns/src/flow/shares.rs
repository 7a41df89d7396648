//! Room that many share, of which nobody can take so much that others find none.
//!
//! # How it works
//!
//! Whoever has less than [`REST`] times of what is left gets one more. So one alone gets three
//! quarters, another three quarters of the rest; and who has nothing gets in as long as anything
//! is left at all. Nobody is asked how many others there may be.
//!
//! # Limits
//!
//! Who has two addresses has two shares. What was given is not taken back: the fifth or sixth who
//! takes all it can get leaves next to nothing of some thousands.

use std::collections::HashMap;
use std::net::IpAddr;

/// How many times of what is left for all others one may have.
const REST: usize = 3;

/// How many each address has, of so many for all.
#[derive(Debug)]
pub(super) struct Shares {
    room: usize,
    taken: usize,
    by_address: HashMap<IpAddr, usize>,
}

impl Shares {
    pub(super) fn new(room: usize) -> Self {
        Self { room, taken: 0, by_address: HashMap::new() }
    }

    /// Whether this address may have one more.
    pub(super) fn has_room(&self, address: IpAddr) -> bool {
        let left = self.room.saturating_sub(self.taken);
        self.by_address.get(&address).copied().unwrap_or(0) < REST * left
    }

    /// Counts one more, whether there is room or not.
    pub(super) fn take(&mut self, address: IpAddr) {
        self.taken += 1;
        *self.by_address.entry(address).or_default() += 1;
    }

    pub(super) fn give_back(&mut self, address: IpAddr) {
        let Some(count) = self.by_address.get_mut(&address) else { return };
        self.taken -= 1;
        *count -= 1;
        if *count == 0 {
            self.by_address.remove(&address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes all that there is for it.
    fn fill(shares: &mut Shares, last: u8) -> usize {
        let address = IpAddr::from([10, 0, 0, last]);
        let mut count = 0;
        while shares.has_room(address) {
            shares.take(address);
            count += 1;
        }
        count
    }

    #[test]
    fn each_gets_three_quarters_of_what_the_others_left() {
        let mut shares = Shares::new(8000);
        assert_eq!(fill(&mut shares, 1), 6000);
        assert_eq!(fill(&mut shares, 1), 0);
        assert_eq!(fill(&mut shares, 2), 1500);
        assert_eq!(fill(&mut shares, 3), 375);
        // What one gives back is there for all.
        for _ in 0..6000 {
            shares.give_back([10, 0, 0, 1].into());
        }
        assert_eq!(shares.taken, 1875);
        assert_eq!(fill(&mut shares, 4), 4594);
    }

    #[test]
    fn who_has_nothing_finds_room_while_there_is_any_and_no_more_is_given_than_there_is() {
        for room in [0, 1, 2, 3, 7, 96, 7500, 60_000] {
            let mut shares = Shares::new(room);
            for number in 0..=255 {
                let left = room - shares.taken;
                let got = fill(&mut shares, number);
                assert!((got > 0) == (left > 0), "{room}: {got} of {left}");
                assert!(shares.taken <= room);
                // Whoever comes after one that took all it could get finds a quarter.
                assert!(room - shares.taken >= left / 4, "{room}: {got} of {left}");
            }
        }
    }

    #[test]
    fn nothing_is_kept_of_who_has_nothing() {
        let mut shares = Shares::new(10);
        shares.give_back([10, 0, 0, 1].into());
        assert_eq!(fill(&mut shares, 1), 8);
        for _ in 0..8 {
            shares.give_back([10, 0, 0, 1].into());
        }
        assert_eq!((shares.taken, shares.by_address.len()), (0, 0));
    }
}
