//! Fetching what another TAXII 2.1 server offers: page by page, each page committed before the cursor moves, so that a
//! restart repeats at most one page, which the register then knows.

use std::sync::Arc;

use comity_access::{Action, Audience, PartyId};
use comity_stix::bundle;
use comity_stix::json::Limits;
use comity_stix::timestamp::Timestamp;
use comity_store::{CollectionKey, Op, PeerKind, Progress, ReadError};
use serde::{Deserialize, Serialize};

use super::client::{ClientError, TAXII};
use super::delivery::{Beside, OfferedRecords};
use super::head::{self, HEAD_HEADER, HEAD_TRIES, HeadError};
use super::inbound::{Proved, granted, names};
use super::push::Target;
use super::taxii::encode;
use crate::app::App;
use crate::clock::micros_to_text;
use crate::handling::{
    Handling, SIDECAR_HEADER, SidecarError, Source, Unfit, read_sidecar_by_line,
};
use crate::intake::{self, Fate, Incoming};
use crate::limits::ENVELOPE_NODES_MAX;
use crate::sequencer::SubmitError;

/// Why fetching stopped for now. The cursor stands before the page that could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The register cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The register cannot be written.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The peer cannot be reached, or refuses.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The peer's log.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The peer's labels cannot be used.
    #[error(transparent)]
    Sidecar(#[from] SidecarError),
    /// The peer's name is none.
    #[error("the peer's party `{0}` is not a party")]
    Party(String),
}

/// What one fetch brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pulled {
    /// Pages read.
    pub pages: u64,
    /// Objects that are new here.
    pub new: u64,
    /// Objects known already.
    pub known: u64,
    /// Objects refused or in conflict.
    pub refused: u64,
}

/// Where fetching stands in one collection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    /// `X-TAXII-Date-Added-Last` of the last page taken.
    added_after: Option<String>,
    /// `next` of the last page, when it had more.
    next: Option<String>,
    /// The date the pages under way have come to, for when `next` is not honoured any more.
    #[serde(default)]
    reached: Option<String>,
}

impl Cursor {
    /// `next` is only good for a while (section 3.5): goes on by date, from just before the last page's end, for more objects
    /// may have been added at that very moment. Those that come twice are known.
    fn without_next(&self) -> Self {
        let from = self.reached.as_deref().and_then(just_before);
        Self {
            added_after: from.or_else(|| self.added_after.clone()),
            next: None,
            reached: None,
        }
    }
}

fn just_before(date: &str) -> Option<String> {
    let micros = Timestamp::parse(date).ok()?.unix_micros();
    Some(micros_to_text(micros.saturating_sub(1)))
}

/// Objects asked for at once.
const PAGE: usize = 1_000;
/// A server may give more than it was asked for, but not without end: what is beyond is no page of ours.
const PAGE_SLACK: usize = 20;
/// Pages of one fetch: a server whose `more` never ends must not hold us for ever; the cursor keeps what was reached.
const PAGES_MAX: u64 = 100_000;

/// Fetches everything new from one of the peer's collections into one of ours.
///
/// # Errors
/// See [`PullError`].
pub async fn pull(
    app: &Arc<App>,
    target: &Target,
    local: CollectionKey,
    remote: &str,
) -> Result<Pulled, PullError> {
    // one of theirs may go into several of ours, each with a place of its own
    let source = format!("{remote} {}", local.0);
    let text = app.store.cursor(&target.peer.key, &source)?;
    let mut cursor: Cursor = text
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let mut pulled = Pulled::default();
    let mut tries = 0;
    while pulled.pages < PAGES_MAX {
        let (more, reached) = match page(app, target, local, remote, &cursor, &mut pulled).await {
            // a newer head of theirs came by another way while the page was on its way
            Err(PullError::Head(HeadError::Behind { .. } | HeadError::Unproved { .. }))
                if tries < HEAD_TRIES =>
            {
                tries += 1;
                continue;
            }
            Err(PullError::Client(ClientError::Status {
                status: 400 | 404, ..
            })) if cursor.next.is_some() => {
                cursor = cursor.without_next();
                continue;
            }
            other => other?,
        };
        pulled.pages += 1;
        tries = 0;
        let moved = reached != cursor;
        if moved {
            cursor = reached;
            let value = serde_json::to_string(&cursor).ok();
            let progress = Progress::Cursor {
                peer: target.peer.key.clone(),
                source: source.clone(),
                value,
            };
            app.sequencer.submit(vec![Op::Progress(progress)]).await?;
        }
        // a page that says `more` and gives no way on would be asked for again for ever
        if !more || !moved {
            break;
        }
    }
    Ok(pulled)
}

