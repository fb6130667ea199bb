//! What a peer's answer, or none, means for each record that went.

use std::collections::{BTreeMap, HashMap, HashSet};

use comity_stix::timestamp::Timestamp;
use comity_store::{DeliveryState, Op, Progress, Seq};

use super::envelope::Envelope;
use super::{PushError, Target};
use crate::app::App;
use crate::peers::client::ClientError;
use crate::peers::taxii::{RemoteStatus, StatusDetail};

/// What a failed POST is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// The peer is away, or does not let us in at all: waiting helps, nothing else does.
    Peer,
    /// One of its collections is closed to us. Others may be open.
    Collection,
    /// What was sent.
    Envelope,
}

pub(super) fn about(error: &ClientError) -> About {
    match error {
        error if error.is_passing() => About::Peer,
        ClientError::Status { status, .. } => match status {
            401 | 406 | 409 | 415 => About::Peer,
            403..=405 => About::Collection,
            _ => About::Envelope,
        },
        _ => About::Envelope,
    }
}

/// A collection that is closed to us is tried again after so long.
const CLOSED_MICROS: i64 = 300 * 1_000_000;

/// States by the peer's own status resource (TAXII 2.1 section 4.3.1). Servers name what failed more or less well: a record is
/// *accepted* only where nothing the server says can be about it.
pub(super) fn judge(peer: &str, envelope: &Envelope, status: &RemoteStatus) -> Vec<Op> {
    let ours: HashSet<(&str, &str)> = envelope
        .records
        .iter()
        .map(|sent| (sent.id.as_str(), sent.version_key.as_str()))
        .collect();
    let ids: HashSet<&str> = ours.iter().map(|(id, _)| *id).collect();
    let succeeded: HashSet<(String, String)> = status.successes.iter().map(key).collect();
    let mut failed: HashMap<(String, String), &str> = HashMap::new();
    // failures that name no version of ours are about every version of that object which did not succeed
    let mut by_id: HashMap<&str, &str> = HashMap::new();
    let mut unclear = status
        .failure_count
        .saturating_sub(status.failures.len() as u64);
    for failure in status.failures.iter().chain(&status.pendings) {
        let (id, version) = key(failure);
        let why = failure.message.as_deref().unwrap_or("no reason given");
        if ours.contains(&(id.as_str(), version.as_str())) {
            failed.insert((id, version), why);
        } else if ids.contains(id.as_str()) {
            by_id.insert(&failure.id, why);
        } else {
            unclear += 1;
        }
    }
    let accounted = status
        .success_count
        .map(|count| count.saturating_add(status.failure_count));
    let missing = accounted.is_some_and(|count| count < envelope.records.len() as u64);
    let mut accepted = Vec::new();
    let mut refused: BTreeMap<String, Vec<Seq>> = BTreeMap::new();
    for sent in &envelope.records {
        let key = (sent.id.clone(), sent.version_key.clone());
        let success = succeeded.contains(&key);
        let why = match (failed.get(&key), by_id.get(sent.id.as_str())) {
            (Some(why), _) => Some((*why).to_owned()),
            (None, Some(why)) if !success => Some((*why).to_owned()),
            _ if success => None,
            _ if unclear > 0 => Some(format!(
                "the peer reports {unclear} failures and does not say of what"
            )),
            _ if missing => Some(format!(
                "the peer accounts for {} of {} objects, and not for this one",
                accounted.unwrap_or_default(),
                envelope.records.len()
            )),
            _ => None,
        };
        match why {
            Some(why) => refused.entry(why).or_default().push(sent.seq),
            None => accepted.push(sent.seq),
        }
    }
    let mut ops = Vec::new();
    if !accepted.is_empty() {
        let state = DeliveryState::Accepted;
        ops.push(Op::Progress(mark(peer, accepted, state, None)));
    }
    for (reason, records) in refused {
        let state = DeliveryState::Refused;
        ops.push(Op::Progress(mark(peer, records, state, Some(reason))));
    }
    ops
}

fn key(detail: &StatusDetail) -> (String, String) {
    let version = Timestamp::parse(&detail.version).map(|at| at.key().to_owned());
    (detail.id.clone(), version.unwrap_or_default())
}

/// After a failed POST: what may pass is queued again; an envelope that was refused whole is cut, down to the one record
/// that is at fault.
pub(super) async fn settle_failure(
    app: &App,
    target: &Target,
    envelope: &Envelope,
    error: &ClientError,
    batch_max: &mut usize,
) -> Result<(), PushError> {
    let seqs: Vec<Seq> = envelope.records.iter().map(|sent| sent.seq).collect();
    let alone = seqs.len() == 1;
    let reason = Some(error.to_string());
    let peer = &target.peer.key;
    let op = match about(error) {
        About::Peer => mark(peer, seqs, DeliveryState::Queued, reason),
        About::Collection => Progress::Mark {
            peer: peer.clone(),
            records: seqs,
            state: DeliveryState::Queued,
            reason,
            receipt: None,
            not_before: app.clock.now_micros().saturating_add(CLOSED_MICROS),
        },
        About::Envelope if alone => mark(peer, seqs, DeliveryState::Refused, reason),
        About::Envelope => {
            *batch_max = (seqs.len() / 2).max(1);
            mark(peer, seqs, DeliveryState::Queued, reason)
        }
    };
    app.sequencer.submit(vec![Op::Progress(op)]).await?;
    Ok(())
}

