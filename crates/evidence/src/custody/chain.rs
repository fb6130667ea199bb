//! The fold: where an exhibit is after its events, or why they cannot have happened.

use std::collections::HashMap;

use super::{Event, Kind};
use crate::{ExhibitId, Hash, Time};

/// An exhibit's custody so far. The same events give the same state on every node; an event seen before changes nothing.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    state: Option<State>,
    /// Event identifiers with their hashes.
    seen: HashMap<String, Hash>,
}

#[derive(Debug, Clone)]
struct State {
    exhibit: ExhibitId,
    holder: String,
    sealed: bool,
    away: Option<Away>,
    destroyed: bool,
    last: Hash,
    last_kind: Kind,
    last_time: Time,
    items: u64,
    size: u64,
    items_sha256: Hash,
}

/// A hand-over that the other side has not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Away {
    /// Whom it was handed to.
    pub to: String,
    /// Hash of the event that handed it over.
    pub event: Hash,
}

/// Why an event cannot follow the ones before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Impossible {
    /// Of another exhibit.
    #[error("the event is about `{0}`")]
    OtherExhibit(ExhibitId),
    /// The identifier of an event was used for another one.
    #[error("two different events have the identifier `{0}`")]
    IdReused(String),
    /// The first event links to one that is not here.
    #[error("the chain does not begin: the first event links to one that is not here")]
    NoBeginning,
    /// The first event is none that a chain begins with.
    #[error("a chain begins with `seized`, `acquired` or `sealed`, not with `{0}`")]
    Begins(Kind),
    /// A second event without a previous one.
    #[error("a second beginning: the event links to none, but there are events before it")]
    SecondBeginning,
    /// The link is not the hash of the event before.
    #[error("the link is not the hash of the event before")]
    Link,
    /// Two events, or more, link to the same one: the chain was continued twice.
    #[error("two events follow the same one")]
    Fork,
    /// Earlier than the event before.
    #[error("the event is of {time}, before {last}, the time of the event before it")]
    Time {
        /// Of the event.
        time: Time,
        /// Of the one before.
        last: Time,
    },
    /// Something after it was destroyed.
    #[error("`{0}` after the exhibit was destroyed")]
    AfterDestroyed(Kind),
    /// The actor's authority does not have it.
    #[error("`{kind}` by `{by}`, but `{holder}` holds the exhibit")]
    NotHolder {
        /// What was done.
        kind: Kind,
        /// By whom.
        by: String,
        /// Who has it.
        holder: String,
    },
    /// Something was done with it between hand-over and answer.
    #[error("`{kind}` while the exhibit is handed over to `{to}`, which has not answered")]
    WhileAway {
        /// What was done.
        kind: Kind,
        /// On its way to whom.
        to: String,
    },
    /// Received or refused without having been handed over.
    #[error("`{0}` without a hand-over before it")]
    NotAway(Kind),
    /// Answered by somebody else than it was handed to, or naming another giver.
    #[error("`{kind}` by `{by}` from `{from}`, but `{holder}` handed it to `{to}`")]
    OtherRecipient {
        /// What was done.
        kind: Kind,
        /// By whom.
        by: String,
        /// From whom, by its own word.
        from: String,
        /// Who handed it over.
        holder: String,
        /// To whom.
        to: String,
    },
    /// Received with other contents than were handed over.
    #[error("received with other items than were handed over")]
    OtherReceived,
    /// Other contents, and neither a reason nor a new acquisition.
    #[error("the items are others than before, and no anomaly is told")]
    ItemsChanged,
    /// Sealed while sealed.
    #[error("sealed again without having been opened")]
    AlreadySealed,
    /// Opened while open.
    #[error("opened while not sealed")]
    NotSealed,
    /// Seized or acquired once it was sealed.
    #[error("`{0}` after it was sealed")]
    TooLate(Kind),
}

impl Impossible {
    /// A stable code for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::OtherExhibit(_) => "custody.other-exhibit",
            Self::IdReused(_) => "custody.id-reused",
            Self::NoBeginning => "custody.no-beginning",
            Self::Begins(_) => "custody.begins",
            Self::SecondBeginning => "custody.second-beginning",
            Self::Link => "custody.link",
            Self::Fork => "custody.fork",
            Self::Time { .. } => "custody.time",
            Self::AfterDestroyed(_) => "custody.after-destroyed",
            Self::NotHolder { .. } => "custody.not-holder",
            Self::WhileAway { .. } => "custody.while-away",
            Self::NotAway(_) => "custody.not-away",
            Self::OtherRecipient { .. } => "custody.other-recipient",
            Self::OtherReceived => "custody.other-received",
            Self::ItemsChanged => "custody.items-changed",
            Self::AlreadySealed => "custody.already-sealed",
            Self::NotSealed => "custody.not-sealed",
            Self::TooLate(_) => "custody.too-late",
        }
    }
}

