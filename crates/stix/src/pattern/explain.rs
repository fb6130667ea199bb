//! Says in plain English what a pattern looks for.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::ast::{
    Comparator, Comparison, Constant, Leaf, ObjectPath, Observation, Pattern, Qualifier, Step, Test,
};

/// How many members of a set are named before the rest is counted.
const SET_SHOWN: usize = 8;

/// What the pattern looks for, one line for one observation, an indented list for several.
///
/// ```
/// use comity_stix::pattern::{explain, parse};
/// let pattern = parse("[file:hashes.MD5 IN ('aa', 'bb') AND file:size > 10] WITHIN 60 SECONDS").ast.unwrap();
/// assert_eq!(
///     explain(&pattern),
///     "a file where the MD5 hash is one of `aa`, `bb` and the size is more than 10, within 60 seconds"
/// );
/// ```
#[must_use]
pub fn explain(pattern: &Pattern) -> String {
    let mut out = String::new();
    observation(&pattern.root, 0, &mut out);
    out
}

/// Writes an expression; its first line goes on where `out` ends, further lines are indented to `depth`.
// the parser's depth limit bounds this recursion for parsed trees
fn observation(expression: &Observation, depth: usize, out: &mut String) {
    match expression {
        Observation::Single(comparison) => single(comparison, out),
        Observation::And(items) => list(
            "all of these, each in an observation of its own:",
            items,
            false,
            depth,
            out,
        ),
        Observation::Or(items) => list("one of these:", items, false, depth, out),
        Observation::FollowedBy(items) => {
            list(
                "these in this order, each in an observation of its own:",
                items,
                true,
                depth,
                out,
            );
        }
        Observation::Qualified(inner, qualifiers) => {
            observation(inner, depth, out);
            let one_line = matches!(**inner, Observation::Single(_));
            if !one_line {
                newline(depth, out);
                out.push_str("the whole of it");
            }
            for (index, qualifier) in qualifiers.iter().enumerate() {
                out.push_str(if index > 0 || one_line { ", " } else { " " });
                qualify(qualifier, out);
            }
        }
    }
}

fn list(head: &str, items: &[Observation], numbered: bool, depth: usize, out: &mut String) {
    out.push_str(head);
    for (index, item) in items.iter().enumerate() {
        newline(depth, out);
        if numbered {
            let _ = write!(out, "{}. ", index + 1);
        } else {
            out.push_str("- ");
        }
        observation(item, depth + 1, out);
    }
}

fn newline(depth: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

fn qualify(qualifier: &Qualifier, out: &mut String) {
    let _ = match qualifier {
        Qualifier::Repeats(times) if times.get() == 1 => write!(out, "at least once"),
        Qualifier::Repeats(times) => write!(out, "at least {times} times"),
        Qualifier::Within(seconds) if seconds.get() == 1.0 => write!(out, "within 1 second"),
        Qualifier::Within(seconds) => write!(out, "within {seconds} seconds"),
        Qualifier::StartStop { start, stop } => {
            write!(
                out,
                "from {} until before {}",
                start.as_str(),
                stop.as_str()
            )
        }
    };
}

/// One observation: `a file where ..`, or several such by `or` where the types differ.
fn single(comparison: &Comparison, out: &mut String) {
    let types: BTreeSet<&str> = comparison
        .leaves()
        .map(|leaf| leaf.path.object_type.as_str())
        .collect();
    match (comparison, types.first()) {
        (_, Some(one)) if types.len() == 1 => {
            let _ = write!(out, "{} where ", noun(one));
            conditions(comparison, false, false, out);
        }
        (Comparison::Or(items), _) => {
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { ", or " } else { "" });
                single(item, out);
            }
        }
        _ => {
            out.push_str("an object where ");
            conditions(comparison, true, false, out);
        }
    }
}

/// The comparisons, with `and` and `or`; with the object's type in front of each where they differ.
fn conditions(comparison: &Comparison, typed: bool, grouped: bool, out: &mut String) {
    let (items, word) = match comparison {
        Comparison::Leaf(leaf) => return condition(leaf, typed, out),
        Comparison::And(items) => (items, " and "),
        Comparison::Or(items) => (items, " or "),
    };
    if grouped {
        out.push('(');
    }
    for (index, item) in items.iter().enumerate() {
        out.push_str(if index > 0 { word } else { "" });
        conditions(item, typed, true, out);
    }
    if grouped {
        out.push(')');
    }
}

