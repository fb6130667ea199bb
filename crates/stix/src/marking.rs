//! Handling labels: TLP 2.0 (and its 1.x spellings), PAP, statements.
//!
//! STIX 2.1 predefines four `marking-definition` objects for TLP 1.x (7.2.1.4) and OASIS publishes five for TLP 2.0
//! as an extension (`cti-stix-common-objects`, `extension-definition-specifications/tlp-2.0`). Only those nine ids, and one
//! of OpenCTI's, carry a TLP: "other instances of tlp-marking MUST NOT be used or created". An unknown id is *no* TLP, never a
//! mild one; what to assume then is the caller's rule, not this module's.

use std::fmt;
use std::str::FromStr;

/// A level of the Traffic Light Protocol 2.0 (FIRST, August 2022), ordered from open to strict.
///
/// ```
/// use comity_stix::marking::Tlp;
/// assert!(Tlp::Red > Tlp::AmberStrict && Tlp::AmberStrict > Tlp::Amber);
/// assert_eq!("tlp:white".parse(), Ok(Tlp::Clear));
/// assert_eq!(Tlp::AmberStrict.to_string(), "TLP:AMBER+STRICT");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tlp {
    /// No limit on disclosure. TLP 1.x called it WHITE.
    Clear,
    /// Within the community, not in public.
    Green,
    /// Within the recipient's organisation and its clients, on a need-to-know basis.
    Amber,
    /// Within the recipient's organisation only.
    AmberStrict,
    /// For the eyes and ears of the individual recipients only.
    Red,
}

impl Tlp {
    /// Every level, from open to strict.
    pub const ALL: [Self; 5] = [
        Self::Clear,
        Self::Green,
        Self::Amber,
        Self::AmberStrict,
        Self::Red,
    ];

    /// The level as TLP 2.0 writes it, without the `TLP:` in front.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Clear => "CLEAR",
            Self::Green => "GREEN",
            Self::Amber => "AMBER",
            Self::AmberStrict => "AMBER+STRICT",
            Self::Red => "RED",
        }
    }

    /// The id of the predefined TLP 2.0 marking definition of this level.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Clear => "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
            Self::Green => "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
            Self::Amber => "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
            Self::AmberStrict => "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
            Self::Red => "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
        }
    }
}

impl fmt::Display for Tlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TLP:{}", self.word())
    }
}

/// A word that names no level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a {protocol} level (expected one of {expected})")]
pub struct UnknownLevel {
    given: String,
    protocol: &'static str,
    expected: &'static str,
}

impl FromStr for Tlp {
    type Err = UnknownLevel;

    /// Any case, with or without `TLP:`, with `+`, `-`, `_` or a blank before STRICT, WHITE for CLEAR.
    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        Ok(match level_word(text, "TLP").as_str() {
            "CLEAR" | "WHITE" => Self::Clear,
            "GREEN" => Self::Green,
            "AMBER" => Self::Amber,
            "AMBER+STRICT" => Self::AmberStrict,
            "RED" => Self::Red,
            _ => {
                return Err(UnknownLevel {
                    given: excerpt(text),
                    protocol: "TLP",
                    expected: "CLEAR, GREEN, AMBER, AMBER+STRICT, RED",
                });
            }
        })
    }
}

/// A level of the Permissible Actions Protocol, ordered from free to strict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pap {
    /// No limit on use. Older spelling: WHITE.
    Clear,
    /// Active steps are allowed: block, probe.
    Green,
    /// Passive look-ups at third parties are allowed.
    Amber,
    /// Only work nobody outside can detect, on own logs.
    Red,
}

impl Pap {
    /// Every level, from free to strict.
    pub const ALL: [Self; 4] = [Self::Clear, Self::Green, Self::Amber, Self::Red];

    /// The level's word, without the `PAP:` in front.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Clear => "CLEAR",
            Self::Green => "GREEN",
            Self::Amber => "AMBER",
            Self::Red => "RED",
        }
    }
}

impl fmt::Display for Pap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PAP:{}", self.word())
    }
}

impl FromStr for Pap {
    type Err = UnknownLevel;

    /// Any case, with or without `PAP:`, WHITE for CLEAR.
    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        Ok(match level_word(text, "PAP").as_str() {
            "CLEAR" | "WHITE" => Self::Clear,
            "GREEN" => Self::Green,
            "AMBER" => Self::Amber,
            "RED" => Self::Red,
            _ => {
                return Err(UnknownLevel {
                    given: excerpt(text),
                    protocol: "PAP",
                    expected: "CLEAR, GREEN, AMBER, RED",
                });
            }
        })
    }
}