impl Chain {
    /// Adds the next event. One that is part of the chain already changes nothing.
    ///
    /// # Errors
    /// See [`Impossible`]; the chain is then as it was.
    pub fn push(&mut self, event: &Event) -> Result<(), Impossible> {
        let fields = event.fields();
        if let Some(state) = &self.state
            && state.exhibit != fields.exhibit
        {
            return Err(Impossible::OtherExhibit(fields.exhibit.clone()));
        }
        match self.seen.get(&fields.id) {
            Some(hash) if hash == event.hash() => return Ok(()),
            Some(_) => return Err(Impossible::IdReused(fields.id.clone())),
            None => {}
        }
        let state = match &self.state {
            None => begin(event)?,
            Some(state) => state.follow(event)?,
        };
        self.seen.insert(fields.id.clone(), *event.hash());
        self.state = Some(state);
        Ok(())
    }

    /// Adds up events that stand in order, as in `custody.jsonl`.
    ///
    /// # Errors
    /// The place, from 0, of the first impossible event, and why.
    pub fn of<'e>(
        events: impl IntoIterator<Item = &'e Event>,
    ) -> Result<Self, (usize, Impossible)> {
        let mut chain = Self::default();
        for (place, event) in events.into_iter().enumerate() {
            chain.push(event).map_err(|error| (place, error))?;
        }
        Ok(chain)
    }

    /// Hash of the last event: what the next one links to.
    #[must_use]
    pub fn last(&self) -> Option<&Hash> {
        self.state.as_ref().map(|state| &state.last)
    }

    /// Kind of the last event.
    #[must_use]
    pub fn last_kind(&self) -> Option<Kind> {
        self.state.as_ref().map(|state| state.last_kind)
    }

    /// Time of the last event: the next one is not before it.
    #[must_use]
    pub fn last_time(&self) -> Option<Time> {
        self.state.as_ref().map(|state| state.last_time)
    }

    /// The exhibit.
    #[must_use]
    pub fn exhibit(&self) -> Option<&ExhibitId> {
        self.state.as_ref().map(|state| &state.exhibit)
    }

    /// The authority that answers for it. While it is handed over and not answered, still the giver.
    #[must_use]
    pub fn holder(&self) -> Option<&str> {
        self.state.as_ref().map(|state| state.holder.as_str())
    }

    /// The hand-over under way.
    #[must_use]
    pub fn away(&self) -> Option<&Away> {
        self.state.as_ref().and_then(|state| state.away.as_ref())
    }

    /// Its seal is closed.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.sealed)
    }

    /// Its contents are gone.
    #[must_use]
    pub fn is_destroyed(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.destroyed)
    }

    /// Number, octets and hash of its items by the last event.
    #[must_use]
    pub fn items(&self) -> Option<(u64, u64, &Hash)> {
        let state = self.state.as_ref()?;
        Some((state.items, state.size, &state.items_sha256))
    }

    /// Number of events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// No event yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }
}

fn begin(event: &Event) -> Result<State, Impossible> {
    let fields = event.fields();
    if fields.previous.is_some() {
        return Err(Impossible::NoBeginning);
    }
    if !fields.kind.begins() {
        return Err(Impossible::Begins(fields.kind));
    }
    Ok(State {
        exhibit: fields.exhibit.clone(),
        holder: fields.actor.authority.clone(),
        sealed: fields.kind == Kind::Sealed,
        away: None,
        destroyed: false,
        last: *event.hash(),
        last_kind: fields.kind,
        last_time: fields.time,
        items: fields.items,
        size: fields.size,
        items_sha256: fields.items_sha256,
    })
}

impl State {
    fn follow(&self, event: &Event) -> Result<Self, Impossible> {
        let fields = event.fields();
        match &fields.previous {
            None => return Err(Impossible::SecondBeginning),
            Some(previous) if *previous != self.last => return Err(Impossible::Link),
            Some(_) => {}
        }
        if self.destroyed {
            return Err(Impossible::AfterDestroyed(fields.kind));
        }
        if fields.time < self.last_time {
            return Err(Impossible::Time {
                time: fields.time,
                last: self.last_time,
            });
        }
        let mut next = self.clone();
        match fields.kind {
            Kind::Received | Kind::Refused => next.answer(event)?,
            kind => {
                self.in_hand(event)?;
                next.act(kind, event)?;
            }
        }
        self.same_items(event)?;
        next.last = *event.hash();
        next.last_kind = fields.kind;
        next.last_time = fields.time;
        next.items = fields.items;
        next.size = fields.size;
        next.items_sha256 = fields.items_sha256;
        Ok(next)
    }