fn condition(leaf: &Leaf, typed: bool, out: &mut String) {
    out.push_str(&place(&leaf.path));
    if typed {
        let _ = write!(out, " of {}", noun(&leaf.path.object_type));
    }
    let (plain, negated) = match &leaf.test {
        Test::Compare(Comparator::Equal, _) => (" is ", " is not "),
        Test::Compare(Comparator::NotEqual, _) => (" is not ", " is "),
        Test::Compare(Comparator::Less, _) => (" is less than ", " is not less than "),
        Test::Compare(Comparator::LessOrEqual, _) => (" is at most ", " is not at most "),
        Test::Compare(Comparator::Greater, _) => (" is more than ", " is not more than "),
        Test::Compare(Comparator::GreaterOrEqual, _) => (" is at least ", " is not at least "),
        Test::In(_) => (" is one of ", " is none of "),
        Test::Like(_) => (" is like ", " is not like "),
        Test::Matches(_) => (
            " matches the regular expression ",
            " does not match the regular expression ",
        ),
        Test::IsSubset(_) => (" lies within ", " does not lie within "),
        Test::IsSuperset(_) => (" contains ", " does not contain "),
        Test::Exists => (" is present", " is absent"),
    };
    out.push_str(if leaf.negated { negated } else { plain });
    for (index, constant) in leaf.constants().iter().take(SET_SHOWN).enumerate() {
        out.push_str(if index > 0 { ", " } else { "" });
        value(constant, out);
    }
    if let Some(more @ 1..) = leaf.constants().len().checked_sub(SET_SHOWN) {
        let _ = write!(out, " and {more} more");
    }
    if let Some(text) = leaf.text() {
        ticked(text, out);
    }
    if let Test::Like(_) = leaf.test {
        out.push_str(" (% any characters, _ any one)");
    }
}

fn value(constant: &Constant, out: &mut String) {
    match constant {
        Constant::String(text) => ticked(text, out),
        Constant::Timestamp(instant) => out.push_str(instant.as_str()),
        Constant::Hex(bytes) | Constant::Binary(bytes) => {
            out.push_str("the bytes ");
            for byte in bytes.iter().take(32) {
                let _ = write!(out, "{byte:02x}");
            }
            out.push_str(if bytes.len() > 32 { ".." } else { "" });
        }
        other => {
            let _ = write!(out, "{other}");
        }
    }
}

/// Text in backticks, control characters made visible.
fn ticked(text: &str, out: &mut String) {
    out.push('`');
    for c in text.chars() {
        if c.is_control() {
            out.extend(c.escape_default())
        } else {
            out.push(c)
        }
    }
    out.push('`');
}

/// A path read from its end: `the name of any item of the contains list`.
fn place(path: &ObjectPath) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut steps = path.steps.iter().peekable();
    let mut inside = "";
    while let Some(step) = steps.next() {
        let Step::Key(key) = step else {
            // an item of an item: a list of lists
            parts.push(item(step, "the list"));
            continue;
        };
        let named = match inside {
            "hashes" => format!("the {key} hash"),
            "extensions" => format!("the {key} extension"),
            _ => match key
                .strip_suffix("_refs")
                .or_else(|| key.strip_suffix("_ref"))
            {
                Some(role) => format!("the {} object", role.replace('_', " ")),
                None => format!("the {}", key.replace('_', " ")),
            },
        };
        inside = key;
        if matches!(key.as_str(), "hashes" | "extensions")
            && matches!(steps.peek(), Some(Step::Key(_)))
        {
            continue;
        }
        match steps.next_if(|next| !matches!(next, Step::Key(_))) {
            Some(index) => parts.push(item(index, &named)),
            None => parts.push(named),
        }
    }
    parts.reverse();
    parts.join(" of ")
}

fn item(step: &Step, list: &str) -> String {
    match step {
        Step::Index(index) => format!("item {index} of {list}"),
        _ => format!("any item of {list}"),
    }
}

/// The object type with its article.
fn noun(object_type: &str) -> String {
    let known = match object_type {
        "artifact" => "an artifact",
        "autonomous-system" => "an autonomous system",
        "directory" => "a directory",
        "domain-name" => "a domain name",
        "email-addr" => "an e-mail address",
        "email-message" => "an e-mail message",
        "file" => "a file",
        "ipv4-addr" => "an IPv4 address",
        "ipv6-addr" => "an IPv6 address",
        "mac-addr" => "a MAC address",
        "mutex" => "a mutex",
        "network-traffic" => "network traffic",
        "process" => "a process",
        "software" => "a piece of software",
        "url" => "a URL",
        "user-account" => "a user account",
        "windows-registry-key" => "a Windows registry key",
        "x509-certificate" => "an X.509 certificate",
        other => return format!("a `{other}` object"),
    };
    known.to_owned()
}
