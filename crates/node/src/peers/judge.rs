//! Whether the heads that a peer and its witnesses show are one log that grows. Pure: heads and tiles come in, findings go
//! out; what is fetched and kept is [`super::watch`]'s.
//!
//! Every head is compared with the newest one known: the same size must have the same root, a larger one must begin with all
//! of it, a smaller one must be its beginning. So each head kept is one tree with all that were kept before.

use comity_ledger::Hash;
use comity_ledger::note::{SignedNote, VerifiedCosignature, VerifierKey};
use comity_ledger::policy::Policy;
use comity_ledger::tree::{TileSource, consistency_proof, verify_consistency};
use comity_ledger::verify::{self, TrustedLog, VerifiedCheckpoint, VerifyError};
use comity_store::AlarmKind;

/// A log whose newest witnessed head is this old, although it goes on, is stalled: three times as long as a node lets a
/// cosignature grow old, so that a witness may be down for a while.
pub const STALLED_SECONDS: u64 = 1_800;

/// Who showed a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The peer itself, as its newest.
    Peer,
    /// The peer itself, as its newest that witnesses cosigned.
    PeerWitnessed,
    /// A witness, by name.
    Witness(String),
}

impl Source {
    /// For people and the register.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Peer | Self::PeerWitnessed => "peer".to_owned(),
            Self::Witness(name) => format!("witness `{name}`"),
        }
    }
}

/// A head as it came.
#[derive(Clone, Debug)]
pub struct Shown {
    /// From whom.
    pub source: Source,
    /// The note.
    pub note: Vec<u8>,
}

/// What is known of the log.
pub struct Known<'a> {
    /// Its origin and keys.
    pub log: &'a TrustedLog,
    /// Its witnesses, as our operator chose them.
    pub policy: Option<&'a Policy>,
    /// The newest head kept.
    pub newest: Option<KnownHead>,
    /// When watching began, seconds: nothing can have stalled before.
    pub since_seconds: u64,
    /// Now.
    pub now_seconds: u64,
}

/// A head that is kept.
#[derive(Clone, Debug)]
pub struct KnownHead {
    /// Verified.
    pub checkpoint: VerifiedCheckpoint,
    /// The note.
    pub note: String,
    /// The peer itself showed it.
    pub by_peer: bool,
}

/// A head that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Good {
    /// From whom.
    pub source: Source,
    /// Entries.
    pub size: u64,
    /// RFC 6962 root.
    pub root: Hash,
    /// The note.
    pub note: String,
    /// Newest cosignature by a witness of the policy, seconds; 0 for none.
    pub cosigned_seconds: u64,
}

/// Something wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub kind: AlarmKind,
    /// Who showed it.
    pub source: Source,
    /// In words.
    pub detail: String,
    /// The note that was known.
    pub kept: Option<String>,
    /// The note that contradicts it.
    pub shown: Option<String>,
}

/// What came out.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    /// Heads to keep, by size.
    pub good: Vec<Good>,
    /// Alarms.
    pub findings: Vec<Finding>,
    /// The largest head a quorum has cosigned: size, and when it had.
    pub witnessed: Option<(u64, u64)>,
    /// Heads that could not be compared, and why: no proof of wrong.
    pub unproven: Vec<String>,
}

struct Head {
    source: Source,
    checkpoint: VerifiedCheckpoint,
    note: String,
    cosignatures: Vec<VerifiedCosignature>,
}

