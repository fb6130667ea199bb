//! Policies: what is read prints to a file that reads the same; the quorum can be met unless it is none of this file's;
//! and more cosignatures never make it less.
#![no_main]

use comity_ledger::policy::Policy;
use comity_ledger::verify;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(policy) = Policy::parse(bytes) else { return };
    let printed = policy.to_bytes();
    let again = Policy::parse(&printed).unwrap();
    assert_eq!(again, policy);
    assert_eq!(again.to_bytes(), printed);
    // everybody is always enough, nobody only if nobody is needed
    assert!(policy.is_met(|_| true));
    assert_eq!(policy.is_met(|_| false), policy.quorum().is_none());
    let mut seen = false;
    for count in 0..=policy.witnesses().len() {
        let mut at = 0;
        let met = policy.is_met(|_| {
            at += 1;
            at <= count
        });
        assert!(met || !seen);
        seen = met;
    }
    assert!(verify::checkpoint_under(&policy, bytes).is_err());
});
