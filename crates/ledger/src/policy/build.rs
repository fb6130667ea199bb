//! The rules every line of a policy must keep, whoever writes it.

use super::{
    GROUPS_MAX, LOGS_MAX, Member, NONE, POLICY_NAME_BYTES_MAX, Policy, PolicyGroup, PolicyLog,
    PolicyName, PolicyWitness, Threshold, URL_BYTES_MAX, Url, WITNESSES_MAX,
};
use crate::note::key::{TYPE_COSIGNATURE_ML_DSA_44, TYPE_ED25519};
use crate::note::{KeyName, VerifierKey};

/// Builds a policy line by line; a line that breaks a rule leaves it as it was.
#[derive(Debug, Clone, Default)]
pub struct PolicyBuilder {
    logs: Vec<PolicyLog>,
    witnesses: Vec<PolicyWitness>,
    groups: Vec<PolicyGroup>,
    // `Some(None)` is `quorum none`
    quorum: Option<Option<Member>>,
}

/// Which rule a line breaks, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    /// A name that is empty, too long, or has space, tab or control characters.
    #[error(
        "the name `{0}` is empty, longer than {POLICY_NAME_BYTES_MAX} bytes, or has a space or control character; take another"
    )]
    Name(String),
    /// A URL likewise.
    #[error(
        "the URL `{0}` is empty, longer than {URL_BYTES_MAX} bytes, or has a space or control character; correct or leave it out"
    )]
    Url(String),
    /// A key that cannot sign heads of a log.
    #[error("the key `{0}` is no log's; give one of type 0x01 (Ed25519) or 0x06 (ML-DSA-44)")]
    LogKey(KeyName),
    /// A key that cannot cosign.
    #[error(
        "the key `{0}` is no witness's; give one of type 0x04 (Ed25519 cosignature) or 0x06 (ML-DSA-44 cosignature)"
    )]
    WitnessKey(KeyName),
    /// A vkey with a character that cannot stand in a policy.
    #[error(
        "the name of the key `{0}` has a character a policy cannot have; give the key another name"
    )]
    KeyCharacter(KeyName),
    /// A key of a log that has another name than the log.
    #[error(
        "the key `{0}` has another name than the log `{1}`; a log's key is named as its origin"
    )]
    LogName(KeyName, String),
    /// The same underlying key in two lines.
    #[error(
        "the public key of `{0}` is that of `{1}` already, whatever their names; remove one of the two"
    )]
    DuplicateKey(KeyName, KeyName),
    /// A name defined twice, or `none`.
    #[error("the name `{0}` is taken already; take another")]
    DuplicateName(PolicyName),
    /// A name that no line before defines.
    #[error("`{0}` is no witness or group defined on a line before; define it first")]
    Unknown(PolicyName),
    /// A name that is a member already.
    #[error("`{0}` is a member of a group already; each may be the member of one group, once")]
    DuplicateMember(PolicyName),
    /// A group without members.
    #[error("the group `{0}` has no members; name at least one")]
    NoMembers(PolicyName),
    /// A threshold of zero or of more than there are.
    #[error(
        "the group `{group}` needs {needed} of its {members} members; give a number from 1 to {members}, `any` or `all`"
    )]
    Threshold {
        /// The group.
        group: PolicyName,
        /// What it says to need.
        needed: usize,
        /// What it has.
        members: usize,
    },
    /// A second quorum.
    #[error("the quorum is defined already; remove one of the two lines")]
    DuplicateQuorum,
    /// No quorum.
    #[error(
        "the policy has no quorum line; add one, such as `quorum none` if no witness is needed"
    )]
    NoQuorum,
    /// Too many of a kind.
    #[error("the policy has more than {max} {what}; remove some")]
    Many {
        /// Logs, witnesses or groups.
        what: &'static str,
        /// How many there may be.
        max: usize,
    },
}

impl PolicyBuilder {
    /// `log <vkey> [<url>]`: any of the logs may have signed a head.
    ///
    /// # Errors
    /// See [`PolicyFault`].
    pub fn log(&mut self, key: VerifierKey, url: Option<&[u8]>) -> Result<(), PolicyFault> {
        // "Log and witness keys must use a signature type appropriate [to their] respective function"
        if ![TYPE_ED25519, TYPE_COSIGNATURE_ML_DSA_44].contains(&key.signature_type()) {
            return Err(PolicyFault::LogKey(key.name().clone()));
        }
        let url = url.map(Url::new).transpose()?;
        self.check_key(&key)?;
        push(&mut self.logs, PolicyLog { key, url }, "logs", LOGS_MAX)
    }

    /// `witness <name> <vkey> [<url>]`.
    ///
    /// # Errors
    /// See [`PolicyFault`].
    pub fn witness(
        &mut self,
        name: &[u8],
        key: VerifierKey,
        url: Option<&[u8]>,
    ) -> Result<(), PolicyFault> {
        let name = self.free_name(name)?;
        if !key.is_cosigner() {
            return Err(PolicyFault::WitnessKey(key.name().clone()));
        }
        let url = url.map(Url::new).transpose()?;
        self.check_key(&key)?;
        let witness = PolicyWitness { name, key, url };
        push(&mut self.witnesses, witness, "witnesses", WITNESSES_MAX)
    }

