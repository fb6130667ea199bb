//! Whether the register a node finds is the one it left: the head must be signed by this node's own key, for this party.
//!
//! Who can write the file but has no key could put a history of their own into it; the node's next append would sign that.

use std::path::{Path, PathBuf};
use std::time::Duration;

use comity_ledger::note::{SignedNote, VerifierKey};
use comity_store::{Head, HeadError, Store};
use serde_json::{Value, json};

use crate::app::AppError;
use crate::files;
use crate::http::context::hex;

/// Whose heads are gone on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Only those this node's key signed.
    OwnKey,
    /// One with this root, whoever signed it: an operator compared it with what others saw (`comity log rekey`).
    Root(comity_ledger::Hash),
}

/// Refuses a register that is another party's, was changed, or was signed by another key.
pub(crate) fn check(head: &Head, party: &str, key: &str, trust: Trust) -> Result<(), AppError> {
    if head.origin != crate::app::origin(party) {
        return Err(AppError::Origin {
            register: head.origin.clone(),
            party: party.to_owned(),
        });
    }
    let key = VerifierKey::parse(key).map_err(|error| AppError::Internal(error.to_string()))?;
    let own = head.check(Some(&key));
    match (trust, own) {
        (Trust::OwnKey, Ok(())) => Ok(()),
        (Trust::OwnKey, Err(error @ HeadError::Signature { .. })) => Err(AppError::ForeignHead {
            error: error.to_string(),
            size: head.size,
            root: hex(head.root),
        }),
        (Trust::OwnKey, Err(error)) => Err(AppError::Head(error.to_string())),
        (Trust::Root(_), Ok(())) => Err(AppError::Head(
            "its head is signed by this node's key: there is nothing to take over".to_owned(),
        )),
        (Trust::Root(root), Err(_)) => {
            head.check(None)
                .map_err(|error| AppError::Head(error.to_string()))?;
            if root == head.root {
                Ok(())
            } else {
                Err(AppError::Head(format!(
                    "its root is {}, not the one given",
                    hex(head.root)
                )))
            }
        }
    }
}

/// What the log says of taking a head over: which key signed it, and which goes on.
pub(crate) fn taken_over(head: &Head, key: &str) -> Value {
    let from: Vec<String> = SignedNote::parse(head.note.as_bytes())
        .map(|note| {
            note.signatures()
                .iter()
                .map(|line| format!("{}+{:08x}", line.name().as_str(), line.key_id()))
                .collect()
        })
        .unwrap_or_default();
    json!({
        "log_key": {
            "from": from, "to": key, "size": head.size, "root": hex(head.root),
        }
    })
}

/// The file beside the register that says which head this node had last.
pub(crate) const SEEN_FILE: &str = "head.seen";
/// It is written when the node starts and stops, and this often while entries come: a sync of its own each time, so not with
/// every batch. A copy older than that is noticed.
const SEEN_EVERY: Duration = Duration::from_secs(10);

/// The head a node had last, kept outside the database: an older copy of the file, put back whole, is sound in itself.
pub(crate) struct Seen {
    path: PathBuf,
    written: Option<(Duration, u64)>,
}

impl Seen {
    pub(crate) fn new(dir: &Path) -> Self {
        Self {
            path: dir.join(SEEN_FILE),
            written: None,
        }
    }

