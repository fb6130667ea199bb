//! No leak: random worlds, every account at every door, against the independent judge of `testkit::oracle`.
//!
//! A pair is one account and one version of one object. `COMITY_LEAK_PAIRS=1000000` asks for a million (`scripts/leak`);
//! `COMITY_LEAK_SEED` begins elsewhere, or repeats the world a failure names.

mod doors;
mod draw;
mod finding;
mod inner;
mod judge;
mod reproduction;
mod taking;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};

use world::{Size, World};

const PAIRS: u64 = 20_000;
const SIZE: Size = Size {
    readers: 21,
    objects: 70,
    collections: 5,
};

/// Every third world is small: there accounts often may read the same records, and differ in parts only.
fn size(seed: u64) -> Size {
    let objects = if seed.is_multiple_of(3) {
        4
    } else {
        SIZE.objects
    };
    Size { objects, ..SIZE }
}

#[test]
fn nobody_sees_more_or_less_than_the_oracle_says() {
    let wanted = number("COMITY_LEAK_PAIRS").unwrap_or(PAIRS);
    let first = number("COMITY_LEAK_SEED").unwrap_or(1);
    let (pairs, seed) = (AtomicU64::new(0), AtomicU64::new(first));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while pairs.load(Ordering::SeqCst) < wanted {
                    let seed = seed.fetch_add(1, Ordering::SeqCst);
                    let asked = World::new(seed, size(seed)).ask_everything();
                    let sum = pairs.fetch_add(asked, Ordering::SeqCst) + asked;
                    println!("seed {seed}: {sum} pairs without a difference");
                }
            });
        }
    });
}

#[expect(clippy::disallowed_methods, reason = "a test's own settings")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
