//! What reading leaves: digests, small files, and the lists added up. The same whatever the order of the files.

use std::collections::{BTreeMap, BTreeSet};

use comity_evidence::package::{Name, NameFault};
use comity_evidence::{ExhibitId, FileLine, Hash, Hex, Malformed, Manifest, parse_hex};
use sha2::{Digest as _, Sha256};

use super::lines::Lines;
use super::shown;
use crate::report::{Report, Step};

/// Most small files kept in memory together: they are parsed once everything is there.
const KEPT_BYTES_MAX: u64 = 32 << 20;
/// Most exhibits of a package.
const EXHIBITS_MAX: usize = 100_000;

/// Everything later steps need.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    /// Digest and size of each file that is no payload.
    pub(crate) tags: BTreeMap<Name, (Hash, u64)>,
    /// Contents of those that are looked into.
    pub(crate) kept: BTreeMap<Name, Vec<u8>>,
    slots: Vec<Slot>,
    kept_bytes: u64,
    /// Exhibits as `seal/files.jsonl` has them, in its order.
    pub(crate) listed: Vec<Listed>,
    /// Payload octets hashed.
    pub(crate) payload_bytes: u64,
    pub(crate) payload_files: u64,
    /// Folders no package has, each named once.
    folders: BTreeSet<Vec<u8>>,
}

/// An exhibit's items, added up.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) exhibit: ExhibitId,
    pub(crate) items: Manifest,
}

/// What is known of one payload file. Whoever speaks first is kept, the others are compared.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    sha256: Hash,
    size: u64,
    sources: u8,
}

const CONTENTS: u8 = 1;
const MANIFEST: u8 = 2;
const FILES: u8 = 4;

/// Most octets read of a file that is no payload. Beyond that it is refused unread.
fn limit(name: Name) -> u64 {
    match name {
        Name::Entry => 76,
        Name::BagIt | Name::BagInfo => 4 << 10,
        Name::Timestamp => 64 << 10,
        Name::TsaChain => 256 << 10,
        Name::Script | Name::Readme | Name::Policy | Name::Keys => 1 << 20,
        Name::Proof | Name::Receipt(_) | Name::ReceiptProof(_) => 2 << 20,
        Name::Seal | Name::TagManifest => 4 << 20,
        Name::Exhibits => 8 << 20,
        Name::Custody => 16 << 20,
        Name::Manifest => 128 << 20,
        // one line or node per item, read as it comes
        Name::Files | Name::Case => 16 << 30,
        Name::Payload(_) => u64::MAX,
    }
}

fn is_kept(name: Name) -> bool {
    !matches!(
        name,
        Name::Case | Name::Script | Name::Readme | Name::Manifest | Name::Files | Name::Payload(_)
    )
}

/// A file of the package that is being read piece by piece.
pub(super) struct Tag {
    name: Name,
    hasher: Sha256,
    size: u64,
    kept: Option<Vec<u8>>,
    lines: Lines,
}

impl Collected {
    /// Whether a name may be read: there is such a file in a package, and it was not there before.
    pub(super) fn admit(&mut self, path: &[u8], report: &mut Report) -> Option<Name> {
        let name = match Name::parse(path) {
            Ok(name) => name,
            Err(_) if self.in_unknown_folder(path, report) => return None,
            Err(fault) => {
                let code = match fault {
                    NameFault::Escapes => "name.escapes",
                    NameFault::Control => "name.control",
                    NameFault::Ascii => "name.ascii",
                    NameFault::CaseTwin => "name.case-twin",
                    NameFault::Unknown => "name.unknown",
                };
                report.wrong(Step::Layout, code, shown(path), None, "");
                return None;
            }
        };
        Some(name)
    }

