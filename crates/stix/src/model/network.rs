//! Observables of the network (6.2, 6.4 to 6.6, 6.8 to 6.10, 6.12, 6.15).

use super::extensions::{HTTP_REQUEST, ICMP, SOCKET, TCP};
use super::{
    Class, Format, INTEGER, Kind, Property, Rule, STRINGS, Shape, TIME, Targets, Type, opt, refer,
    refers, req,
};

const fn sco(
    shape: Shape,
    contributing: &'static [&'static str],
    extensions: &'static [&'static Shape],
) -> Type {
    Type {
        shape,
        class: Class::Observable,
        contributing,
        extensions,
    }
}

const fn shape(
    name: &'static str,
    clause: &'static str,
    properties: &'static [Property],
    rules: &'static [Rule],
) -> Shape {
    Shape {
        name,
        clause,
        properties,
        rules,
    }
}

pub(super) static TYPES: &[Type] = &[
    sco(shape("ipv4-addr", "6.8", IPV4, &[]), &["value"], &[]),
    sco(
        shape("domain-name", "6.4", DOMAIN_NAME, &[]),
        &["value"],
        &[],
    ),
    sco(
        shape(
            "url",
            "6.15",
            &[req("value", Kind::Format(Format::Url))],
            &[],
        ),
        &["value"],
        &[],
    ),
    sco(shape("ipv6-addr", "6.9", IPV6, &[]), &["value"], &[]),
    sco(shape("email-addr", "6.5", EMAIL_ADDR, &[]), &["value"], &[]),
    sco(
        shape(
            "mac-addr",
            "6.10",
            &[req("value", Kind::Format(Format::Mac))],
            &[],
        ),
        &["value"],
        &[],
    ),
    sco(
        shape("autonomous-system", "6.2", AUTONOMOUS_SYSTEM, &[]),
        &["number"],
        &[],
    ),
    sco(
        shape("email-message", "6.6", EMAIL_MESSAGE, EMAIL_RULES),
        &["from_ref", "subject", "body"],
        &[],
    ),
    sco(
        shape("network-traffic", "6.12", TRAFFIC, TRAFFIC_RULES),
        &[
            "start",
            "end",
            "src_ref",
            "dst_ref",
            "src_port",
            "dst_port",
            "protocols",
            "extensions",
        ],
        &[&HTTP_REQUEST, &ICMP, &SOCKET, &TCP],
    ),
];

const IPV4: &[Property] = &[
    req("value", Kind::Format(Format::Ipv4)),
    opt("resolves_to_refs", refers(&["mac-addr"])),
    opt("belongs_to_refs", refers(&["autonomous-system"])),
];

const IPV6: &[Property] = &[
    req("value", Kind::Format(Format::Ipv6)),
    opt("resolves_to_refs", refers(&["mac-addr"])),
    opt("belongs_to_refs", refers(&["autonomous-system"])),
];

const DOMAIN_NAME: &[Property] = &[
    req("value", Kind::Format(Format::Domain)),
    opt(
        "resolves_to_refs",
        refers(&["ipv4-addr", "ipv6-addr", "domain-name"]),
    ),
];

const EMAIL_ADDR: &[Property] = &[
    req("value", Kind::Format(Format::Email)),
    opt("display_name", Kind::String),
    opt("belongs_to_ref", refer(&["user-account"])),
];

const AUTONOMOUS_SYSTEM: &[Property] = &[
    req("number", INTEGER),
    opt("name", Kind::String),
    opt("rir", Kind::String),
];

const ADDRESS: Kind = refer(&["email-addr"]);

const EMAIL_MESSAGE: &[Property] = &[
    req("is_multipart", Kind::Boolean),
    opt("date", TIME),
    opt("content_type", Kind::String),
    opt("from_ref", ADDRESS),
    opt("sender_ref", ADDRESS),
    opt("to_refs", Kind::References(Targets::Types(&["email-addr"]))),
    opt("cc_refs", Kind::References(Targets::Types(&["email-addr"]))),
    opt(
        "bcc_refs",
        Kind::References(Targets::Types(&["email-addr"])),
    ),
    opt("message_id", Kind::String),
    opt("subject", Kind::Format(Format::Decoded)),
    opt("received_lines", STRINGS),
    opt("additional_header_fields", Kind::Dictionary(&STRINGS)),
    opt("body", Kind::String),
    opt("body_multipart", Kind::Shapes(&MIME_PART)),
    opt("raw_email_ref", refer(&["artifact"])),
];

const EMAIL_RULES: &[Rule] = &[
    Rule::Excludes("is_multipart", true, "body"),
    Rule::Excludes("is_multipart", false, "body_multipart"),
];

static MIME_PART: Shape = Shape {
    name: "email-mime-part-type",
    clause: "6.6.2",
    properties: &[
        opt("body", Kind::String),
        opt("body_raw_ref", refer(&["artifact", "file"])),
        opt("content_type", Kind::String),
        opt("content_disposition", Kind::String),
    ],
    rules: &[Rule::AnyOf(&["body", "body_raw_ref"])],
};

const END: Kind = refer(&["ipv4-addr", "ipv6-addr", "mac-addr", "domain-name"]);
const PORT: Kind = Kind::Integer(0, 65_535);

const TRAFFIC: &[Property] = &[
    opt("start", TIME),
    opt("end", TIME),
    opt("is_active", Kind::Boolean),
    opt("src_ref", END),
    opt("dst_ref", END),
    opt("src_port", PORT),
    opt("dst_port", PORT),
    req("protocols", STRINGS),
    opt("src_byte_count", INTEGER),
    opt("dst_byte_count", INTEGER),
    opt("src_packets", INTEGER),
    opt("dst_packets", INTEGER),
    opt("ipfix", Kind::Dictionary(&Kind::IntegerOrString)),
    opt("src_payload_ref", refer(&["artifact"])),
    opt("dst_payload_ref", refer(&["artifact"])),
    opt("encapsulates_refs", refers(&["network-traffic"])),
    opt(
        "encapsulated_by_ref",
        Kind::Reference(Targets::Types(&["network-traffic"])),
    ),
];

const TRAFFIC_RULES: &[Rule] = &[
    Rule::AnyOf(&["src_ref", "dst_ref"]),
    Rule::NotAfter("start", "end"),
    Rule::Excludes("is_active", true, "end"),
    Rule::Recommended("src_port"),
    Rule::Recommended("dst_port"),
];