/// The level word in one spelling: upper case, no protocol in front, `+` before STRICT.
fn level_word(text: &str, protocol: &str) -> String {
    let upper = text.trim().to_ascii_uppercase();
    let word = match upper.strip_prefix(protocol) {
        Some(rest) => rest
            .trim_start()
            .strip_prefix(':')
            .unwrap_or(rest)
            .trim_start(),
        None => upper.as_str(),
    };
    match word.strip_prefix("AMBER").map(str::trim_start) {
        Some(rest) if rest.trim_start_matches(['+', '-', '_', ' ']) == "STRICT" => {
            "AMBER+STRICT".to_owned()
        }
        _ => word.to_owned(),
    }
}

/// At most 64 characters of what was given, for messages.
fn excerpt(text: &str) -> String {
    text.chars().take(64).collect()
}

/// The four predefined markings of TLP 1.x (STIX 2.1, 7.2.1.4). AMBER of 1.x is AMBER of 2.0: both reach the clients.
const TLP_1: [(&str, Tlp); 4] = [
    (
        "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
        Tlp::Clear,
    ),
    (
        "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
        Tlp::Green,
    ),
    (
        "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
        Tlp::Amber,
    ),
    (
        "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
        Tlp::Red,
    ),
];

/// The marking of TLP:AMBER+STRICT that OpenCTI ships, calls a statement, and puts on what it exports: TLP 1.x had none to
/// take over. Its id is the same in every installation.
const OPENCTI: [(&str, Tlp); 1] = [(
    "marking-definition--826578e1-40ad-459f-bc73-ede076f81f37",
    Tlp::AmberStrict,
)];

/// The TLP a predefined marking id stands for; `None` for any other id.
#[must_use]
pub fn tlp_of(id: &str) -> Option<Tlp> {
    let one = TLP_1
        .iter()
        .chain(&OPENCTI)
        .find(|(known, _)| *known == id)
        .map(|(_, level)| *level);
    one.or_else(|| tlp2_of(id))
}

/// The level of one of the five predefined ids of TLP 2.0; `None` for any other id.
#[must_use]
pub fn tlp2_of(id: &str) -> Option<Tlp> {
    Tlp::ALL.into_iter().find(|level| level.id() == id)
}

/// Whether this is one of the four predefined ids of TLP 1.x.
#[must_use]
pub fn is_tlp1(id: &str) -> bool {
    TLP_1.iter().any(|(known, _)| *known == id)
}

/// The strictest TLP among marking ids, `None` when none of them is a predefined TLP marking.
///
/// STIX leaves open how several markings combine (7.2); taking the strictest can only withhold, never leak.
pub fn strictest_tlp<'a>(ids: impl IntoIterator<Item = &'a str>) -> Option<Tlp> {
    ids.into_iter().filter_map(tlp_of).max()
}

/// The id of the extension that carries TLP 2.0.
pub const TLP2_EXTENSION_ID: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";

/// The id of the extension OpenCTI's connectors carry PAP in, property `pap`.
pub const PAP_EXTENSION_ID: &str = "extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b";

macro_rules! tlp2 {
    ($id:literal, $name:literal, $value:literal) => {
        concat!(
            r#"{"type":"marking-definition","spec_version":"2.1","id":"marking-definition--"#,
            $id,
            r#"","created":"2022-10-01T00:00:00.000Z","name":""#,
            $name,
            r#"","extensions":{"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d":{"extension_type":"property-extension","tlp_2_0":""#,
            $value,
            r#""}}}"#
        )
    };
}

/// The predefined TLP 2.0 marking definition as JSON, with the values OASIS publishes.
#[must_use]
pub const fn tlp2_definition(level: Tlp) -> &'static str {
    match level {
        Tlp::Clear => tlp2!("94868c89-83c2-464b-929b-a1a8aa3c8487", "TLP:CLEAR", "clear"),
        Tlp::Green => tlp2!("bab4a63c-aed9-4cf5-a766-dfca5abac2bb", "TLP:GREEN", "green"),
        Tlp::Amber => tlp2!("55d920b0-5e8b-4f79-9ee9-91f868d9b421", "TLP:AMBER", "amber"),
        Tlp::AmberStrict => tlp2!(
            "939a9414-2ddd-4d32-a0cd-375ea402b003",
            "TLP:AMBER+STRICT",
            "amber+strict"
        ),
        Tlp::Red => tlp2!("e828b379-4e03-4974-9ac4-e53a884c97c1", "TLP:RED", "red"),
    }
}

