//! Whose word is enough: logs, witnesses, and the quorum of witnesses a head needs (C2SP tlog-policy).
//!
//! A policy comes from whoever has to be convinced - a court, a peer, a node's operator - and never with the proof. As a
//! file it is octets, not text: names are compared byte by byte and need not be UTF-8. [`Policy::parse`] reads it,
//! [`PolicyBuilder`] builds one line by line under the same rules, [`Policy::to_bytes`] prints it. What is done with it is
//! in [`crate::verify`].
//!
//! Three rules are stricter than the specification, because no sensible policy breaks them: a number is written without
//! leading zeros; one underlying key is not both a log's and a witness's (a log would witness itself); and what the
//! specification leaves to the implementation has the limits below.

use std::fmt;

use crate::note::{VerifiedCosignature, VerifierKey};
use crate::verify::TrustedLog;

mod build;
mod parse;

pub use build::{PolicyBuilder, PolicyFault};
pub use parse::PolicyError;

/// Longest policy file read. 128 logs and 128 witnesses with ML-DSA-44 keys and URLs take 0.6 MB.
pub const POLICY_BYTES_MAX: usize = 1_000_000;
/// Most logs ("strongly recommended that an implementation supports at least up to 32").
pub const LOGS_MAX: usize = 128;
/// Most witnesses: a note carries at most 100 signatures.
pub const WITNESSES_MAX: usize = 128;
/// Most groups.
pub const GROUPS_MAX: usize = 128;
/// Longest name of a witness or group: any key name may be one.
pub const POLICY_NAME_BYTES_MAX: usize = 255;
/// Longest URL.
pub const URL_BYTES_MAX: usize = 2048;
/// "The special name `none` is predefined".
const NONE: &[u8] = b"none";

/// Logs, witnesses, groups and the quorum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    // INVARIANT: at most LOGS_MAX; no underlying key twice, here and among the witnesses.
    logs: Vec<PolicyLog>,
    // INVARIANT: at most WITNESSES_MAX; names are unique, also among the groups.
    witnesses: Vec<PolicyWitness>,
    // INVARIANT: at most GROUPS_MAX; members come before their group; each is the member of at most one.
    groups: Vec<PolicyGroup>,
    // INVARIANT: a witness or group of this policy; `None` is `quorum none`.
    quorum: Option<Member>,
}

/// A log line. The key's name is the log's origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyLog {
    key: VerifierKey,
    url: Option<Url>,
}

/// A witness line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyWitness {
    name: PolicyName,
    key: VerifierKey,
    url: Option<Url>,
}

/// A group line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyGroup {
    name: PolicyName,
    threshold: Threshold,
    // INVARIANT: not empty.
    members: Vec<Member>,
}

/// How many members of a group must have witnessed a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threshold {
    /// Every one.
    All,
    /// One.
    Any,
    /// This many, at least one and at most all.
    AtLeast(usize),
}

/// A name of a policy: octets without space, tab or other control characters. Shown as UTF-8 as far as it is.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PolicyName(Vec<u8>);

/// Where a log or witness is found; opaque octets.
#[derive(Clone, PartialEq, Eq)]
pub struct Url(Vec<u8>);

/// A place in `Policy::witnesses` or `Policy::groups`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Witness(usize),
    Group(usize),
}

impl Policy {
    /// The logs in the order of the file; may be none if the log is known otherwise, see [`Self::for_log`].
    #[must_use]
    pub fn logs(&self) -> &[PolicyLog] {
        &self.logs
    }

    /// The witnesses in the order of the file.
    #[must_use]
    pub fn witnesses(&self) -> &[PolicyWitness] {
        &self.witnesses
    }

    /// The groups in the order of the file.
    #[must_use]
    pub fn groups(&self) -> &[PolicyGroup] {
        &self.groups
    }

    /// Name of the witness or group whose word is needed; `None` for `quorum none`.
    #[must_use]
    pub fn quorum(&self) -> Option<&PolicyName> {
        self.quorum.and_then(|member| self.name(member))
    }

    /// Names of a group's members, in their order.
    pub fn members(&self, group: &PolicyGroup) -> impl Iterator<Item = &PolicyName> {
        group.members.iter().filter_map(|member| self.name(*member))
    }

    /// The same witnesses and quorum for heads of `log` alone, "where the appropriate log(s) are known from other context".
    ///
    /// # Errors
    /// [`PolicyFault`] when a key of the log does not have its origin as name, is doubled, is of a type that signs no
    /// heads, or is a witness's.
    pub fn for_log(&self, log: &TrustedLog) -> Result<Self, PolicyFault> {
        let mut builder = PolicyBuilder::from(self.clone());
        builder.forget_logs();
        for key in &log.keys {
            if key.name().as_str() != log.origin {
                return Err(PolicyFault::LogName(key.name().clone(), log.origin.clone()));
            }
            builder.log(key.clone(), None)?;
        }
        Ok(Self {
            quorum: self.quorum,
            ..builder.build_without_quorum()
        })
    }

    /// The log with this origin, as [`crate::verify`] takes it; `None` if no log line has this name.
    #[must_use]
    pub fn log(&self, origin: &str) -> Option<TrustedLog> {
        let keys: Vec<_> = self
            .logs
            .iter()
            .map(|log| &log.key)
            .filter(|key| key.name().as_str() == origin)
            .cloned()
            .collect();
        (!keys.is_empty()).then(|| TrustedLog {
            origin: origin.to_owned(),
            keys,
        })
    }

