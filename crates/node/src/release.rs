//! Release: which label sets a reader may see, decided once per (reader, label set), kept, and put into every query.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use comity_access::{
    Access, Action, LabelSet, PartyId, Place, PolicyError, Reader, ReaderClass, Resource,
};
use comity_store::{CollectionKey, LabelSetId, ReadError, Scope, Store};
use tokio::sync::watch;

/// Decides and remembers. INVARIANT: what is remembered for a class is a decision of [`Access`] on an immutable label set,
/// so it never goes stale; policies change only with the program.
pub struct Release {
    access: Access,
    store: Store,
    /// Grows with every commit: label sets can only have come with one.
    size: watch::Receiver<u64>,
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    /// Log size at which `sets` was complete.
    at_size: Option<u64>,
    sets: Vec<(LabelSetId, Arc<LabelSet>)>,
    by_id: HashMap<LabelSetId, Arc<LabelSet>>,
    texts: HashSet<String>,
    scopes: HashMap<ReaderClass, Remembered>,
    redactions: HashMap<(ReaderClass, LabelSetId), Arc<[String]>>,
}

struct Remembered {
    /// How many of `Known::sets` were decided.
    decided: usize,
    scope: Scope,
}

/// Most classes remembered; beyond it all are forgotten and decided anew.
const CLASSES_MAX: usize = 4_096;
/// Most (class, label set) remembered for parts of records, likewise.
const REDACTIONS_MAX: usize = 65_536;

impl Release {
    /// Loads the policies and the label sets of the register.
    ///
    /// # Errors
    /// When the policies do not fit their schema.
    pub fn new(
        own: PartyId,
        store: Store,
        size: watch::Receiver<u64>,
    ) -> Result<Self, PolicyError> {
        Ok(Self {
            access: Access::new(own)?,
            store,
            size,
            known: RwLock::default(),
        })
    }

    /// The policies.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// What `reader` may see in one collection. Goes into the query.
    ///
    /// # Errors
    /// When the register cannot be read.
    pub fn scope(&self, reader: &Reader, collection: CollectionKey) -> Result<Scope, ReadError> {
        let key = collection.0.to_string();
        self.scope_at(reader, Place::Collection(&key))
    }

    /// What `reader` may see in the whole register, past all collections: for the party's own staff.
    ///
    /// # Errors
    /// When the register cannot be read.
    pub fn register_scope(&self, reader: &Reader) -> Result<Scope, ReadError> {
        self.scope_at(reader, Place::Register)
    }

    fn scope_at(&self, reader: &Reader, place: Place<'_>) -> Result<Scope, ReadError> {
        self.refresh()?;
        let class = reader.class(place);
        {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(remembered) = known.scopes.get(&class)
                && remembered.decided == known.sets.len()
            {
                return Ok(remembered.scope.clone());
            }
        }
        // decided without the lock: many new label sets take a while, and nobody else must wait for that
        let (fresh, mut ids, decided) = {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            let (before, ids) = match known.scopes.get(&class) {
                Some(remembered) => (remembered.decided, remembered.scope.label_sets().to_vec()),
                None => (0, Vec::new()),
            };
            let fresh: Vec<_> = known.sets.iter().skip(before).cloned().collect();
            (fresh, ids, known.sets.len())
        };
        let asked = fresh.iter().map(|(id, label)| (id.0, &**label));
        let open = self.access.scope(reader, place, asked);
        ids.extend(open.into_iter().map(LabelSetId));
        let scope = Scope::new(ids);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.scopes.len() >= CLASSES_MAX {
            known.scopes.clear();
        }
        // sets are only ever added: who decided on more of them knows more
        let further = known
            .scopes
            .get(&class)
            .is_some_and(|remembered| remembered.decided > decided);
        if !further {
            let scope = scope.clone();
            known.scopes.insert(class, Remembered { decided, scope });
        }
        Ok(scope)
    }

    /// Whether the register has a label set of this text.
    ///
    /// # Errors
    /// When the register cannot be read.
    pub fn has(&self, text: &str) -> Result<bool, ReadError> {
        self.refresh()?;
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        Ok(known.texts.contains(text))
    }

    /// Every label set: for the node's own work (followers, fsck), never for an answer.
    ///
    /// # Errors
    /// When the register cannot be read.
    pub fn everything(&self) -> Result<Scope, ReadError> {
        self.refresh()?;
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        Ok(Scope::new(known.sets.iter().map(|(id, _)| *id).collect()))
    }

