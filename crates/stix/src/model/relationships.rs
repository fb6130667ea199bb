//! STIX Relationship Objects (clause 5) and which relationships the standard lists between which types.

use super::{
    Class, Format, Kind, Property, Rule, SEEN, Shape, TIME, Targets, Type, object_type, opt,
    refers, req,
};

pub(super) static TYPES: &[Type] = &[
    Type {
        shape: Shape {
            name: "relationship",
            clause: "5.1",
            properties: RELATIONSHIP,
            rules: &[
                Rule::Before("start_time", "stop_time"),
                Rule::RelationshipEnds,
            ],
        },
        class: Class::Relationship,
        contributing: &[],
        extensions: &[],
    },
    Type {
        shape: Shape {
            name: "sighting",
            clause: "5.2",
            properties: SIGHTING,
            rules: &[SEEN],
        },
        class: Class::Relationship,
        contributing: &[],
        extensions: &[],
    },
];

const RELATIONSHIP: &[Property] = &[
    req("relationship_type", Kind::Format(Format::RelationshipType)),
    req("source_ref", Kind::Reference(Targets::DomainOrObservable)),
    req("target_ref", Kind::Reference(Targets::DomainOrObservable)),
    opt("description", Kind::String),
    opt("start_time", TIME),
    opt("stop_time", TIME),
];

const SIGHTING: &[Property] = &[
    req("sighting_of_ref", Kind::Reference(Targets::Domain)),
    opt("description", Kind::String),
    opt("first_seen", TIME),
    opt("last_seen", TIME),
    opt("count", Kind::Integer(0, 999_999_999)),
    opt("observed_data_refs", refers(&["observed-data"])),
    opt("where_sighted_refs", refers(&["identity", "location"])),
    opt("summary", Kind::Boolean),
];

/// True for relationships allowed between any two objects (3.7).
#[must_use]
pub fn is_common(relationship_type: &str, source: &str, target: &str) -> bool {
    match relationship_type {
        "related-to" => true,
        "derived-from" | "duplicate-of" => source == target,
        _ => false,
    }
}

/// True when the standard lists that relationship between those types (4.x.2, 6.x.2, Appendix B).
#[must_use]
pub fn is_listed(relationship_type: &str, source: &str, target: &str) -> bool {
    let consists = (source, relationship_type) == ("infrastructure", "consists-of");
    if consists && object_type(target).is_some_and(|model| model.class == Class::Observable) {
        return true;
    }
    LISTED.iter().any(|(from, name, to)| {
        *name == relationship_type && *from == source && to.contains(&target)
    })
}

#[rustfmt::skip]
const LISTED: &[(&str, &str, &[&str])] = &[
    ("attack-pattern", "delivers", &["malware"]),
    ("attack-pattern", "targets", &["identity", "location", "vulnerability"]),
    ("attack-pattern", "uses", &["malware", "tool"]),
    ("campaign", "attributed-to", &["intrusion-set", "threat-actor"]),
    ("campaign", "compromises", &["infrastructure"]),
    ("campaign", "originates-from", &["location"]),
    ("campaign", "targets", &["identity", "location", "vulnerability"]),
    ("campaign", "uses", &["attack-pattern", "infrastructure", "malware", "tool"]),
    ("course-of-action", "investigates", &["indicator"]),
    ("course-of-action", "mitigates", &["attack-pattern", "indicator", "malware", "tool", "vulnerability"]),
    ("course-of-action", "remediates", &["malware", "vulnerability"]),
    ("domain-name", "resolves-to", &["domain-name", "ipv4-addr", "ipv6-addr"]),
    ("identity", "located-at", &["location"]),
    ("indicator", "based-on", &["observed-data"]),
    ("indicator", "indicates", &["attack-pattern", "campaign", "infrastructure", "intrusion-set", "malware", "threat-actor", "tool"]),
    ("infrastructure", "communicates-with", &["domain-name", "infrastructure", "ipv4-addr", "ipv6-addr", "url"]),
    ("infrastructure", "consists-of", &["infrastructure", "observed-data"]),
    ("infrastructure", "controls", &["infrastructure", "malware"]),
    ("infrastructure", "delivers", &["malware"]),
    ("infrastructure", "has", &["vulnerability"]),
    ("infrastructure", "hosts", &["malware", "tool"]),
    ("infrastructure", "located-at", &["location"]),
    ("infrastructure", "uses", &["infrastructure"]),
    ("intrusion-set", "attributed-to", &["threat-actor"]),
    ("intrusion-set", "compromises", &["infrastructure"]),
    ("intrusion-set", "hosts", &["infrastructure"]),
    ("intrusion-set", "originates-from", &["location"]),
    ("intrusion-set", "owns", &["infrastructure"]),
    ("intrusion-set", "targets", &["identity", "location", "vulnerability"]),
    ("intrusion-set", "uses", &["attack-pattern", "infrastructure", "malware", "tool"]),
    ("ipv4-addr", "belongs-to", &["autonomous-system"]),
    ("ipv4-addr", "resolves-to", &["mac-addr"]),
    ("ipv6-addr", "belongs-to", &["autonomous-system"]),
    ("ipv6-addr", "resolves-to", &["mac-addr"]),
    ("malware", "authored-by", &["intrusion-set", "threat-actor"]),
    ("malware", "beacons-to", &["infrastructure"]),
    ("malware", "communicates-with", &["domain-name", "ipv4-addr", "ipv6-addr", "url"]),
    ("malware", "controls", &["malware"]),
    ("malware", "downloads", &["file", "malware", "tool"]),
    ("malware", "drops", &["file", "malware", "tool"]),
    ("malware", "exfiltrates-to", &["infrastructure"]),
    ("malware", "exploits", &["vulnerability"]),
    ("malware", "originates-from", &["location"]),
    ("malware", "targets", &["identity", "infrastructure", "location", "vulnerability"]),
    ("malware", "uses", &["attack-pattern", "infrastructure", "malware", "tool"]),
    ("malware", "variant-of", &["malware"]),
    ("malware-analysis", "av-analysis-of", &["malware"]),
    ("malware-analysis", "characterizes", &["malware"]),
    ("malware-analysis", "dynamic-analysis-of", &["malware"]),
    ("malware-analysis", "static-analysis-of", &["malware"]),
    ("threat-actor", "attributed-to", &["identity"]),
    ("threat-actor", "compromises", &["infrastructure"]),
    ("threat-actor", "hosts", &["infrastructure"]),
    ("threat-actor", "impersonates", &["identity"]),
    ("threat-actor", "located-at", &["location"]),
    ("threat-actor", "owns", &["infrastructure"]),
    ("threat-actor", "targets", &["identity", "location", "vulnerability"]),
    ("threat-actor", "uses", &["attack-pattern", "infrastructure", "malware", "tool"]),
    ("tool", "delivers", &["malware"]),
    ("tool", "drops", &["malware"]),
    ("tool", "has", &["vulnerability"]),
    ("tool", "targets", &["identity", "infrastructure", "location", "vulnerability"]),
    ("tool", "uses", &["infrastructure"]),
];
