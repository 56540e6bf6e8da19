//! FNV-1a, 32 bits: for tables and sums of what is not kept from anybody. Equality is never decided by it alone.

/// What a hash begins with.
pub const START: u32 = 0x811c_9dc5;

/// The hash of a text behind what was hashed so far.
pub fn hash(start: u32, text: &[u8]) -> u32 {
	text.iter().fold(start, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
