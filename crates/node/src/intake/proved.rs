//! What comes from a Comity node is held against its sender's proof before it is taken; and what a refusal says, so that a
//! receipt can be made of it.

use comity_store::Consigned;
use sha2::{Digest as _, Sha256};

use super::draft::{Draft, Refused};
use super::{Fate, Verdict};
use crate::handling::Handling;

/// Holds what comes from a Comity node against its sender's proof. What is refused for another reason is answered too, if it
/// was proved.
pub(super) fn proved(handling: &Handling, draft: Draft) -> Draft {
    let Some(delivery) = &handling.delivery else {
        return draft;
    };
    match draft {
        Draft::Put(mut ready) => {
            let put = &mut ready.put;
            let found =
                delivery.prove(&put.id, &put.version_key, &put.content_sha256, put.granular);
            match found {
                Ok((consigned, offered)) => {
                    put.link = consigned.leaf;
                    if !offered.own {
                        put.withdrawal = delivery.withdrawal(offered, put.revoked);
                        put.consigned = Some(Consigned {
                            version: put.version_text.clone(),
                            ..consigned
                        });
                    }
                    Draft::Put(ready)
                }
                Err(reason) => Draft::Refused(Box::new(Refused {
                    reason: reason.clone(),
                    verdict: Verdict {
                        fate: Fate::Refused {
                            code: "proof",
                            reason,
                        },
                        ..ready.verdict
                    },
                    content_sha256: ready.put.content_sha256,
                    consigned: None,
                })),
            }
        }
        Draft::Refused(mut refused) => {
            refused.consigned =
                delivery.prove_invalid(&refused.verdict.id, &refused.content_sha256);
            Draft::Refused(refused)
        }
    }
}

/// A reason as long as a receipt can carry.
pub(super) fn cut(mut reason: String) -> String {
    let mut end = crate::handling::REASON_BYTES_MAX.min(reason.len());
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    reason.truncate(end);
    reason
}

/// SHA-256 of the canonical form even of what is no valid object, so that its sender can tell what was refused; of the bytes
/// where there is none.
pub(super) fn digest(bytes: &[u8]) -> comity_ledger::Hash {
    let limits = comity_stix::json::Limits::default();
    match comity_stix::canonical::canonical_bytes(bytes, &limits) {
        Ok(canonical) => Sha256::digest(&canonical).into(),
        Err(_) => Sha256::digest(bytes).into(),
    }
}
