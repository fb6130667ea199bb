//! Signed and cosigned heads under a policy: no input but the seed's own text is ever believed, and hostile signatures of
//! every type are refused without a panic.
#![no_main]

use std::sync::LazyLock;

use comity_ledger::policy::Policy;
use comity_ledger::verify;
use libfuzzer_sys::fuzz_target;

/// One key of each type; no quorum, so that each of them is looked at alone.
static POLICY: LazyLock<Policy> = LazyLock::new(|| Policy::parse(include_bytes!("../seeds/policy/every-type")).unwrap());
/// Signed by all three keys, whose seeds are nowhere to be found.
const SEED: &str = include_str!("../seeds/cosigned/all");

fuzz_target!(|bytes: &[u8]| {
    if let Ok(head) = verify::checkpoint_under(&POLICY, bytes) {
        assert!(SEED.starts_with(&head.head().to_string()));
    }
});
