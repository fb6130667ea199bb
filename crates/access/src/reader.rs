//! Who asks: a person or a machine account, with what the node knows of it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::label::{LabelError, check_exercise};
use crate::party::{PartyId, PrincipalId};

/// What an account is for. Each has exactly one; a person who does two jobs has two accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Runs the node: accounts, peers, collections, backup. Decides about no content.
    Administrator,
    /// Answers for what comes in and goes out.
    Officer,
    /// Works with records.
    Analyst,
    /// A constituent: an organisation that gets its protection from a party, "client" in TLP 2.0.
    Entity,
    /// Another party's node, a machine account.
    Peer,
    /// Witnesses the log; gets contents only as far as their label names it.
    Observer,
    /// Checks log, decisions and metadata afterwards.
    Auditor,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 7] = [
        Self::Administrator,
        Self::Officer,
        Self::Analyst,
        Self::Entity,
        Self::Peer,
        Self::Observer,
        Self::Auditor,
    ];

    /// The role's word in policies, configuration and messages.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Officer => "officer",
            Self::Analyst => "analyst",
            Self::Entity => "entity",
            Self::Peer => "peer",
            Self::Observer => "observer",
            Self::Auditor => "auditor",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

impl FromStr for Role {
    type Err = ReaderError;
    fn from_str(text: &str) -> Result<Self, ReaderError> {
        Self::ALL
            .into_iter()
            .find(|role| role.word() == text)
            .ok_or_else(|| ReaderError::Role(text.to_owned()))
    }
}

/// Collections an account may use, by the store's key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// May read from these.
    pub read: BTreeSet<String>,
    /// May add to these, and delete in them what it may delete at all.
    pub write: BTreeSet<String>,
}

/// What the node knows of an account; [`Reader::new`] checks it.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its name, `olena@ua`. The party behind the `@` must be `party`.
    pub principal: PrincipalId,
    /// What it is for.
    pub role: Role,
    /// The organisation it belongs to. For a constituent its own organisation, never its CSIRT's.
    pub party: PartyId,
    /// For a constituent the party it is a client of; `None` for every other role.
    pub entity_of: Option<PartyId>,
    /// Admitted to the community TLP:GREEN speaks of.
    pub community: bool,
    /// The exercise it takes part in, if any.
    pub exercise: Option<String>,
    /// The collections it may use.
    pub grants: Grants,
}

impl Account {
    /// An account with nothing granted.
    #[must_use]
    pub fn new(principal: PrincipalId, role: Role, party: PartyId) -> Self {
        Self {
            principal,
            role,
            party,
            entity_of: None,
            community: false,
            exercise: None,
            grants: Grants::default(),
        }
    }
}

/// Why an account was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReaderError {
    /// No such role.
    #[error(
        "`{0}` is not a role: administrator, officer, analyst, entity, peer, observer or auditor"
    )]
    Role(String),
    /// The name's party is not the account's.
    #[error("account `{principal}` does not belong to party `{party}`")]
    OtherParty {
        /// The account.
        principal: PrincipalId,
        /// Its party.
        party: PartyId,
    },
    /// A constituent without a party it is a client of, or one that is its own client.
    #[error("constituent `{0}` needs a party it is a client of, other than its own organisation")]
    EntityOf(PrincipalId),
    /// Another role with such a party.
    #[error("`{principal}` is {role}, only a constituent is a client of a party")]
    NotAnEntity {
        /// The account.
        principal: PrincipalId,
        /// Its role.
        role: Role,
    },
    /// The exercise's name is none.
    #[error(transparent)]
    Exercise(#[from] LabelError),
}

/// A checked account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    // INVARIANT: `principal` ends in `@party`; `entity_of` is set exactly for constituents and is another party.
    principal: PrincipalId,
    role: Role,
    party: PartyId,
    entity_of: Option<PartyId>,
    community: bool,
    exercise: Option<String>,
    grants: Grants,
}

impl Reader {
    /// Checks an account.
    ///
    /// # Errors
    /// [`ReaderError`] when its parts contradict each other: a client counted among its CSIRT's staff would read
    /// TLP:AMBER+STRICT.
    pub fn new(account: Account) -> Result<Self, ReaderError> {
        let Account {
            principal,
            role,
            party,
            entity_of,
            community,
            exercise,
            grants,
        } = account;
        if principal.party() != party.as_str() {
            return Err(ReaderError::OtherParty { principal, party });
        }
        match (&entity_of, role) {
            (Some(csirt), Role::Entity) if *csirt != party => {}
            (_, Role::Entity) => return Err(ReaderError::EntityOf(principal)),
            (Some(_), _) => return Err(ReaderError::NotAnEntity { principal, role }),
            (None, _) => {}
        }
        if let Some(name) = &exercise {
            check_exercise(name)?;
        }
        Ok(Self {
            principal,
            role,
            party,
            entity_of,
            community,
            exercise,
            grants,
        })
    }

