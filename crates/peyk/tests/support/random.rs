//! Repeatable randomness (SplitMix64), so that a failure can be run again from its seed.

/// A source of random numbers.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }
}

/// The seed that `PEYK_CRASH_SEED` names, or a new one. It is printed, and shown when a test fails.
pub fn seed() -> u64 {
    let given = std::env::var("PEYK_CRASH_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    let seed = given.unwrap_or_else(|| {
        let mut octets = [0; 4];
        getrandom::fill(&mut octets).expect("random octets");
        u64::from(u32::from_le_bytes(octets))
    });
    println!("PEYK_CRASH_SEED={seed}");
    seed
}