/// Judges what was shown. `tiles` gives the peer's tiles of a tree of that size.
pub fn judge<T: TileSource>(
    known: &Known<'_>,
    shown: &[Shown],
    tiles: impl Fn(u64) -> T,
) -> Judgement
where
    T::Error: std::fmt::Display,
{
    let mut judgement = Judgement::default();
    let mut heads: Vec<Head> = Vec::new();
    for one in shown {
        match read(known, one) {
            Ok(head) => heads.push(head),
            Err(Unread::Forged(detail)) => judgement.findings.push(Finding {
                kind: AlarmKind::Forged,
                source: one.source.clone(),
                detail,
                kept: None,
                shown: Some(String::from_utf8_lossy(&one.note).into_owned()),
            }),
            Err(Unread::Useless(why)) => judgement.unproven.push(why),
        }
    }
    heads.sort_by_key(|head| head.checkpoint.head().size());
    let mut base = known.newest.clone();
    let mut good: Vec<Head> = Vec::new();
    for head in heads {
        match relate(base.as_ref(), &head, &tiles) {
            Ok(()) => {
                let grown = base
                    .as_ref()
                    .is_none_or(|it| it.checkpoint.head().size() < head.checkpoint.head().size());
                if grown {
                    base = Some(KnownHead {
                        checkpoint: head.checkpoint.clone(),
                        note: head.note.clone(),
                        by_peer: head.source == Source::Peer,
                    });
                }
                good.push(head);
            }
            Err(Unrelated::Split(detail)) => judgement.findings.push(Finding {
                kind: AlarmKind::Split,
                source: head.source,
                detail,
                kept: base.as_ref().map(|base| base.note.clone()),
                shown: Some(head.note),
            }),
            Err(Unrelated::Unproven(why)) => judgement.unproven.push(why),
        }
    }
    judgement.witnessed = witnessed(known, &good);
    judgement
        .findings
        .extend(older(known, &good, base.as_ref()));
    judgement
        .findings
        .extend(stalled(known, shown, &good, judgement.witnessed));
    judgement.good = good.into_iter().map(kept).collect();
    judgement
}

fn kept(head: Head) -> Good {
    let times = head.cosignatures.iter();
    Good {
        size: head.checkpoint.head().size(),
        root: *head.checkpoint.head().root(),
        cosigned_seconds: times
            .filter_map(VerifiedCosignature::time_seconds)
            .max()
            .unwrap_or(0),
        source: head.source,
        note: head.note,
    }
}

enum Unread {
    /// It says to be this log's head and is not.
    Forged(String),
    /// It is nothing.
    Useless(String),
}

/// note -> head of this log, with the cosignatures of witnesses we know. A wrong signature by a known key spoils the note.
fn read(known: &Known<'_>, shown: &Shown) -> Result<Head, Unread> {
    let name = shown.source.name();
    let checkpoint = verify::checkpoint(known.log, &shown.note).map_err(|error| match error {
        VerifyError::Signature(_) | VerifyError::Origin(_) => {
            Unread::Forged(format!("{name} shows a head the log did not sign: {error}"))
        }
        other => Unread::Useless(format!("{name} shows what is no head: {other}")),
    })?;
    let note = SignedNote::parse(&shown.note)
        .map_err(|error| Unread::Useless(format!("{name} shows what is no head: {error}")))?;
    let witnesses = known.policy.iter().flat_map(|policy| policy.witnesses());
    let keys: Vec<VerifierKey> = known
        .log
        .keys
        .iter()
        .chain(witnesses.map(|witness| witness.key()))
        .cloned()
        .collect();
    let cosignatures = note
        .verify(&keys)
        .map_err(|error| {
            Unread::Forged(format!(
                "{name} shows a head with a cosignature that does not hold: {error}"
            ))
        })?
        .cosignatures()
        .to_vec();
    Ok(Head {
        source: shown.source.clone(),
        checkpoint,
        note: note.to_string(),
        cosignatures,
    })
}

enum Unrelated {
    Split(String),
    Unproven(String),
}