    /// Whether a head that these witnesses have cosigned "is strong enough". With `quorum none`, always.
    pub fn is_met(&self, mut has_cosigned: impl FnMut(&PolicyWitness) -> bool) -> bool {
        let Some(quorum) = self.quorum else {
            return true;
        };
        let witnesses: Vec<bool> = self.witnesses.iter().map(&mut has_cosigned).collect();
        // "A line defining a group can only reference names of groups and witnesses defined on preceding lines"
        let mut groups: Vec<bool> = Vec::with_capacity(self.groups.len());
        let holds = |groups: &[bool], member: &Member| match *member {
            Member::Witness(at) => witnesses.get(at).copied(),
            Member::Group(at) => groups.get(at).copied(),
        };
        for group in &self.groups {
            let witnessed = group
                .members
                .iter()
                .filter(|member| holds(&groups, member) == Some(true))
                .count();
            groups.push(witnessed >= group.needed());
        }
        holds(&groups, &quorum) == Some(true)
    }

    /// The time by which a quorum had cosigned: the earliest at which the cosignatures made until then are enough. They must
    /// all be of one head. `None` if they are not enough, if they bear no times, or if the policy needs none.
    #[must_use]
    pub fn met_at_seconds(&self, cosignatures: &[VerifiedCosignature]) -> Option<u64> {
        let mut times: Vec<u64> = cosignatures
            .iter()
            .filter_map(VerifiedCosignature::time_seconds)
            .collect();
        times.sort_unstable();
        self.quorum.and_then(|_| {
            times.into_iter().find(|until| {
                self.is_met(|witness| {
                    cosignatures.iter().any(|cosignature| {
                        cosignature.key() == &witness.key
                            && cosignature
                                .time_seconds()
                                .is_some_and(|time| time <= *until)
                    })
                })
            })
        })
    }

    /// The policy as a file; [`Self::parse`] reads it back. Lines come in the order logs, witnesses, groups, quorum.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut lines: Vec<u8> = Vec::new();
        let mut push = |items: &[&[u8]]| {
            lines.extend(items.join(&b' '));
            lines.push(b'\n');
        };
        for PolicyLog { key, url } in &self.logs {
            let (key, url) = (key.to_string(), url.as_ref().map(|url| url.0.as_slice()));
            let items = [Some(b"log".as_slice()), Some(key.as_bytes()), url];
            push(&items.into_iter().flatten().collect::<Vec<_>>());
        }
        for PolicyWitness { name, key, url } in &self.witnesses {
            let (key, url) = (key.to_string(), url.as_ref().map(|url| url.0.as_slice()));
            let items = [
                Some(b"witness".as_slice()),
                Some(name.as_bytes()),
                Some(key.as_bytes()),
                url,
            ];
            push(&items.into_iter().flatten().collect::<Vec<_>>());
        }
        for group in &self.groups {
            let threshold = group.threshold.to_string();
            let mut items: Vec<&[u8]> = vec![b"group", group.name.as_bytes(), threshold.as_bytes()];
            items.extend(self.members(group).map(PolicyName::as_bytes));
            push(&items);
        }
        push(&[b"quorum", self.quorum().map_or(NONE, PolicyName::as_bytes)]);
        lines
    }

    fn name(&self, member: Member) -> Option<&PolicyName> {
        match member {
            Member::Witness(at) => self.witnesses.get(at).map(|witness| &witness.name),
            Member::Group(at) => self.groups.get(at).map(|group| &group.name),
        }
    }
}

impl PolicyLog {
    /// Its key; the name is the log's origin.
    #[must_use]
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Where it is, if the policy says so.
    #[must_use]
    pub fn url(&self) -> Option<&Url> {
        self.url.as_ref()
    }
}

impl PolicyWitness {
    /// Its name in this policy, which means nothing elsewhere.
    #[must_use]
    pub fn name(&self) -> &PolicyName {
        &self.name
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Its submission prefix, if the policy says so.
    #[must_use]
    pub fn url(&self) -> Option<&Url> {
        self.url.as_ref()
    }
}

impl PolicyGroup {
    /// Its name in this policy.
    #[must_use]
    pub fn name(&self) -> &PolicyName {
        &self.name
    }

    /// How many of its members it needs, as the policy writes it.
    #[must_use]
    pub fn threshold(&self) -> Threshold {
        self.threshold
    }

    /// How many of its members it needs.
    #[must_use]
    pub fn needed(&self) -> usize {
        match self.threshold {
            Threshold::All => self.members.len(),
            Threshold::Any => 1,
            Threshold::AtLeast(k) => k,
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Any => f.write_str("any"),
            Self::AtLeast(k) => k.fmt(f),
        }
    }
}

impl PolicyName {
    /// The octets, by which names are compared.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Url {
    /// The octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The URL, if it is UTF-8.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        str::from_utf8(&self.0).ok()
    }
}

impl fmt::Display for PolicyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        String::from_utf8_lossy(&self.0).fmt(f)
    }
}

impl fmt::Debug for PolicyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PolicyName({})", self.0.escape_ascii())
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        String::from_utf8_lossy(&self.0).fmt(f)
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({})", self.0.escape_ascii())
    }
}
