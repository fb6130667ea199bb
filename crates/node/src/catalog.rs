//! Who and what the node knows (principals, credentials, collections, peers), in memory: read on every request, changed
//! seldom. It is replaced whole after each administrative change.

use std::collections::HashMap;
use std::sync::Arc;

use comity_access::{Account, Audience, Grants, PartyId, PrincipalId, Reader, ReaderError};
use comity_store::{
    Alarm, Certificate, Collection, CollectionKey, Grant, Peer, Principal, ReadError, Store,
    Subject, Token,
};

/// A snapshot of the register's administrative rows.
#[derive(Debug, Default)]
pub struct Catalog {
    principals: HashMap<String, Arc<Principal>>,
    readers: HashMap<String, Arc<Reader>>,
    tokens: HashMap<[u8; 32], Token>,
    certificates: HashMap<[u8; 32], Certificate>,
    /// Sorted by uuid (interoperability document 2.1.7).
    collections: Vec<Arc<Collection>>,
    audiences: HashMap<CollectionKey, Audience>,
    peers: Vec<Arc<Peer>>,
    /// Those nobody has acknowledged.
    alarms: Vec<Alarm>,
    /// Policies of witnesses for peers' logs, by the peer's key.
    peer_policies: HashMap<String, String>,
}

impl Catalog {
    /// Reads it all.
    ///
    /// # Errors
    /// When the register cannot be read.
    pub fn load(store: &Store) -> Result<Self, ReadError> {
        let mut collections: Vec<Arc<Collection>> =
            store.collections()?.into_iter().map(Arc::new).collect();
        collections.sort_by(|one, other| one.uuid.cmp(&other.uuid));
        let mut audiences = HashMap::new();
        for collection in &collections {
            if let Some(text) = store.setting(&audience_setting(&collection.uuid))? {
                audiences.insert(collection.key, parse_audience(&text));
            }
        }
        let principals = store.principals()?;
        let peers: Vec<Arc<Peer>> = store.peers()?.into_iter().map(Arc::new).collect();
        let mut peer_policies = HashMap::new();
        for peer in &peers {
            if let Some(text) = store.setting(&policy_setting(&peer.key))? {
                peer_policies.insert(peer.key.clone(), text);
            }
        }
        let mut readers = HashMap::new();
        for row in principals.iter().filter(|row| !row.disabled) {
            match reader(row, &collections) {
                Ok(reader) => {
                    readers.insert(row.id.clone(), Arc::new(reader));
                }
                // default deny: an account whose parts contradict each other cannot sign in
                Err(error) => {
                    tracing::error!(principal = %row.id, %error, "an account cannot be used")
                }
            }
        }
        Ok(Self {
            principals: principals
                .into_iter()
                .map(|row| (row.id.clone(), Arc::new(row)))
                .collect(),
            readers,
            tokens: store
                .tokens(None)?
                .into_iter()
                .map(|row| (row.sha256, row))
                .collect(),
            certificates: store
                .certificates(None)?
                .into_iter()
                .map(|row| (row.fingerprint, row))
                .collect(),
            collections,
            audiences,
            peers,
            alarms: store.alarms(true)?,
            peer_policies,
        })
    }

    /// A principal by its full name `person@party`.
    #[must_use]
    pub fn principal(&self, id: &str) -> Option<&Arc<Principal>> {
        self.principals.get(id)
    }

    /// A principal as release sees it; `None` when it is unknown or disabled.
    #[must_use]
    pub fn reader(&self, id: &str) -> Option<&Arc<Reader>> {
        self.readers.get(id)
    }

    /// All principals, sorted by name.
    #[must_use]
    pub fn principals(&self) -> Vec<Arc<Principal>> {
        let mut all: Vec<_> = self.principals.values().cloned().collect();
        all.sort_by(|one, other| one.id.cmp(&other.id));
        all
    }

    /// A token by the digest of its text.
    #[must_use]
    pub fn token(&self, sha256: &[u8; 32]) -> Option<&Token> {
        self.tokens.get(sha256)
    }

    /// All tokens, sorted by name.
    #[must_use]
    pub fn tokens(&self) -> Vec<&Token> {
        let mut all: Vec<_> = self.tokens.values().collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }

    /// A client certificate by its fingerprint.
    #[must_use]
    pub fn certificate(&self, fingerprint: &[u8; 32]) -> Option<&Certificate> {
        self.certificates.get(fingerprint)
    }