    /// Only who holds it does something with it, and not while it is on its way.
    fn in_hand(&self, event: &Event) -> Result<(), Impossible> {
        let fields = event.fields();
        if fields.actor.authority != self.holder {
            return Err(Impossible::NotHolder {
                kind: fields.kind,
                by: fields.actor.authority.clone(),
                holder: self.holder.clone(),
            });
        }
        match &self.away {
            Some(away) => Err(Impossible::WhileAway {
                kind: fields.kind,
                to: away.to.clone(),
            }),
            None => Ok(()),
        }
    }

    fn act(&mut self, kind: Kind, event: &Event) -> Result<(), Impossible> {
        match kind {
            Kind::Sealed if self.sealed => Err(Impossible::AlreadySealed),
            Kind::Opened if !self.sealed => Err(Impossible::NotSealed),
            // an image is taken from what was seized, before anything is sealed
            Kind::Acquired if self.last_kind == Kind::Seized => Ok(()),
            Kind::Seized | Kind::Acquired => Err(Impossible::TooLate(kind)),
            Kind::Sealed | Kind::Opened => {
                self.sealed = kind == Kind::Sealed;
                Ok(())
            }
            Kind::Transferred | Kind::Returned => {
                self.away = Some(Away {
                    to: event.fields().counterparty.clone().unwrap_or_default(),
                    event: *event.hash(),
                });
                Ok(())
            }
            Kind::Destroyed => {
                self.destroyed = true;
                Ok(())
            }
            Kind::Copied
            | Kind::Analysed
            | Kind::Derived
            | Kind::Exported
            | Kind::Disclosed
            | Kind::Received
            | Kind::Refused => Ok(()),
        }
    }

    /// The other side takes it over or not; the giver may take an unanswered hand-over back.
    fn answer(&mut self, event: &Event) -> Result<(), Impossible> {
        let fields = event.fields();
        let kind = fields.kind;
        let Some(away) = self.away.take() else {
            return Err(Impossible::NotAway(kind));
        };
        let by = fields.actor.authority.as_str();
        let from = fields.counterparty.as_deref().unwrap_or_default();
        let answers = by == away.to && from == self.holder;
        let takes_back = kind == Kind::Refused && by == self.holder && from == away.to;
        if !answers && !takes_back {
            return Err(Impossible::OtherRecipient {
                kind,
                by: by.to_owned(),
                from: from.to_owned(),
                holder: self.holder.clone(),
                to: away.to,
            });
        }
        if kind == Kind::Received {
            if fields.items_sha256 != self.items_sha256 {
                return Err(Impossible::OtherReceived);
            }
            self.holder = away.to;
        }
        Ok(())
    }

    fn same_items(&self, event: &Event) -> Result<(), Impossible> {
        let fields = event.fields();
        let same = fields.items_sha256 == self.items_sha256
            && fields.items == self.items
            && fields.size == self.size;
        if same || fields.anomaly.is_some() || fields.kind == Kind::Acquired {
            Ok(())
        } else {
            Err(Impossible::ItemsChanged)
        }
    }
}

/// Puts events that came in any order, and more than once, into the order of their links.
///
/// # Errors
/// [`Impossible::NoBeginning`], [`Impossible::SecondBeginning`], [`Impossible::Fork`], or [`Impossible::Link`] for events that
/// hang on nothing here.
pub fn linked<'e>(
    events: impl IntoIterator<Item = &'e Event>,
) -> Result<Vec<&'e Event>, Impossible> {
    let mut followers: HashMap<Option<Hash>, &'e Event> = HashMap::new();
    for event in events {
        let previous = event.fields().previous;
        match followers.insert(previous, event) {
            Some(other) if other.hash() != event.hash() => {
                return Err(match previous {
                    None => Impossible::SecondBeginning,
                    Some(_) => Impossible::Fork,
                });
            }
            _ => {}
        }
    }
    let count = followers.len();
    let mut ordered: Vec<&Event> = Vec::with_capacity(count);
    let mut last = None;
    while let Some(event) = followers.remove(&last) {
        last = Some(*event.hash());
        ordered.push(event);
    }
    match (ordered.is_empty(), ordered.len() == count) {
        (true, false) => Err(Impossible::NoBeginning),
        (_, true) => Ok(ordered),
        (false, false) => Err(Impossible::Link),
    }
}