    /// Its name.
    #[must_use]
    pub fn principal(&self) -> &PrincipalId {
        &self.principal
    }

    /// What it is for.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// The organisation it belongs to.
    #[must_use]
    pub fn party(&self) -> &PartyId {
        &self.party
    }

    /// For a constituent, the party it is a client of.
    #[must_use]
    pub fn entity_of(&self) -> Option<&PartyId> {
        self.entity_of.as_ref()
    }

    /// Whether it belongs to the community TLP:GREEN speaks of.
    #[must_use]
    pub fn community(&self) -> bool {
        self.community
    }

    /// The exercise it takes part in.
    #[must_use]
    pub fn exercise(&self) -> Option<&str> {
        self.exercise.as_deref()
    }

    /// The collections it may use.
    #[must_use]
    pub fn grants(&self) -> &Grants {
        &self.grants
    }

    /// This account as a draft, to make another of it.
    #[must_use]
    pub fn to_account(&self) -> Account {
        Account {
            principal: self.principal.clone(),
            role: self.role,
            party: self.party.clone(),
            entity_of: self.entity_of.clone(),
            community: self.community,
            exercise: self.exercise.clone(),
            grants: self.grants.clone(),
        }
    }

    /// Everything reading depends on except the label: equal classes may share cached decisions.
    ///
    /// `place` is where the reader looks; a grant matters only for that one collection.
    #[must_use]
    pub fn class(&self, place: Place<'_>) -> ReaderClass {
        ReaderClass {
            principal: self.principal.clone(),
            role: self.role,
            entity_of: self.entity_of.clone(),
            community: self.community,
            exercise: self.exercise.clone(),
            granted: match place {
                Place::Register => None,
                Place::Collection(key) => Some(self.grants.read.contains(key)),
            },
        }
    }
}

/// Key of a cache of read decisions, see [`Reader::class`]. The party is part of the principal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReaderClass {
    principal: PrincipalId,
    role: Role,
    entity_of: Option<PartyId>,
    community: bool,
    exercise: Option<String>,
    granted: Option<bool>,
}

/// Where a reader looks for a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// The whole register, past all collections: for the node's own staff only.
    Register,
    /// One collection, by the store's key.
    Collection(&'a str),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(principal: &str, role: Role) -> Account {
        let principal = PrincipalId::parse(principal).unwrap();
        let party = PartyId::parse(principal.party()).unwrap();
        Account::new(principal, role, party)
    }

    #[test]
    fn a_client_is_not_staff_of_its_csirt() {
        let mut client = account("soc@ua", Role::Entity);
        client.entity_of = Some(PartyId::parse("ua").unwrap());
        assert!(matches!(Reader::new(client), Err(ReaderError::EntityOf(_))));
        assert!(matches!(
            Reader::new(account("soc@energo", Role::Entity)),
            Err(ReaderError::EntityOf(_))
        ));
    }

    #[test]
    fn only_constituents_are_clients() {
        let mut analyst = account("olena@ua", Role::Analyst);
        analyst.entity_of = Some(PartyId::parse("eu").unwrap());
        assert!(matches!(
            Reader::new(analyst),
            Err(ReaderError::NotAnEntity { .. })
        ));
    }

    #[test]
    fn the_name_says_the_party() {
        let mut borrowed = account("olena@ua", Role::Analyst);
        borrowed.party = PartyId::parse("eu").unwrap();
        assert!(matches!(
            Reader::new(borrowed),
            Err(ReaderError::OtherParty { .. })
        ));
    }

    #[test]
    fn a_grant_counts_for_its_own_collection_only() {
        let mut peer = account("node@eu", Role::Peer);
        peer.grants.read.insert("feed".to_owned());
        let peer = Reader::new(peer).unwrap();
        assert_ne!(
            peer.class(Place::Collection("feed")),
            peer.class(Place::Collection("other"))
        );
        assert_eq!(
            peer.class(Place::Collection("more")),
            peer.class(Place::Collection("other"))
        );
    }
}
