//! What this processor does with SHA-256 and nothing else: `sha256 MIB` hashes so much memory. `scripts/bench-evidence` takes
//! it as the measure for sealing.
#![allow(clippy::print_stdout, reason = "a measurement prints")]

use sha2::{Digest as _, Sha256};

fn main() {
    let mib = std::env::args()
        .nth(1)
        .and_then(|text| text.parse::<u64>().ok())
        .unwrap_or(2_048);
    let block = vec![0xa5; 1 << 20];
    let mut hasher = Sha256::new();
    for _ in 0..mib {
        hasher.update(&block);
    }
    // printed, so that nothing is optimised away
    println!("{:02x?}", hasher.finalize().first());
}