    /// Names the outermost folder on the way to a file that no package has, once: a directory is not read any further there,
    /// and a tar should not be told apart from it.
    fn in_unknown_folder(&mut self, path: &[u8], report: &mut Report) -> bool {
        let ends = path
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'/')
            .map(|(place, _)| place);
        let mut start = 0;
        for end in ends {
            let part = path.get(start..end).unwrap_or_default();
            if matches!(part, b"" | b"." | b"..") {
                return false;
            }
            let folder = path.get(..end).unwrap_or_default();
            if !str::from_utf8(folder).is_ok_and(Name::is_directory) {
                self.unknown_folder(folder, report);
                return true;
            }
            start = end + 1;
        }
        false
    }

    /// Names a folder that no package has.
    pub(super) fn unknown_folder(&mut self, folder: &[u8], report: &mut Report) {
        const FOLDERS_MAX: usize = 1_000;
        if self.folders.len() < FOLDERS_MAX && self.folders.insert(folder.to_vec()) {
            report.wrong(Step::Layout, "folder.unknown", shown(folder), None, "");
        }
    }

    /// Begins a file that is no payload.
    pub(super) fn begin(&mut self, name: Name, size: u64, report: &mut Report) -> Option<Tag> {
        if self.tags.contains_key(&name) {
            report.wrong(Step::Layout, "file.twice", name, None, "");
            return None;
        }
        let keep = is_kept(name);
        if size > limit(name) || keep && self.kept_bytes + size > KEPT_BYTES_MAX {
            let detail = format!("{size} octets");
            report.wrong(Step::Layout, "file.large", name, None, detail);
            return None;
        }
        Some(Tag {
            name,
            hasher: Sha256::new(),
            size: 0,
            kept: keep.then(Vec::new),
            lines: Lines::default(),
        })
    }

    /// The next piece of it.
    pub(super) fn piece(&mut self, tag: &mut Tag, piece: &[u8], report: &mut Report) {
        tag.hasher.update(piece);
        tag.size += piece.len() as u64;
        if let Some(kept) = &mut tag.kept {
            kept.extend_from_slice(piece);
            self.kept_bytes += piece.len() as u64;
        }
        match tag.name {
            Name::Manifest => tag
                .lines
                .push(piece, |at, line| self.manifest_line(at, line, report)),
            Name::Files => tag
                .lines
                .push(piece, |at, line| self.files_line(at, line, report)),
            _ => {}
        }
    }

    /// Ends it.
    pub(super) fn end(&mut self, tag: Tag, report: &mut Report) {
        if let Some(at) = tag.lines.rest() {
            report.wrong(Step::Layout, "line.end", tag.name, Some(at), "");
        }
        let digest: Hash = tag.hasher.finalize().into();
        self.tags.insert(tag.name, (digest, tag.size));
        if let Some(kept) = tag.kept {
            self.kept.insert(tag.name, kept);
        }
    }

    /// What hashing a payload file gave.
    pub(super) fn payload(&mut self, number: u32, size: u64, sha256: Hash, report: &mut Report) {
        let name = Name::Payload(number);
        let merged = self.merge(number, CONTENTS, &sha256, Some(size));
        if !matches!(merged, Merge::Twice) {
            self.payload_files += 1;
            self.payload_bytes = self.payload_bytes.saturating_add(size);
        }
        match merged {
            Merge::Same => {}
            Merge::Twice => report.wrong(Step::Layout, "file.twice", name, None, ""),
            Merge::OtherHash => {
                let detail = format!("its SHA-256 is {}", Hex(&sha256));
                report.wrong(Step::Payload, "payload.hash", name, None, detail);
            }
            Merge::OtherSize => {
                let detail = format!("it has {size} octets");
                report.wrong(Step::Payload, "payload.size", name, None, detail);
            }
        }
    }

    /// `<64 hexadecimal digits>  data/000001.bin`, in the order of the numbers.
    fn manifest_line(&mut self, at: u64, line: Option<&[u8]>, report: &mut Report) {
        let mut wrong =
            |code, detail: &str| report.wrong(Step::Layout, code, Name::Manifest, Some(at), detail);
        let Some((hash, name)) = line.and_then(listed) else {
            return wrong("manifest.line", "");
        };
        let Ok(Name::Payload(number)) = Name::parse(name) else {
            return wrong("manifest.line", &shown(name));
        };
        match self.merge(number, MANIFEST, &hash, None) {
            Merge::Same => {}
            Merge::Twice => wrong("manifest.twice", &shown(name)),
            Merge::OtherHash | Merge::OtherSize => report.wrong(
                Step::Payload,
                "payload.hash",
                Name::Payload(number),
                None,
                format!("{} has it as {}", Name::Manifest, Hex(&hash)),
            ),
        }
    }

    fn files_line(&mut self, at: u64, line: Option<&[u8]>, report: &mut Report) {
        let mut wrong = |code, offset, detail: String| {
            report.wrong(Step::Seal, code, Name::Files, Some(offset), detail);
        };
        let parsed = line
            .ok_or(Malformed::LineEnd)
            .and_then(FileLine::parse_line);
        let file = match parsed {
            Ok(file) => file,
            Err(error) => return wrong("files.line", at + inner(&error), error.to_string()),
        };
        let name = Name::parse(file.path.as_bytes());
        let Ok(Name::Payload(number)) = name else {
            return wrong("files.path", at, shown(file.path.as_bytes()));
        };
        let item = &file.item;
        match self.merge(number, FILES, &item.sha256, Some(item.size)) {
            Merge::Same => {}
            Merge::Twice => wrong("files.twice", at, file.path.clone()),
            Merge::OtherHash | Merge::OtherSize => {
                wrong("files.other", at, file.path.clone());
            }
        }
        let same = |listed: &Listed| listed.exhibit == file.exhibit;
        if !self.listed.last().is_some_and(same) {
            if self.listed.len() >= EXHIBITS_MAX {
                return wrong("files.line", at, "too many exhibits".to_owned());
            }
            self.listed.push(Listed {
                exhibit: file.exhibit.clone(),
                items: Manifest::default(),
            });
        }
        if let Some(listed) = self.listed.last_mut()
            && let Err(error) = listed.items.add(item)
        {
            wrong("files.line", at, error.to_string());
        }
    }

    fn merge(&mut self, number: u32, source: u8, sha256: &Hash, size: Option<u64>) -> Merge {
        let place = number as usize;
        if self.slots.len() < place {
            // INVARIANT: `Name` bounds the number, and so this
            self.slots.resize(place, Slot::default());
        }
        let Some(slot) = self.slots.get_mut(place.saturating_sub(1)) else {
            return Merge::Twice;
        };
        let before = slot.sources;
        slot.sources |= source;
        if before & source != 0 {
            return Merge::Twice;
        }
        let size_known = before & (CONTENTS | FILES) != 0;
        let other_size = size.is_some_and(|size| size_known && slot.size != size);
        if let Some(size) = size
            && !size_known
        {
            slot.size = size;
        }
        if before == 0 {
            slot.sha256 = *sha256;
            Merge::Same
        } else if slot.sha256 != *sha256 {
            Merge::OtherHash
        } else if other_size {
            Merge::OtherSize
        } else {
            Merge::Same
        }
    }

    /// Closed world of the payload: each file is there, in the manifest and in the list of items.
    pub(crate) fn check_complete(&self, report: &mut Report) {
        for (number, slot) in (1..).zip(&self.slots) {
            let name = Name::Payload(number);
            let lacks = |source: u8| slot.sources & source == 0;
            if lacks(CONTENTS) {
                report.wrong(Step::Layout, "file.missing", name, None, "");
            } else if lacks(MANIFEST) {
                report.wrong(Step::Layout, "file.unlisted", name, None, Name::Manifest);
            } else if lacks(FILES) {
                report.wrong(Step::Seal, "file.unlisted", name, None, Name::Files);
            }
        }
    }
}

enum Merge {
    Same,
    Twice,
    OtherHash,
    OtherSize,
}

/// A manifest's line: digest and name, as `sha256sum` prints them.
pub(crate) fn listed(line: &[u8]) -> Option<(Hash, &[u8])> {
    let line = line.strip_suffix(b"\n")?;
    let (digest, rest) = line.split_at_checked(64)?;
    let hash = parse_hex(str::from_utf8(digest).ok()?)?;
    Some((hash, rest.strip_prefix(b"  ")?))
}

/// Where in the line.
pub(crate) fn inner(error: &Malformed) -> u64 {
    match error {
        Malformed::Json { offset, .. } => *offset as u64,
        _ => 0,
    }
}