    /// The label with this number.
    ///
    /// # Errors
    /// When the register cannot be read, or holds a label that is none.
    pub fn label(&self, id: LabelSetId) -> Result<Arc<LabelSet>, ReadError> {
        let find = || {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            known.by_id.get(&id).cloned()
        };
        if let Some(label) = find() {
            return Ok(label);
        }
        self.refresh()?;
        find().ok_or_else(|| ReadError::Damaged(format!("there is no label set {}", id.0)))
    }

    /// The marking definitions whose parts must be left out of a record with this label for `reader`. Empty for most.
    ///
    /// # Errors
    /// When the register cannot be read.
    pub fn redactions(&self, reader: &Reader, id: LabelSetId) -> Result<Arc<[String]>, ReadError> {
        // where the record may be read was decided with its scope; its parts are asked about in a place this reader may look
        // into, whichever: labels decide the same in all. One without any is handed things (a push)
        let granted = reader.grants().read.first();
        let place = granted.map_or(Place::Register, |key| Place::Collection(key));
        let key = (reader.class(place), id);
        {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(refs) = known.redactions.get(&key) {
                return Ok(Arc::clone(refs));
            }
        }
        let label = self.label(id)?;
        let action = if granted.is_some() || reader.party() == self.access.own() {
            Action::Read
        } else {
            Action::Receive
        };
        let resource = Resource::Record {
            label: &label,
            place,
            author: None,
        };
        let hidden = self.access.redactions(reader, action, resource);
        let refs: Arc<[String]> = hidden.into_iter().map(str::to_owned).collect();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.redactions.len() >= REDACTIONS_MAX {
            known.redactions.clear();
        }
        known.redactions.insert(key, Arc::clone(&refs));
        Ok(refs)
    }

    /// Reads label sets that came since the last time, if the log has grown.
    fn refresh(&self) -> Result<(), ReadError> {
        let size = *self.size.borrow();
        let last = {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            if known.at_size == Some(size) {
                return Ok(());
            }
            known.sets.last().map_or(LabelSetId(0), |(id, _)| *id)
        };
        let fresh = self.store.label_sets(last)?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for (id, text) in fresh {
            // another thread may have been faster
            if known.by_id.contains_key(&id) {
                continue;
            }
            let label = LabelSet::from_json(&text)
                .map_err(|error| ReadError::Damaged(format!("label set {}: {error}", id.0)))?;
            let label = Arc::new(label);
            known.texts.insert(text);
            known.sets.push((id, Arc::clone(&label)));
            known.by_id.insert(id, label);
        }
        known.at_size = Some(size);
        Ok(())
    }
}

/// A record as one reader may see it.
#[derive(Debug)]
pub enum Visible<'a> {
    /// As it is kept.
    Whole(&'a [u8]),
    /// With parts left out.
    Redacted(Vec<u8>),
    /// Not at all: without the hidden parts it would not be a valid object.
    Withheld,
}

/// Leaves out of `bytes` what `reader` may not see of it. The record itself must have passed [`Release::scope`].
///
/// # Errors
/// When the register cannot be read.
pub fn visible<'a>(
    release: &Release,
    reader: &Reader,
    label_set: LabelSetId,
    granular: bool,
    bytes: &'a [u8],
) -> Result<Visible<'a>, ReadError> {
    if !granular {
        return Ok(Visible::Whole(bytes));
    }
    Ok(without(bytes, &release.redactions(reader, label_set)?))
}

/// `bytes` without the parts these markings are on.
#[must_use]
pub fn without<'a>(bytes: &'a [u8], hidden: &[String]) -> Visible<'a> {
    if hidden.is_empty() {
        return Visible::Whole(bytes);
    }
    match comity_stix::granular::redact(bytes, &|marking| {
        let marking_ref = marking.marking_ref.as_ref();
        marking_ref.is_some_and(|id| hidden.iter().any(|hidden| hidden == id.as_str()))
    }) {
        Ok(comity_stix::granular::Redacted::Object(bytes)) => Visible::Redacted(bytes),
        Ok(comity_stix::granular::Redacted::Withhold(_)) => Visible::Withheld,
        // default deny: what cannot be redacted is not shown
        Err(error) => {
            tracing::error!(%error, "a record with granular markings could not be redacted and is withheld");
            Visible::Withheld
        }
    }
}
