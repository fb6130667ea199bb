//! Rules of meaning: what the grammar cannot say.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::ast::{Comparison, Leaf, ObjectPath, Observation, Pattern, Qualifier, Step, Test};
use super::error::Code;

/// One thing found in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The rule.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// What to do about it; empty if there is nothing to say.
    pub help: String,
    /// The part it is about.
    pub part: Part,
}

/// A part of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The comparison with this number, in the order of [`Pattern::leaves`].
    Leaf(usize),
    /// The object type at the start of the path of this comparison.
    ObjectType(usize),
    /// The qualifier with this number, in the order of [`Pattern::qualifiers`].
    Qualifier(usize),
}

/// Checks a tree, parsed or built by hand.
#[must_use]
pub fn check(pattern: &Pattern) -> Vec<Remark> {
    let mut remarks = Vec::new();
    for (number, leaf) in pattern.leaves().enumerate() {
        check_leaf(number, leaf, &mut remarks);
    }
    check_types(&pattern.root, &mut remarks);
    for (number, qualifier) in pattern.qualifiers().into_iter().enumerate() {
        if let Qualifier::StartStop { start, stop } = qualifier
            && start >= stop
        {
            // 9.5.1: observation time >= START and < STOP; nothing forbids an empty window
            remarks.push(Remark {
                code: Code::EmptyWindow,
                message: "the window stops before it starts, so nothing lies in it".to_owned(),
                help: "swap the two timestamps".to_owned(),
                part: Part::Qualifier(number),
            });
        }
    }
    remarks
}

fn check_leaf(number: usize, leaf: &Leaf, remarks: &mut Vec<Remark>) {
    remarks.extend(unknown_type(number, &leaf.path));
    remarks.extend(unknown_hash(number, &leaf.path));
    match &leaf.test {
        Test::Exists if leaf.negated => remarks.push(Remark {
            code: Code::NotExists,
            // 9.6: a path that is not present makes the comparison FALSE, regardless of the operators
            message: "`NOT EXISTS` matches nothing: it is false where the property is absent, too"
                .to_owned(),
            help: String::new(),
            part: Part::Leaf(number),
        }),
        Test::IsSubset(text) | Test::IsSuperset(text) => subset(number, leaf, text, remarks),
        _ => {}
    }
}

/// 9.6.1: the path is the value of an `ipv4-addr` or `ipv6-addr`, the constant an address or network of that kind.
fn subset(number: usize, leaf: &Leaf, text: &str, remarks: &mut Vec<Remark>) {
    let mut wrong = |message: String, help: &str| {
        let (code, part, help) = (Code::Subset, Part::Leaf(number), help.to_owned());
        remarks.push(Remark {
            code,
            message,
            help,
            part,
        });
    };
    let operator = leaf.operator();
    let object_type = leaf.path.object_type.as_str();
    let direct = !leaf.path.follows_reference();
    if leaf.path.steps.last() != Some(&Step::Key("value".to_owned()))
        || direct && !is_address_type(object_type)
    {
        wrong(
            format!(
                "`{operator}` compares IP addresses, `{}` is none",
                leaf.path
            ),
            "the path ends in `value` of an ipv4-addr or ipv6-addr",
        );
    }
    match network(text) {
        None => wrong(
            format!(
                "`{}` is not an IP address or network",
                super::report::excerpt(text)
            ),
            "for example `198.51.100.0/24` or `2001:db8::/32`",
        ),
        Some(address)
            if direct
                && is_address_type(object_type)
                && (object_type == "ipv4-addr") != address.is_ipv4() =>
        {
            wrong(
                format!(
                    "`{}` is not of the kind of `{object_type}`",
                    super::report::excerpt(text)
                ),
                "",
            );
        }
        Some(_) => {}
    }
}

fn is_address_type(object_type: &str) -> bool {
    matches!(object_type, "ipv4-addr" | "ipv6-addr")
}

/// The address of `a.b.c.d`, `a.b.c.d/n` or the same of IPv6.
fn network(text: &str) -> Option<IpAddr> {
    let (address, prefix) = text
        .split_once('/')
        .map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let address: IpAddr = address.parse().ok()?;
    let bits_max = if address.is_ipv4() { 32 } else { 128 };
    let fits = |prefix: &str| {
        prefix.bytes().all(|byte| byte.is_ascii_digit())
            && prefix.parse::<u8>().is_ok_and(|bits| bits <= bits_max)
    };
    prefix.is_none_or(fits).then_some(address)
}