    /// Refuses a register that is not a continuation of the one this node had.
    pub(crate) fn compare(&self, head: &Head, store: &Store) -> Result<(), AppError> {
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(source) => {
                return Err(AppError::System {
                    what: "cannot read the file `head.seen`",
                    source,
                });
            }
        };
        let behind = |why: String| AppError::OlderCopy { why };
        let (database, size, root) = parse(&text)
            .ok_or_else(|| behind(format!("`{}` cannot be read", self.path.display())))?;
        if database != hex(head.database_id) {
            return Err(behind("it is another database".to_owned()));
        }
        if size > head.size {
            return Err(behind(format!(
                "it has {} entries, this node had {size}",
                head.size
            )));
        }
        let then = comity_ledger::tree::root(store, size)
            .map_err(|error| AppError::Head(error.to_string()))?;
        if hex(then) != root {
            return Err(behind(format!(
                "its first {size} entries are not those this node had"
            )));
        }
        Ok(())
    }

    /// Writes the head down if it is time, or `now` with `at_once`. A failure costs no batch: it is told, and tried again.
    pub(crate) fn note(&mut self, head: &Head, now: Duration, at_once: bool) {
        let due = match self.written {
            None => true,
            Some((_, size)) if size == head.size => false,
            Some((at, _)) => at_once || now.saturating_sub(at) >= SEEN_EVERY,
        };
        if !due {
            return;
        }
        let text = format!(
            "comity-head/v1\ndatabase {}\nsize {}\nroot {}\n",
            hex(head.database_id),
            head.size,
            hex(head.root)
        );
        match files::put(&self.path, text.as_bytes()) {
            Ok(()) => self.written = Some((now, head.size)),
            Err(error) => tracing::warn!(%error, "the head seen last could not be written down"),
        }
    }
}

/// Database, size and root of a file that [`Seen::note`] wrote.
fn parse(text: &str) -> Option<(&str, u64, &str)> {
    let rest = text.strip_prefix("comity-head/v1\n")?;
    let mut lines = rest.lines();
    let database = lines.next()?.strip_prefix("database ")?;
    let size = lines.next()?.strip_prefix("size ")?.parse().ok()?;
    let root = lines.next()?.strip_prefix("root ")?;
    lines.next().is_none().then_some((database, size, root))
}

#[cfg(test)]
mod tests {
    use comity_ledger::checkpoint::Checkpoint;
    use comity_ledger::note::{KeyName, Signer};

    use super::*;

    fn head(size: u64, root: [u8; 32], signed: u64, seed: u8) -> (Head, String) {
        let name = KeyName::new("comity.ua/log/1".to_owned()).unwrap();
        let signer = Signer::from_seed(name, &[seed; 32]).unwrap();
        let note = Checkpoint::new("comity.ua/log/1", signed, [7; 32])
            .unwrap()
            .sign(&[&signer])
            .unwrap();
        let head = Head {
            size,
            root,
            note: note.to_string(),
            database_id: [0; 16],
            origin: "comity.ua/log/1".to_owned(),
        };
        (head, signer.verifier().to_string())
    }

    #[test]
    fn a_register_that_was_changed_is_not_opened_whatever_an_operator_says() {
        let (sound, key) = head(3, [7; 32], 3, 1);
        assert!(check(&sound, "ua", &key, Trust::OwnKey).is_ok());
        for changed in [head(3, [8; 32], 3, 1).0, head(4, [7; 32], 3, 1).0] {
            for trust in [Trust::OwnKey, Trust::Root(changed.root)] {
                let refused = check(&changed, "ua", &key, trust);
                assert!(matches!(refused, Err(AppError::Head(_))), "{refused:?}");
            }
        }
    }

    #[test]
    fn a_head_of_another_key_is_refused_unless_an_operator_names_its_root() {
        let (theirs, _) = head(3, [7; 32], 3, 1);
        let (own, key) = head(3, [7; 32], 3, 2);
        let refused = check(&theirs, "ua", &key, Trust::OwnKey).unwrap_err();
        assert!(
            refused
                .to_string()
                .contains(&format!("rekey --root {}", "07".repeat(32))),
            "{refused}"
        );
        assert!(check(&theirs, "ua", &key, Trust::Root([7; 32])).is_ok());
        assert!(check(&theirs, "ua", &key, Trust::Root([8; 32])).is_err());
        assert!(
            check(&own, "ua", &key, Trust::Root([7; 32])).is_err(),
            "nothing to take over"
        );
        let said = taken_over(&theirs, &key).to_string();
        assert!(
            said.contains("comity.ua/log/1+") && said.contains(&key),
            "{said}"
        );
    }

    #[test]
    fn a_register_of_another_party_is_refused_with_both_names() {
        let (sound, key) = head(3, [7; 32], 3, 1);
        let refused = check(&sound, "eu", &key, Trust::OwnKey).unwrap_err();
        let text = refused.to_string();
        assert!(
            text.contains("comity.ua/log/1") && text.contains("`eu`"),
            "{text}"
        );
    }
}
