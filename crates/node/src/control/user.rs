//! People and programs that may sign in.

use argon2::Argon2;
use argon2::password_hash::PasswordHasher as _;
use argon2::password_hash::phc::PasswordHash;
use comity_access::{PartyId, PrincipalId, Role};
use comity_store::{Admin, Certificate, Principal};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{ControlError, ErrorKind, Output};
use crate::app::App;
use crate::clock::micros_to_text;

/// What to do with users.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum User {
    /// Make one.
    Add(Box<NewUser>),
    /// All of them, as rows.
    List,
    /// May no longer sign in.
    Disable(String),
    /// May sign in again.
    Enable(String),
    /// Remove one with its tokens and certificates.
    Remove(String),
    /// Set a new password.
    Password {
        /// Whose.
        name: String,
        /// The password.
        password: Secret,
    },
    /// Accept a client certificate by its SHA-256 fingerprint.
    Certificate {
        /// Whose.
        name: String,
        /// Hexadecimal, colons allowed.
        fingerprint: String,
        /// For people.
        note: String,
    },
}

/// A user to be made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewUser {
    /// `person` or `person@party`.
    pub name: String,
    /// Role as `access` spells it.
    pub role: String,
    /// The party, when the name does not say it; the node's own by default.
    pub party: Option<String>,
    /// The party whose constituent this is.
    pub entity_of: Option<String>,
    /// Name to show.
    pub display: Option<String>,
    /// Belongs to the community TLP:GREEN speaks of.
    pub community: bool,
    /// Takes part in this exercise: sees and makes its records and, unless it is a peer's node, nothing else.
    pub exercise: Option<String>,
    /// The first password.
    pub password: Option<Secret>,
    /// Client certificate by its SHA-256 fingerprint.
    pub fingerprint: Option<String>,
}

/// Text that is never shown.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` from being shown by accident.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

/// Shortest password taken. Length is what helps (NIST SP 800-63B section 3.1.1.2 asks for at least 8, and 15 alone).
const PASSWORD_CHARACTERS_MIN: usize = 8;
/// Longest, so that hashing cannot be made a burden.
const PASSWORD_BYTES_MAX: usize = 1_024;

pub(super) fn execute(
    app: &App,
    actor: &str,
    command: User,
    output: &mut dyn Output,
) -> Result<Value, ControlError> {
    match command {
        User::Add(new) => add(app, actor, *new),
        User::List => list(app, output),
        User::Disable(name) => change(app, actor, &name, |user| user.disabled = true),
        User::Enable(name) => change(app, actor, &name, |user| user.disabled = false),
        User::Remove(name) => {
            let user = find(app, &name)?;
            app.administer_blocking(actor, Admin::DropPrincipal(user.id.clone()))?;
            Ok(json!({ "removed": user.id }))
        }
        User::Password { name, password } => {
            let hash = hash(app, &password)?;
            change(app, actor, &name, |user| user.password_hash = Some(hash))
        }
        User::Certificate {
            name,
            fingerprint,
            note,
        } => {
            let user = find(app, &name)?;
            certificate(app, actor, &user.id, &fingerprint, note)?;
            Ok(shown(app, &user.id))
        }
    }
}

fn add(app: &App, actor: &str, new: NewUser) -> Result<Value, ControlError> {
    let usage = |error: &dyn std::fmt::Display| ControlError::usage(error.to_string());
    let id = match (&new.party, new.name.split_once('@')) {
        (Some(party), None) => format!("{}@{party}", new.name),
        (Some(party), Some((_, named))) if named != party => {
            return Err(ControlError::usage(format!(
                "`{}` is not of the party `{party}`",
                new.name
            )));
        }
        _ => app.full_name(&new.name),
    };
    let principal = PrincipalId::parse(&id).map_err(|error| usage(&error))?;
    let role: Role = new.role.parse().map_err(|error| usage(&error))?;
    if let Some(csirt) = &new.entity_of {
        PartyId::parse(csirt).map_err(|error| usage(&error))?;
    }
    if app.catalog().principal(&id).is_some() {
        return Err(ControlError::new(
            ErrorKind::Taken,
            format!("there is a user `{id}` already"),
        ));
    }
    let fingerprint = new
        .fingerprint
        .as_deref()
        .map(parse_fingerprint)
        .transpose()?;
    let row = Principal {
        display: new.display.unwrap_or_else(|| new.name.clone()),
        role: role.word().to_owned(),
        party: principal.party().to_owned(),
        entity_of: new.entity_of,
        community: new.community,
        exercise: new.exercise,
        password_hash: new
            .password
            .as_ref()
            .map(|password| hash(app, password))
            .transpose()?,
        disabled: false,
        created: app.clock.now_micros(),
        id: id.clone(),
    };
    // the same check every request makes: a user nobody could be is not made
    crate::catalog::reader(&row, app.catalog().collections()).map_err(|error| usage(&error))?;
    app.administer_blocking(actor, Admin::PutPrincipal(row))?;
    if let Some(fingerprint) = fingerprint {
        put_certificate(app, actor, &id, fingerprint, String::new())?;
    }
    Ok(shown(app, &id))
}

