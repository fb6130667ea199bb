//! What can be asked for, and on what.

use std::fmt;

use crate::label::LabelSet;
use crate::party::PrincipalId;
use crate::reader::Place;

/// What someone wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// See the contents of a record.
    Read,
    /// Have its contents count in a search.
    Search,
    /// Take its contents out into a file.
    Export,
    /// Pass it on to somebody else, on the side of the one who does it.
    PassOn,
    /// Get it passed on, on the side of the recipient. [`crate::Access::may_pass_on`] asks this.
    Receive,
    /// Ask why someone can or cannot see it. The answer shows its label and audience.
    Explain,
    /// Put a record of one's own party into the register.
    Publish,
    /// Bring in records from a file, with a label chosen where there is none.
    Import,
    /// Add a record to a collection, over TAXII or from a peer.
    Write,
    /// Take a record out of a collection or the register.
    Delete,
    /// Revoke a record: its originator says it no longer holds.
    Withdraw,
    /// Answer whoever sent a record: refuse it, keep or remove what it withdrew.
    Answer,
    /// Use a collection for reading at all (TAXII `can_read`).
    ReadCollection,
    /// Use a collection for writing at all (TAXII `can_write`).
    WriteCollection,
    /// See log entries: hashes, times, signatures. Never contents.
    SeeEntry,
    /// See decisions, disclosures and metadata: what was released to whom, when, by which rule.
    Audit,
    /// Create, change, lock accounts and their tokens.
    AdministerUsers,
    /// Add, change, remove peers and their keys.
    AdministerPeers,
    /// Create collections and grant their use.
    AdministerCollections,
    /// Copy the whole node for safe keeping.
    Backup,
}

/// On what an action works; each action takes one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A record, by its label.
    Record,
    /// A collection.
    Collection,
    /// The node itself.
    Node,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 20] = [
        Self::Read,
        Self::Search,
        Self::Export,
        Self::PassOn,
        Self::Receive,
        Self::Explain,
        Self::Publish,
        Self::Import,
        Self::Write,
        Self::Delete,
        Self::Withdraw,
        Self::Answer,
        Self::ReadCollection,
        Self::WriteCollection,
        Self::SeeEntry,
        Self::Audit,
        Self::AdministerUsers,
        Self::AdministerPeers,
        Self::AdministerCollections,
        Self::Backup,
    ];

    /// The action's word in policies and messages.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Search => "search",
            Self::Export => "export",
            Self::PassOn => "pass-on",
            Self::Receive => "receive",
            Self::Explain => "explain",
            Self::Publish => "publish",
            Self::Import => "import",
            Self::Write => "write",
            Self::Delete => "delete",
            Self::Withdraw => "withdraw",
            Self::Answer => "answer",
            Self::ReadCollection => "read-collection",
            Self::WriteCollection => "write-collection",
            Self::SeeEntry => "see-entry",
            Self::Audit => "audit",
            Self::AdministerUsers => "administer-users",
            Self::AdministerPeers => "administer-peers",
            Self::AdministerCollections => "administer-collections",
            Self::Backup => "backup",
        }
    }

    /// What it works on.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Read
            | Self::Search
            | Self::Export
            | Self::PassOn
            | Self::Receive
            | Self::Explain
            | Self::Publish
            | Self::Import
            | Self::Write
            | Self::Delete
            | Self::Withdraw
            | Self::Answer => Kind::Record,
            Self::ReadCollection | Self::WriteCollection => Kind::Collection,
            Self::SeeEntry
            | Self::Audit
            | Self::AdministerUsers
            | Self::AdministerPeers
            | Self::AdministerCollections
            | Self::Backup => Kind::Node,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

/// The thing an action works on.
#[derive(Debug, Clone, Copy)]
pub enum Resource<'a> {
    /// A record, as far as access looks at it.
    Record {
        /// Its label.
        label: &'a LabelSet,
        /// Where it is looked for or put.
        place: Place<'a>,
        /// Who wrote it, where known: decides on withdrawal. For TLP:RED the label has it too.
        author: Option<&'a PrincipalId>,
    },
    /// A collection, by the store's key.
    Collection(&'a str),
    /// The node itself.
    Node,
}

impl<'a> Resource<'a> {
    /// A record anywhere in the register.
    #[must_use]
    pub const fn record(label: &'a LabelSet) -> Self {
        Self::Record {
            label,
            place: Place::Register,
            author: None,
        }
    }

    /// A record in one collection.
    #[must_use]
    pub const fn record_in(label: &'a LabelSet, collection: &'a str) -> Self {
        Self::Record {
            label,
            place: Place::Collection(collection),
            author: None,
        }
    }

    /// The same record, its author known. Has no effect on anything else.
    #[must_use]
    pub const fn by(self, person: &'a PrincipalId) -> Self {
        match self {
            Self::Record { label, place, .. } => Self::Record {
                label,
                place,
                author: Some(person),
            },
            other => other,
        }
    }

    /// What kind of thing it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Record { .. } => Kind::Record,
            Self::Collection(_) => Kind::Collection,
            Self::Node => Kind::Node,
        }
    }
}