    /// All client certificates.
    pub fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.certificates.values()
    }

    /// All collections, sorted by uuid.
    #[must_use]
    pub fn collections(&self) -> &[Arc<Collection>] {
        &self.collections
    }

    /// A collection by its uuid or its alias (TAXII 2.1 section 5.2.1).
    #[must_use]
    pub fn collection(&self, name: &str) -> Option<&Arc<Collection>> {
        self.collections
            .iter()
            .find(|collection| collection.uuid == name)
            .or_else(|| {
                self.collections
                    .iter()
                    .find(|collection| collection.alias.as_deref() == Some(name))
            })
    }

    /// A collection by its key.
    #[must_use]
    pub fn collection_by_key(&self, key: CollectionKey) -> Option<&Arc<Collection>> {
        self.collections
            .iter()
            .find(|collection| collection.key == key)
    }

    /// For whom records are meant that come into this collection without an audience of their own.
    #[must_use]
    pub fn audience(&self, key: CollectionKey) -> Audience {
        self.audiences.get(&key).cloned().unwrap_or_default()
    }

    /// All peers.
    #[must_use]
    pub fn peers(&self) -> &[Arc<Peer>] {
        &self.peers
    }

    /// A peer by its key.
    #[must_use]
    pub fn peer(&self, key: &str) -> Option<&Arc<Peer>> {
        self.peers.iter().find(|peer| peer.key == key)
    }

    /// Alarms that nobody has acknowledged.
    #[must_use]
    pub fn alarms(&self) -> &[Alarm] {
        &self.alarms
    }

    /// The alarm for which nothing is taken from a peer, if there is one.
    #[must_use]
    pub fn pausing(&self, peer: &str) -> Option<&Alarm> {
        self.alarms
            .iter()
            .find(|alarm| alarm.raised.pauses && alarm.raised.peer.as_deref() == Some(peer))
    }

    /// The policy of witnesses for a peer's log, as the operator gave it.
    #[must_use]
    pub fn peer_policy(&self, peer: &str) -> Option<&str> {
        self.peer_policies.get(peer).map(String::as_str)
    }

    /// True when nobody can sign in yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.principals.is_empty()
    }
}

/// The account behind a row, with the grants that all collections give it.
///
/// # Errors
/// When the row's parts contradict each other.
pub fn reader(row: &Principal, collections: &[Arc<Collection>]) -> Result<Reader, ReaderError> {
    let principal = PrincipalId::parse(&row.id).map_err(|_| ReaderError::Role(row.id.clone()))?;
    let party = PartyId::parse(&row.party).map_err(|_| ReaderError::Role(row.party.clone()))?;
    let mut account = Account::new(principal, row.role.parse()?, party);
    account.entity_of = row
        .entity_of
        .as_deref()
        .and_then(|party| PartyId::parse(party).ok());
    account.community = row.community;
    account.exercise.clone_from(&row.exercise);
    account.grants = grants(row, collections);
    Reader::new(account)
}

fn grants(row: &Principal, collections: &[Arc<Collection>]) -> Grants {
    let mut grants = Grants::default();
    for collection in collections {
        let key = collection.key.0.to_string();
        for grant in collection
            .grants
            .iter()
            .filter(|grant| concerns(grant, row))
        {
            if grant.read {
                grants.read.insert(key.clone());
            }
            if grant.write {
                grants.write.insert(key.clone());
            }
        }
    }
    grants
}

fn concerns(grant: &Grant, row: &Principal) -> bool {
    match &grant.subject {
        Subject::Principal(id) => *id == row.id,
        Subject::Role(role) => *role == row.role,
        Subject::Party(party) => *party == row.party,
        Subject::Everyone => true,
    }
}

/// The name of the setting that holds a collection's default audience.
#[must_use]
pub fn audience_setting(collection_uuid: &str) -> String {
    format!("collection-audience/{collection_uuid}")
}

/// The name of the setting that holds the policy of witnesses for a peer's log.
#[must_use]
pub fn policy_setting(peer: &str) -> String {
    format!("witness-policy/{peer}")
}

/// An audience as text: parties and persons (`name@party`), separated by commas.
#[must_use]
pub fn audience_text(audience: &Audience) -> String {
    let parties = audience
        .parties
        .iter()
        .map(|party| party.as_str().to_owned());
    let persons = audience
        .persons
        .iter()
        .map(|person| person.as_str().to_owned());
    parties.chain(persons).collect::<Vec<_>>().join(",")
}

/// Reads what [`audience_text`] writes; words that are neither are left out, which can only narrow it.
#[must_use]
pub fn parse_audience(text: &str) -> Audience {
    let mut audience = Audience::default();
    for word in text.split(',').map(str::trim) {
        if let Ok(person) = PrincipalId::parse(word) {
            audience.persons.insert(person);
        } else if let Ok(party) = PartyId::parse(word) {
            audience.parties.insert(party);
        }
    }
    audience
}
