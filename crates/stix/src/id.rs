//! Identifiers (2.9): `type--UUID`, and the deterministic ones of cyber-observable objects.

mod deterministic;

use std::fmt;
use uuid::Uuid;

pub use deterministic::{deterministic_id, deterministic_id_of};

/// Namespace of deterministic identifiers of observables (2.9).
pub const NAMESPACE: Uuid = Uuid::from_u128(0x00ab_edb4_aa42_466c_9c01_fed2_3315_a9b7);

/// A checked identifier.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identifier {
    // INVARIANT: `check` accepted it
    text: Box<str>,
}

/// Why a text is no identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// No `--` between type and UUID.
    #[error("is not of the form `type--UUID`")]
    Form,
    /// The part before `--` is no type name.
    #[error("begins with something that is no type name")]
    Type,
    /// The part after `--` is no UUID as RFC 4122 prints it.
    #[error("does not end in a UUID")]
    Uuid,
    /// A UUID of another family than that of RFC 4122.
    #[error("ends in a UUID that RFC 4122 does not define")]
    Variant,
}

/// The two parts of an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts<'t> {
    /// Object type, for example `indicator`.
    pub object_type: &'t str,
    /// The UUID as written.
    pub uuid: &'t str,
}

impl Parts<'_> {
    /// Version digit of the UUID.
    #[must_use]
    pub fn version(&self) -> u8 {
        self.uuid.as_bytes().get(14).map_or(0, |digit| {
            (char::from(*digit).to_digit(16).unwrap_or_default()) as u8
        })
    }

    /// True when the UUID is written in small letters, as RFC 4122 section 3 prints it.
    #[must_use]
    pub fn is_lower_case(&self) -> bool {
        !self.uuid.bytes().any(|byte| byte.is_ascii_uppercase())
    }
}

/// Checks an identifier without keeping it.
///
/// # Errors
/// When `text` breaks 2.9.
pub fn check(text: &str) -> Result<Parts<'_>, IdentifierError> {
    let at = text.len().checked_sub(38).ok_or(IdentifierError::Form)?;
    let (Some(object_type), Some(uuid)) = (
        text.get(..at),
        text.get(at..).and_then(|rest| rest.strip_prefix("--")),
    ) else {
        return Err(IdentifierError::Form);
    };
    if !is_type_name(object_type) {
        return Err(IdentifierError::Type);
    }
    let (mut digits, mut hyphens) = (0, 0);
    for byte in uuid.bytes() {
        digits += usize::from(byte.is_ascii_hexdigit());
        hyphens += usize::from(byte == b'-');
    }
    let joined = [8, 13, 18, 23]
        .iter()
        .all(|place| uuid.as_bytes().get(*place) == Some(&b'-'));
    if digits != 32 || hyphens != 4 || !joined {
        return Err(IdentifierError::Uuid);
    }
    let bytes = uuid.as_bytes();
    if !matches!(bytes.get(19), Some(b'8' | b'9' | b'a' | b'b' | b'A' | b'B'))
        || !matches!(bytes.get(14), Some(b'1'..=b'8'))
    {
        return Err(IdentifierError::Variant);
    }
    Ok(Parts { object_type, uuid })
}

/// True for a name that a type may have (3.1 and 11.2.1): a-z, 0-9 and `-`, 3 to 250 characters.
#[must_use]
pub fn is_type_name(name: &str) -> bool {
    (3..=250).contains(&name.len())
        && name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

impl Identifier {
    /// Reads an identifier.
    ///
    /// # Errors
    /// When `text` breaks 2.9.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        check(text)?;
        Ok(Self { text: text.into() })
    }

    /// The identifier of `object_type` with that UUID.
    ///
    /// # Errors
    /// When the type name or the UUID is not one that 2.9 allows.
    pub fn new(object_type: &str, uuid: Uuid) -> Result<Self, IdentifierError> {
        Self::parse(&format!("{object_type}--{uuid}"))
    }

    /// The text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The part before `--`.
    #[must_use]
    pub fn object_type(&self) -> &str {
        self.text
            .len()
            .checked_sub(38)
            .and_then(|at| self.text.get(..at))
            .unwrap_or_default()
    }

    /// The UUID.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        self.text
            .len()
            .checked_sub(36)
            .and_then(|at| self.text.get(at..))
            .and_then(|text| Uuid::try_parse(text).ok())
            .unwrap_or_default()
    }

    /// True when the UUID is a version 5 one, as deterministic identifiers are. The namespace itself cannot be seen in a
    /// UUID, only confirmed by computing it again: [`deterministic_id`].
    #[must_use]
    pub fn is_name_based(&self) -> bool {
        self.uuid().get_version_num() == 5
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl AsRef<str> for Identifier {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl std::str::FromStr for Identifier {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, IdentifierError> {
        Self::parse(text)
    }
}