pub(super) fn mark(
    peer: &str,
    records: Vec<Seq>,
    state: DeliveryState,
    reason: Option<String>,
) -> Progress {
    Progress::Mark {
        peer: peer.to_owned(),
        records,
        state,
        reason,
        receipt: None,
        not_before: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::envelope::Sent;
    use super::*;

    const VERSION: &str = "2024-01-01T00:00:00.000Z";

    fn envelope() -> Envelope {
        let sent = |seq, id: &str, version| Sent {
            seq: Seq(seq),
            id: id.to_owned(),
            version_key: Timestamp::parse(version).unwrap().key().to_owned(),
            tried: false,
        };
        Envelope {
            records: vec![
                sent(1, "tool--1", VERSION),
                sent(2, "tool--2", VERSION),
                sent(3, "tool--2", "2024-02-01T00:00:00.000Z"),
            ],
            ..Envelope::default()
        }
    }

    /// The records that a status lets count as accepted, and the reasons of the others.
    fn judged(status: &str) -> (Vec<i64>, Vec<(String, Vec<i64>)>) {
        let status: RemoteStatus = serde_json::from_str(status).unwrap();
        let (mut accepted, mut refused) = (Vec::new(), Vec::new());
        for op in judge("eu", &envelope(), &status) {
            let Op::Progress(Progress::Mark {
                records,
                state,
                reason,
                ..
            }) = op
            else {
                panic!("{op:?}")
            };
            let records = records.into_iter().map(|seq| seq.0).collect();
            match state {
                DeliveryState::Accepted => accepted = records,
                _ => refused.push((reason.unwrap(), records)),
            }
        }
        (accepted, refused)
    }

    fn status(rest: &str) -> String {
        format!(r#"{{"id":"s","status":"complete",{rest}}}"#)
    }

    #[test]
    fn nothing_is_accepted_that_a_failure_may_be_about() {
        let all = status(r#""success_count":3,"failure_count":0"#);
        assert_eq!(judged(&all), (vec![1, 2, 3], vec![]));
        // the exact version
        let one = status(&format!(
            r#""success_count":2,"failure_count":1,"failures":[{{"id":"tool--2","version":"{VERSION}","message":"no"}}]"#
        ));
        assert_eq!(judged(&one), (vec![1, 3], vec![("no".to_owned(), vec![2])]));
        // a version that is written otherwise, or left out: every version of that object
        for version in [
            "",
            r#","version":"2024-01-01""#,
            r#","version":"1970-01-01T00:00:00Z""#,
        ] {
            let vague = status(&format!(
                r#""success_count":2,"failure_count":1,"failures":[{{"id":"tool--2","message":"no"{version}}}]"#
            ));
            assert_eq!(
                judged(&vague),
                (vec![1], vec![("no".to_owned(), vec![2, 3])])
            );
        }
        // unless it is said to have succeeded
        let vague = status(&format!(
            r#""success_count":2,"failure_count":1,"successes":[{{"id":"tool--2","version":"{VERSION}"}}],
            "failures":[{{"id":"tool--2","message":"no"}}]"#
        ));
        assert_eq!(judged(&vague).0, [1, 2]);
    }

    #[test]
    fn what_is_not_accounted_for_is_not_accepted() {
        for unclear in [
            r#""success_count":2,"failure_count":1"#,
            r#""success_count":2,"failure_count":1,"failures":[{"id":"tool--9","version":"x"}]"#,
            r#""success_count":2,"failure_count":0"#,
            r#""success_count":2,"failure_count":0,"pending_count":1"#,
        ] {
            let (accepted, refused) = judged(&status(unclear));
            assert!(accepted.is_empty(), "{unclear}");
            assert_eq!(refused.len(), 1, "{unclear} {refused:?}");
        }
        // what is named as taken is taken
        let partly = status(&format!(
            r#""success_count":2,"failure_count":0,"successes":[{{"id":"tool--1","version":"{VERSION}"}}]"#
        ));
        assert_eq!(judged(&partly).0, [1]);
        // servers that count nothing but failures
        assert_eq!(judged(&status(r#""failure_count":0"#)).0, [1, 2, 3]);
    }

    #[test]
    fn what_an_error_is_about() {
        let status = |status| ClientError::Status {
            url: String::new(),
            status,
            text: String::new(),
            known_head: None,
        };
        for (code, expected) in [
            (401, About::Peer),
            (503, About::Peer),
            (429, About::Peer),
            (403, About::Collection),
            (404, About::Collection),
            (422, About::Envelope),
            (413, About::Envelope),
        ] {
            assert_eq!(about(&status(code)), expected, "{code}");
        }
    }
}