/// Whether the head and the newest one known are one tree.
fn relate<T: TileSource>(
    base: Option<&KnownHead>,
    head: &Head,
    tiles: &impl Fn(u64) -> T,
) -> Result<(), Unrelated>
where
    T::Error: std::fmt::Display,
{
    let Some(base) = base else { return Ok(()) };
    let (base, name) = (base.checkpoint.head(), head.source.name());
    let head = head.checkpoint.head();
    if head.size() == base.size() {
        return if head.root() == base.root() {
            Ok(())
        } else {
            Err(Unrelated::Split(format!(
                "{name} shows another root for the same {} entries",
                head.size()
            )))
        };
    }
    let (old, new) = if head.size() > base.size() {
        (base, head)
    } else {
        (head, base)
    };
    let path = consistency_proof(&tiles(new.size()), old.size(), new.size()).map_err(|error| {
        Unrelated::Unproven(format!(
            "{name} shows {} entries; the peer gives no proof that they go with the {} known: {error}",
            head.size(),
            base.size()
        ))
    })?;
    verify_consistency(old.size(), old.root(), new.size(), new.root(), &path).map_err(|error| {
        Unrelated::Split(format!(
            "{name} shows {} entries that do not go with the {} known: {error}",
            head.size(),
            base.size()
        ))
    })
}

/// The peer's own newest head must not be older than one it or its witnesses have shown.
fn older(known: &Known<'_>, good: &[Head], base: Option<&KnownHead>) -> Option<Finding> {
    let shown = good.iter().find(|head| head.source == Source::Peer)?;
    let base = base?;
    let (size, newest) = (
        shown.checkpoint.head().size(),
        base.checkpoint.head().size(),
    );
    if size >= newest {
        return None;
    }
    // it showed more itself: it went back. Only others have seen more: it shows us an old head while it goes on
    let before = known
        .newest
        .as_ref()
        .filter(|it| it.by_peer && it.checkpoint.head().size() > size);
    let (kind, detail) = match before {
        Some(before) => (
            AlarmKind::Rollback,
            format!(
                "the log went back from {} to {size} entries",
                before.checkpoint.head().size()
            ),
        ),
        None => (
            AlarmKind::Stalled,
            format!(
                "the peer shows {size} entries, while its witnesses have cosigned {newest}: it shows us an old head"
            ),
        ),
    };
    Some(Finding {
        kind,
        source: Source::Peer,
        detail,
        kept: Some(before.map_or_else(|| base.note.clone(), |it| it.note.clone())),
        shown: Some(shown.note.clone()),
    })
}

/// The largest head a quorum has cosigned, from all notes about it together.
fn witnessed(known: &Known<'_>, good: &[Head]) -> Option<(u64, u64)> {
    let policy = known.policy?;
    good.iter().rev().find_map(|head| {
        let head = head.checkpoint.head();
        let all: Vec<VerifiedCosignature> = good
            .iter()
            .filter(|other| other.checkpoint.head().size() == head.size())
            .flat_map(|other| other.cosignatures.iter().cloned())
            .collect();
        policy
            .met_at_seconds(&all)
            .map(|seconds| (head.size(), seconds))
    })
}

/// The log goes on and its witnesses have not seen it for long.
fn stalled(
    known: &Known<'_>,
    shown: &[Shown],
    good: &[Head],
    witnessed: Option<(u64, u64)>,
) -> Option<Finding> {
    known.policy?.quorum()?;
    // witnesses that cannot be reached say nothing about the peer
    let asked = shown
        .iter()
        .any(|one| matches!(one.source, Source::Witness(_)));
    let peer = good.iter().find(|head| head.source == Source::Peer)?;
    let (size, at) = witnessed.unwrap_or((0, known.since_seconds));
    let newest = peer.checkpoint.head().size();
    let age = known
        .now_seconds
        .saturating_sub(at.max(known.since_seconds));
    if !asked || newest <= size || age <= STALLED_SECONDS {
        return None;
    }
    let kept = good
        .iter()
        .rev()
        .find(|head| head.checkpoint.head().size() == size);
    Some(Finding {
        kind: AlarmKind::Stalled,
        source: Source::Peer,
        detail: format!(
            "the peer shows {newest} entries, but for {} minutes no quorum of its witnesses has cosigned more than {size}",
            age / 60
        ),
        kept: kept.map(|head| head.note.clone()),
        shown: Some(peer.note.clone()),
    })
}