/// The predefined marking definition with this id as JSON: one of the four of STIX 2.1 (7.2.1.4) or of the five of TLP 2.0.
#[must_use]
pub fn predefined(id: &str) -> Option<&'static str> {
    if let Some(level) = tlp2_of(id) {
        return Some(tlp2_definition(level));
    }
    let place = TLP_1.iter().position(|(known, _)| *known == id)?;
    TLP_1_DEFINITIONS.get(place).copied()
}

macro_rules! tlp1 {
    ($id:literal, $name:literal, $value:literal) => {
        concat!(
            r#"{"type":"marking-definition","spec_version":"2.1","id":"marking-definition--"#,
            $id,
            r#"","created":"2017-01-20T00:00:00.000Z","definition_type":"tlp","name":""#,
            $name,
            r#"","definition":{"tlp":""#,
            $value,
            r#""}}"#
        )
    };
}

/// In the order of [`TLP_1`].
const TLP_1_DEFINITIONS: [&str; 4] = [
    tlp1!("613f2e26-407d-48c7-9eca-b8e91df99dc9", "TLP:WHITE", "white"),
    tlp1!("34098fce-860f-48ae-8e50-ebd3cc5e41da", "TLP:GREEN", "green"),
    tlp1!("f88d31f6-486f-44da-b317-01333bde0b82", "TLP:AMBER", "amber"),
    tlp1!("5e57c739-391a-4eb3-b6be-7d15ca92d5ed", "TLP:RED", "red"),
];

/// The extension definition of TLP 2.0 as JSON, with the values OASIS publishes (`objects/extension-definition/`).
#[must_use]
pub const fn extension_definition() -> &'static str {
    concat!(
        r#"{"id":"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d","type":"extension-definition","spec_version":"2.1","#,
        r#""name":"TLP 2.0","description":"This defines TLP 2.0 as a STIX extension","#,
        r#""created":"2022-10-01T00:00:00.000Z","modified":"2022-10-01T00:00:00.000Z","#,
        r#""created_by_ref":"identity--b3bca3c2-1f3d-4b54-b44f-dac42c3a8f01","#,
        r#""schema":"https://github.com/oasis-open/cti-stix-common-objects/tree/master/extension-definition-specifications/tlp-2.0","#,
        r#""version":"1.0.0","extension_types":["property-extension"]}"#
    )
}

/// The parts of a `marking-definition` object its meaning is read from.
#[derive(Clone, Copy, Debug, Default)]
pub struct MarkingParts<'a> {
    /// `id`.
    pub id: &'a str,
    /// `name`, if any.
    pub name: Option<&'a str>,
    /// `definition_type`, if any.
    pub definition_type: Option<&'a str>,
    /// `definition.statement`, if any.
    pub statement: Option<&'a str>,
    /// `extensions.<PAP_EXTENSION_ID>.pap`, if any.
    pub pap_extension: Option<&'a str>,
}

/// What a `marking-definition` object means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MarkingDefinition {
    /// One of the predefined TLP markings. Only the id decides (7.2.1.4): a foreign object that calls itself
    /// TLP carries none.
    Tlp(Tlp),
    /// A PAP level, by the PAP extension, or by a name or statement that is nothing but `PAP:` and a level.
    Pap(Pap),
    /// A text for people (7.2.1.3).
    Statement(String),
    /// Anything else. What it demands is unknown, so it never makes a record freer.
    Other,
}

impl MarkingDefinition {
    /// Reads the meaning.
    #[must_use]
    pub fn of(parts: &MarkingParts<'_>) -> Self {
        if let Some(level) = tlp_of(parts.id) {
            return Self::Tlp(level);
        }
        let by_extension = parts.pap_extension.and_then(|text| text.parse().ok());
        let by_text = [parts.name, parts.statement, parts.definition_type]
            .into_iter()
            .flatten()
            .find_map(pap_text);
        if let Some(level) = by_extension.or(by_text) {
            return Self::Pap(level);
        }
        match parts.statement {
            Some(text) => Self::Statement(text.to_owned()),
            None => Self::Other,
        }
    }
}

/// A text that is `PAP:` and a level: then the `PAP:` may not be left out.
fn pap_text(text: &str) -> Option<Pap> {
    text.trim()
        .get(..4)
        .filter(|head| head.eq_ignore_ascii_case("PAP:"))?;
    text.parse().ok()
}