async fn page(
    app: &Arc<App>,
    target: &Target,
    local: CollectionKey,
    remote: &str,
    cursor: &Cursor,
    pulled: &mut Pulled,
) -> Result<(bool, Cursor), PullError> {
    let mut url = format!(
        "{}collections/{remote}/objects/?limit={PAGE}&match[version]=all",
        target.settings.api_root
    );
    for (name, value) in [("added_after", &cursor.added_after), ("next", &cursor.next)] {
        if let Some(value) = value {
            url.push_str(&format!("&{name}={}", encode(value)));
        }
    }
    let told = if target.peer.kind == PeerKind::Comity {
        head::known(app, &target.peer)?
    } else {
        None
    };
    let known = told.unwrap_or(0).to_string();
    let asked = [(SIDECAR_HEADER, "1"), (HEAD_HEADER, known.as_str())];
    let asked = asked
        .get(..if told.is_some() { 2 } else { 1 })
        .unwrap_or_default();
    let answer = target.client.get(&url, TAXII, asked).await?;
    let limits = Limits {
        bytes_max: usize::MAX,
        nodes_max: ENVELOPE_NODES_MAX,
        ..Limits::default()
    };
    let envelope = if answer.body.iter().all(u8::is_ascii_whitespace) {
        bundle::Envelope::default()
    } else {
        bundle::envelope(&answer.body, &limits, PAGE.saturating_mul(PAGE_SLACK)).map_err(
            |finding| ClientError::Answer {
                url: url.clone(),
                text: finding.to_string(),
            },
        )?
    };
    let custom = envelope.custom.iter();
    let beside = Beside::of(custom.map(|(name, text)| (name.as_str(), *text)));
    // held until the page is committed; a page without records rests on no head
    let proved = if target.peer.kind == PeerKind::Comity && !envelope.objects.is_empty() {
        Some(Proved::judge(app, Arc::clone(&target.peer), &beside, told).await?)
    } else {
        None
    };
    let (handling, unfit) = handling(app, target, &beside, proved.as_ref())?;
    let party = PartyId::parse(&target.peer.party)
        .map_err(|_| PullError::Party(target.peer.party.clone()))?;
    let source = Source {
        party,
        principal: target.reader.principal().as_str().to_owned(),
        reader: granted(&target.reader, local)
            .ok_or_else(|| PullError::Party(target.peer.party.clone()))?,
        action: Action::Write,
        claims: false,
    };
    let mut checked =
        intake::check_all(Incoming::all(&envelope), Arc::new(intake::options())).await?;
    for object in &mut checked {
        if let Some(reason) = unfit.about(object, &handling.by_record) {
            object.refuse("label", reason);
        }
    }
    for verdict in intake::accept(app, checked, &[local], &source, handling).await? {
        match verdict.fate {
            Fate::New { .. } | Fate::NewVersion { .. } => pulled.new += 1,
            Fate::Known { .. } => pulled.known += 1,
            Fate::Conflict | Fate::Refused { .. } | Fate::Foreseen { .. } => pulled.refused += 1,
        }
    }
    let more = envelope.more.unwrap_or(false);
    let last = answer
        .headers
        .get("x-taxii-date-added-last")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let leads_on = more && envelope.next.is_some();
    let reached = Cursor {
        reached: last.clone().filter(|_| leads_on),
        // while `next` leads on, the date stays what the walk began with: servers bind `next` to the query (section 3.5)
        added_after: if leads_on {
            cursor.added_after.clone()
        } else {
            last.or_else(|| cursor.added_after.clone())
        },
        next: envelope.next.filter(|_| more),
    };
    Ok((more, reached))
}

/// Under which label the objects come in: what the peer says beside them, else what they say themselves; meant for us.
fn handling(
    app: &App,
    target: &Target,
    beside: &Beside,
    proved: Option<&Proved>,
) -> Result<(Handling, Unfit), SidecarError> {
    let mut handling = Handling {
        tlp: target
            .settings
            .tlp_in
            .as_deref()
            .and_then(|tlp| tlp.parse().ok()),
        audience: Audience {
            parties: std::iter::once(app.party.clone()).collect(),
            ..Audience::default()
        },
        ..Handling::default()
    };
    let mut offered = OfferedRecords::default();
    let mut unfit = Unfit::default();
    if target.peer.kind == PeerKind::Comity
        && let Some(text) = &beside.handling
    {
        let (sidecar, errors) = read_sidecar_by_line(text)?;
        unfit = errors;
        let mut sidecar = sidecar.foreign_to(&app.party);
        sidecar.by_record.retain(|(id, _), carried| {
            let for_us = names(&carried.label, &app.party);
            if !for_us {
                let party = app.party.as_str().to_owned();
                unfit.note(
                    id,
                    &SidecarError::NotForUs {
                        id: id.clone(),
                        party,
                    },
                );
            }
            for_us
        });
        handling.by_record = sidecar.by_record;
        offered = sidecar.offered;
    }
    handling.delivery = proved.map(|proved| proved.delivery(offered));
    Ok((handling, unfit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_whose_next_expired_goes_on_where_it_was() {
        let walk = Cursor {
            added_after: Some("2024-01-01T00:00:00.000000Z".to_owned()),
            next: Some("n".to_owned()),
            reached: Some("2024-03-01T12:00:00.000000Z".to_owned()),
        };
        assert_eq!(
            walk.without_next(),
            Cursor {
                added_after: Some("2024-03-01T11:59:59.999999Z".to_owned()),
                ..Cursor::default()
            }
        );
        let unsaid = Cursor {
            reached: None,
            ..walk.clone()
        };
        assert_eq!(unsaid.without_next().added_after, walk.added_after);
    }
}