/// The types of cyber-observables (section 6).
const OBSERVABLES: [&str; 18] = [
    "artifact",
    "autonomous-system",
    "directory",
    "domain-name",
    "email-addr",
    "email-message",
    "file",
    "ipv4-addr",
    "ipv6-addr",
    "mac-addr",
    "mutex",
    "network-traffic",
    "process",
    "software",
    "url",
    "user-account",
    "windows-registry-key",
    "x509-certificate",
];

fn unknown_type(number: usize, path: &ObjectPath) -> Option<Remark> {
    let given = path.object_type.as_str();
    // custom types begin with `x-` (11.2.1); their properties nobody here knows
    if OBSERVABLES.contains(&given) || given.starts_with("x-") {
        return None;
    }
    let folded = fold(given);
    let near = OBSERVABLES
        .iter()
        .find(|known| fold(known) == folded || fold(known).strip_suffix("addr") == Some(&folded));
    Some(Remark {
        code: Code::UnknownType,
        message: format!(
            "`{}` is not a cyber-observable of STIX 2.1",
            super::report::excerpt(given)
        ),
        help: near.map(|known| format!("`{known}`?")).unwrap_or_default(),
        part: Part::ObjectType(number),
    })
}

/// The hashing algorithms (10.7).
const HASHES: [&str; 8] = [
    "MD5", "SHA-1", "SHA-256", "SHA-512", "SHA3-256", "SHA3-512", "SSDEEP", "TLSH",
];

fn unknown_hash(number: usize, path: &ObjectPath) -> Option<Remark> {
    let (Step::Key(dictionary), Step::Key(given)) = path
        .steps
        .get(path.steps.len().checked_sub(2)?)
        .zip(path.steps.last())?
    else {
        return None;
    };
    if dictionary != "hashes" || HASHES.contains(&given.as_str()) {
        return None;
    }
    let near = HASHES.iter().find(|known| fold(known) == fold(given));
    Some(Remark {
        code: Code::UnknownHash,
        message: format!(
            "`{}` is not a hash algorithm of STIX 2.1",
            super::report::excerpt(given)
        ),
        help: near
            .map(|known| format!("write `'{known}'`"))
            .unwrap_or_default(),
        part: Part::Leaf(number),
    })
}

/// Letters and digits in lower case: what is left when people spell a name their way.
fn fold(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// 9.5: comparisons that start from different object types MUST be joined by OR, all operands of AND MUST be satisfiable
/// with the same object.
fn check_types(root: &Observation, remarks: &mut Vec<Remark>) {
    let mut number = 0;
    for comparison in root.singles() {
        satisfying(comparison, &mut number, remarks);
    }
}

/// The object types that can satisfy an expression; `number` counts the comparisons passed.
// the parser's depth limit bounds this recursion for parsed trees
fn satisfying<'p>(
    expression: &'p Comparison,
    number: &mut usize,
    remarks: &mut Vec<Remark>,
) -> BTreeSet<&'p str> {
    match expression {
        Comparison::Leaf(leaf) => {
            *number += 1;
            BTreeSet::from([leaf.path.object_type.as_str()])
        }
        Comparison::Or(items) => items
            .iter()
            .flat_map(|item| satisfying(item, number, remarks))
            .collect(),
        Comparison::And(items) => {
            let mut common: Option<BTreeSet<&str>> = None;
            for item in items {
                let first_leaf = *number;
                let types = satisfying(item, number, remarks);
                let Some(before) = &common else {
                    common = Some(types);
                    continue;
                };
                let both: BTreeSet<&str> = before.intersection(&types).copied().collect();
                if both.is_empty() {
                    remarks.push(Remark {
                        code: Code::AndTypes,
                        message: format!("no object is both {} and {}", list(before), list(&types)),
                        help:
                            "join different types by `OR`, or in two observations: `[..] AND [..]`"
                                .to_owned(),
                        part: Part::ObjectType(first_leaf),
                    });
                } else {
                    common = Some(both);
                }
            }
            common.unwrap_or_default()
        }
    }
}

fn list(types: &BTreeSet<&str>) -> String {
    types
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(" or ")
}