fn change(
    app: &App,
    actor: &str,
    name: &str,
    edit: impl FnOnce(&mut Principal),
) -> Result<Value, ControlError> {
    let mut row = find(app, name)?;
    edit(&mut row);
    let id = row.id.clone();
    app.administer_blocking(actor, Admin::PutPrincipal(row))?;
    Ok(shown(app, &id))
}

pub(super) fn find(app: &App, name: &str) -> Result<Principal, ControlError> {
    let full = app.full_name(name);
    let found = app
        .catalog()
        .principal(&full)
        .map(|row| Principal::clone(row));
    found
        .ok_or_else(|| ControlError::not_found("user", &full).help("`comity user list` shows them"))
}

fn list(app: &App, output: &mut dyn Output) -> Result<Value, ControlError> {
    let catalog = app.catalog();
    let all = catalog.principals();
    for row in &all {
        output.row(shown(app, &row.id))?;
    }
    Ok(json!({ "users": all.len() }))
}

fn shown(app: &App, id: &str) -> Value {
    let catalog = app.catalog();
    let Some(row) = catalog.principal(id) else {
        return Value::Null;
    };
    let fingerprints: Vec<String> = catalog
        .certificates()
        .filter(|one| one.principal == id)
        .map(|one| hex(&one.fingerprint))
        .collect();
    json!({
        "name": row.id,
        "display": row.display,
        "role": row.role,
        "party": row.party,
        "entity_of": row.entity_of,
        "community": row.community,
        "exercise": row.exercise,
        "password": row.password_hash.is_some(),
        "tokens": catalog.tokens().iter().filter(|token| token.principal == id).count(),
        "certificates": fingerprints,
        "disabled": row.disabled,
        "created": micros_to_text(row.created),
    })
}

fn certificate(
    app: &App,
    actor: &str,
    id: &str,
    fingerprint: &str,
    note: String,
) -> Result<(), ControlError> {
    put_certificate(app, actor, id, parse_fingerprint(fingerprint)?, note)
}

fn put_certificate(
    app: &App,
    actor: &str,
    id: &str,
    fingerprint: [u8; 32],
    note: String,
) -> Result<(), ControlError> {
    let row = Certificate {
        fingerprint,
        principal: id.to_owned(),
        note,
        created: app.clock.now_micros(),
    };
    app.administer_blocking(actor, Admin::PutCertificate(row))?;
    Ok(())
}

/// Reads a SHA-256 fingerprint as `openssl` and browsers write it.
fn parse_fingerprint(text: &str) -> Result<[u8; 32], ControlError> {
    let digits: String = text
        .trim()
        .chars()
        .filter(|c| *c != ':' && *c != ' ')
        .collect();
    let mut bytes = [0; 32];
    let fits = digits.len() == 64 && digits.is_ascii();
    let read = fits.then(|| {
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
            *byte = std::str::from_utf8(pair)
                .ok()
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())?;
        }
        Some(())
    });
    match read.flatten() {
        Some(()) => Ok(bytes),
        None => Err(
            ControlError::usage(format!("`{text}` is not a SHA-256 fingerprint"))
                .help("64 hexadecimal digits: `openssl x509 -in FILE -noout -fingerprint -sha256`"),
        ),
    }
}

fn hash(app: &App, password: &Secret) -> Result<String, ControlError> {
    let text = Zeroizing::new(password.expose().to_owned());
    if text.chars().count() < PASSWORD_CHARACTERS_MIN || text.len() > PASSWORD_BYTES_MAX {
        return Err(ControlError::usage(format!(
            "the password has not between {PASSWORD_CHARACTERS_MIN} characters and {PASSWORD_BYTES_MAX} bytes"
        ))
        .help("a few unrelated words are easier to keep in mind than signs"));
    }
    let salt = crate::entropy::bytes::<16>(&*app.entropy).map_err(ControlError::internal)?;
    let hashed: PasswordHash = Argon2::default()
        .hash_password_with_salt(text.as_bytes(), &salt)
        .map_err(ControlError::internal)?;
    Ok(hashed.to_string())
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_as_openssl_writes_them() {
        let plain = "ab".repeat(32);
        let colons = vec!["AB"; 32].join(":");
        assert_eq!(parse_fingerprint(&plain).unwrap(), [0xab; 32]);
        assert_eq!(parse_fingerprint(&colons).unwrap(), [0xab; 32]);
        for bad in ["", "ab", &"zz".repeat(32), &"é".repeat(32)] {
            assert!(parse_fingerprint(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", Secret::new("hunter2".to_owned())), "Secret");
    }
}
