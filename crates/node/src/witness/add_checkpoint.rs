//! `POST /add-checkpoint`: a log submits its head, and gets cosignatures if it continues the one before.

use comity_ledger::checkpoint::Checkpoint;
use comity_ledger::note::VerifierKey;
use comity_ledger::verify::TrustedLog;
use comity_ledger::witness::{AddCheckpoint, Evidence, Refusal, conflict_body, decide};
use comity_store::witness::{self as db, Keep, Latest, WitnessDbError, WitnessLog};

use super::Witness;

/// What the log is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 200: signature lines.
    Cosigned(String),
    /// 409: the size that was cosigned last.
    Conflict(String),
    /// 400, 403, 404, 422: why not.
    Refused {
        /// The HTTP status.
        status: u16,
        /// In words.
        text: String,
    },
    /// 503: not now.
    NotNow(String),
    /// 500: the witness failed; the log only hears that.
    Failed(String),
}

/// Looks at a request's body; the newer head is on disk before this returns.
#[must_use]
pub fn answer(witness: &Witness, body: &[u8]) -> Answer {
    let request = match AddCheckpoint::parse(body) {
        Ok(request) => request,
        Err(error) => {
            return Answer::Refused {
                status: 400,
                text: chain(&error),
            };
        }
    };
    let judged = witness.db.judge(request.origin_unverified(), |log| {
        judge(witness, log, &request)
    });
    match judged {
        Ok(answer) => answer,
        // "If the checkpoint origin is unknown, the witness MUST respond with a "404 Not Found""
        Err(WitnessDbError::UnknownLog(_)) => match decide(None, None, &request) {
            Err(refusal) => refused(&refusal),
            Ok(_) => Answer::Failed("a head of no log was accepted".to_owned()),
        },
        Err(error) => Answer::Failed(error.to_string()),
    }
}

/// Inside the transaction: nothing else changes `log` meanwhile.
fn judge(witness: &Witness, log: &WitnessLog, request: &AddCheckpoint) -> (Answer, Keep) {
    let keys = log.keys.iter().map(|vkey| VerifierKey::parse(vkey));
    let latest = log.latest.as_ref();
    let head = latest
        .map(|latest| Checkpoint::new(log.origin.as_str(), latest.size, latest.root))
        .transpose();
    let (keys, head) = match (keys.collect::<Result<Vec<_>, _>>(), head) {
        (Ok(keys), Ok(head)) => (keys, head),
        (Err(error), _) => return (Answer::Failed(error.to_string()), Keep::Nothing),
        (_, Err(error)) => return (Answer::Failed(error.to_string()), Keep::Nothing),
    };
    let trusted = TrustedLog {
        origin: log.origin.clone(),
        keys,
    };
    let accepted = match decide(Some(&trusted), head.as_ref(), request) {
        Ok(accepted) => accepted,
        Err(refusal) => return (refused(&refusal), evidence(witness, log, &refusal)),
    };
    let now = u64::try_from(witness.clock.now_micros() / 1_000_000).unwrap_or(0);
    // "as of the specified time, [this is] the consistent tree head with the largest size": said at an earlier time than
    // the last one, of a larger tree, it would contradict it
    if latest.is_some_and(|latest| now < latest.cosigned) {
        return (
            Answer::NotNow(
                "the witness's clock went back; it does not sign until it is right".to_owned(),
            ),
            Keep::Nothing,
        );
    }
    let cosigners: Vec<_> = witness.cosigners.iter().collect();
    match accepted.cosign(&cosigners, now) {
        Ok(cosigned) => {
            let latest = Latest {
                size: accepted.checkpoint().size(),
                root: *accepted.checkpoint().root(),
                note: cosigned.note().to_string(),
                cosigned: now,
            };
            (
                Answer::Cosigned(cosigned.answer().to_string()),
                Keep::Latest(latest),
            )
        }
        Err(error) => (Answer::Failed(error.to_string()), Keep::Nothing),
    }
}

fn refused(refusal: &Refusal) -> Answer {
    match refusal.conflict_size() {
        Some(size) => Answer::Conflict(conflict_body(size)),
        None => Answer::Refused {
            status: refusal.status(),
            text: chain(refusal),
        },
    }
}

/// "If the origin is known, and the signature is valid, the witness MAY log the request [...] as it might be proof of log
/// misbehavior."
fn evidence(witness: &Witness, log: &WitnessLog, refusal: &Refusal) -> Keep {
    let (note, word) = match refusal.evidence() {
        Evidence::None => return Keep::Nothing,
        Evidence::Suspicion(note) => (note, "not shown to continue"),
        Evidence::Misbehaviour(note) => (note, "contradicts"),
    };
    // the empty tree with a wrong root has no checkpoint type; it is kept as size 0
    let head = Checkpoint::parse(note.text_unverified()).ok();
    Keep::Evidence(db::Evidence {
        origin: log.origin.clone(),
        size: head.as_ref().map_or(0, Checkpoint::size),
        root: head.as_ref().map_or([0; 32], |head| *head.root()),
        reason: format!("{word} what was cosigned: {}", chain(refusal)),
        note: note.to_string(),
        known: log
            .latest
            .as_ref()
            .map(|latest| latest.note.clone())
            .unwrap_or_default(),
        received: witness.clock.now_micros(),
    })
}

/// An error with its causes, each once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}
