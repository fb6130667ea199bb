//! Names of parties, persons and collections. A value of these types has been checked; there is no other check.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest party name, in bytes: it becomes part of log origins and host names.
const PARTY_BYTES_MAX: usize = 32;
/// Longest local part of a person's name, in bytes (RFC 5321 section 4.5.3.1.1 allows 64 in a mail address).
const PERSON_LOCAL_BYTES_MAX: usize = 64;

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not `[a-z][a-z0-9-]{1,31}`.
    #[error(
        "`{0}` is not a party: lower-case letters, digits and hyphens, starting with a letter, 2 to 32 long"
    )]
    Party(String),
    /// Not `person@party`.
    #[error(
        "`{0}` is not a person: `name@party`, the name of lower-case letters, digits and `.-_+`"
    )]
    Person(String),
}

/// A state, union, authority or organisation: `ua`, `eu`, `energo`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PartyId(String);

impl PartyId {
    /// Reads a party's name: ASCII `[a-z][a-z0-9-]{1,31}`.
    ///
    /// # Errors
    /// [`NameError::Party`] for anything else.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let mut bytes = text.bytes();
        let first_is_letter = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase());
        let rest_allowed =
            bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if first_is_letter && rest_allowed && (2..=PARTY_BYTES_MAX).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::Party(text.to_owned()))
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One natural person, or one machine account of a party: `olena@ua`, `node@eu`.
///
/// The part after the `@` says who runs the account, not where the account is used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PrincipalId(String);

impl PrincipalId {
    /// Reads `name@party`.
    ///
    /// # Errors
    /// [`NameError::Person`] for anything else.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let refuse = || NameError::Person(text.to_owned());
        let (local, party) = text.split_once('@').ok_or_else(refuse)?;
        PartyId::parse(party).map_err(|_| refuse())?;
        let allowed = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_+".contains(&byte)
        };
        if (1..=PERSON_LOCAL_BYTES_MAX).contains(&local.len()) && local.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(refuse())
        }
    }

    /// The whole name, `name@party`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The party that runs the account.
    #[must_use]
    pub fn party(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, party)| party)
    }
}

macro_rules! text_conversions {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
        impl std::str::FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::parse(text)
            }
        }
        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::parse(&text)
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}
text_conversions!(PartyId);
text_conversions!(PrincipalId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn party_names() {
        for good in ["ua", "eu", "cert-ee", "a1"] {
            assert_eq!(PartyId::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "u",
            "UA",
            "1a",
            "-a",
            "ü1",
            "a b",
            "a_b",
            &"a".repeat(33),
        ] {
            assert!(PartyId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn person_names() {
        assert_eq!(PrincipalId::parse("olena@ua").unwrap().party(), "ua");
        for bad in [
            "olena", "@ua", "olena@", "olena@UA", "Olena@ua", "a@b@ua", "o l@ua",
        ] {
            assert!(PrincipalId::parse(bad).is_err(), "{bad}");
        }
    }
}