    /// `group <name> <k|all|any> <name>...`, of names defined before.
    ///
    /// # Errors
    /// See [`PolicyFault`].
    pub fn group(
        &mut self,
        name: &[u8],
        threshold: Threshold,
        members: &[&[u8]],
    ) -> Result<(), PolicyFault> {
        let name = self.free_name(name)?;
        let mut group = PolicyGroup {
            name,
            threshold,
            members: Vec::new(),
        };
        for member in members {
            let found = self.find(member)?;
            // "Each defined name can be listed as a group member at most once"
            let listed = self.groups.iter().chain([&group]);
            if listed
                .flat_map(|group| &group.members)
                .any(|at| *at == found)
            {
                return Err(PolicyFault::DuplicateMember(PolicyName::new(member)?));
            }
            group.members.push(found);
        }
        // "At least one member must be listed (i.e., n >= 1)"
        if group.members.is_empty() {
            return Err(PolicyFault::NoMembers(group.name));
        }
        // "it is required that 1 <= k <= n"
        let (needed, members) = (group.needed(), group.members.len());
        if needed == 0 || needed > members {
            return Err(PolicyFault::Threshold {
                group: group.name,
                needed,
                members,
            });
        }
        push(&mut self.groups, group, "groups", GROUPS_MAX)
    }

    /// `quorum <name>`, or `quorum none`.
    ///
    /// # Errors
    /// See [`PolicyFault`].
    pub fn quorum(&mut self, name: &[u8]) -> Result<(), PolicyFault> {
        let quorum = match name {
            NONE => None,
            name => Some(self.find(name)?),
        };
        if self.quorum.is_some() {
            return Err(PolicyFault::DuplicateQuorum);
        }
        self.quorum = Some(quorum);
        Ok(())
    }

    /// The policy.
    ///
    /// # Errors
    /// [`PolicyFault::NoQuorum`]: "A policy file must include exactly one quorum line."
    pub fn build(self) -> Result<Policy, PolicyFault> {
        let quorum = self.quorum.ok_or(PolicyFault::NoQuorum)?;
        Ok(Policy {
            quorum,
            ..self.build_without_quorum()
        })
    }

    pub(super) fn build_without_quorum(self) -> Policy {
        Policy {
            logs: self.logs,
            witnesses: self.witnesses,
            groups: self.groups,
            quorum: None,
        }
    }

    pub(super) fn forget_logs(&mut self) {
        self.logs.clear();
    }

    /// "Two vkeys are considered duplicate if they wrap the same underlying public key, even if they differ by key name and
    /// key id". An Ed25519 cosignature does not even say which of two names it was made under.
    fn check_key(&self, key: &VerifierKey) -> Result<(), PolicyFault> {
        if !key.name().as_str().bytes().all(is_allowed_in_item) {
            return Err(PolicyFault::KeyCharacter(key.name().clone()));
        }
        let witnesses = self.witnesses.iter().map(|witness| &witness.key);
        let mut others = self.logs.iter().map(|log| &log.key).chain(witnesses);
        match others.find(|other| other.public_key() == key.public_key()) {
            Some(other) => Err(PolicyFault::DuplicateKey(
                key.name().clone(),
                other.name().clone(),
            )),
            None => Ok(()),
        }
    }

    /// "Witnesses and groups share a single namespace."
    fn free_name(&self, name: &[u8]) -> Result<PolicyName, PolicyFault> {
        let name = PolicyName::new(name)?;
        if name.0 == NONE || self.find(&name.0).is_ok() {
            return Err(PolicyFault::DuplicateName(name));
        }
        Ok(name)
    }

    fn find(&self, name: &[u8]) -> Result<Member, PolicyFault> {
        let name = PolicyName::new(name)?;
        let witness = self.witnesses.iter().position(|it| it.name == name);
        let group = self.groups.iter().position(|it| it.name == name);
        witness
            .map(Member::Witness)
            .or(group.map(Member::Group))
            .ok_or(PolicyFault::Unknown(name))
    }
}

impl From<Policy> for PolicyBuilder {
    /// To add to a policy: its lines, without the quorum.
    fn from(policy: Policy) -> Self {
        Self {
            logs: policy.logs,
            witnesses: policy.witnesses,
            groups: policy.groups,
            quorum: None,
        }
    }
}

impl PolicyName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`PolicyFault::Name`].
    pub fn new(name: &[u8]) -> Result<Self, PolicyFault> {
        if name.is_empty()
            || name.len() > POLICY_NAME_BYTES_MAX
            || !name.iter().copied().all(is_allowed_in_item)
        {
            return Err(PolicyFault::Name(shown(name)));
        }
        Ok(Self(name.to_vec()))
    }
}

impl Url {
    /// Checks a URL, only for what a policy can hold.
    ///
    /// # Errors
    /// [`PolicyFault::Url`].
    pub fn new(url: &[u8]) -> Result<Self, PolicyFault> {
        if url.is_empty()
            || url.len() > URL_BYTES_MAX
            || !url.iter().copied().all(is_allowed_in_item)
        {
            return Err(PolicyFault::Url(shown(url)));
        }
        Ok(Self(url.to_vec()))
    }
}

/// "the allowed octet values are 0x09 (tab), 0x0A (newline), 0x20-0x7E, and 0x80-0xFF", of which items have neither tab,
/// newline nor space.
fn is_allowed_in_item(byte: u8) -> bool {
    byte > 0x20 && byte != 0x7f
}

/// The beginning of what was written, for messages.
pub(super) fn shown(item: &[u8]) -> String {
    const SHOWN_BYTES: usize = 80;
    match item.split_at_checked(SHOWN_BYTES) {
        Some((start, rest)) if !rest.is_empty() => format!("{}...", start.escape_ascii()),
        _ => item.escape_ascii().to_string(),
    }
}

fn push<T>(list: &mut Vec<T>, item: T, what: &'static str, max: usize) -> Result<(), PolicyFault> {
    if list.len() >= max {
        return Err(PolicyFault::Many { what, max });
    }
    list.push(item);
    Ok(())
}
