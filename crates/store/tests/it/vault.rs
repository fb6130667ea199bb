//! The vault: what goes in comes out, what is hostile stays out, what is cut off goes on.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use comity_evidence::{ExhibitId, Hash, Item, sha256};
use comity_store::vault::{Began, Sealed, Sealing, Vault, VaultError};
use tempfile::TempDir;

pub(crate) struct Place {
    pub(crate) dir: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("in")).unwrap();
        Self { dir }
    }

    fn input(&self) -> PathBuf {
        self.dir.path().join("in")
    }

    pub(crate) fn put(&self, name: impl AsRef<OsStr>, bytes: &[u8]) -> PathBuf {
        let path = self.input().join(Path::new(name.as_ref()));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn vault(&self) -> Vault {
        Vault::new(self.dir.path())
    }

    pub(crate) fn seal(&self) -> Result<Sealed, VaultError> {
        self.seal_with(&self.vault(), Began::New, false)
    }

    /// Seals the input folder and clears the session away, as after the register has it.
    pub(crate) fn seal_with(
        &self,
        vault: &Vault,
        how: Began,
        leave_out: bool,
    ) -> Result<Sealed, VaultError> {
        let mut session = vault.begin(&[self.input()], &exhibit(1), how)?;
        let sealed = vault.seal(&mut session, leave_out, &Sealing::default())?;
        session.finish()?;
        Ok(sealed)
    }

    fn items(&self, sealed: &Sealed) -> Vec<Item> {
        let text = self.read(&sealed.items_sha256);
        text.split_inclusive(|byte| *byte == b'\n')
            .map(|line| Item::parse_line(line).unwrap())
            .collect()
    }

    pub(crate) fn read(&self, hash: &Hash) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut object = self.vault().open_object(hash).unwrap();
        object.read_to_end(&mut bytes).unwrap();
        bytes
    }

    pub(crate) fn objects(&self) -> usize {
        let mut objects = 0;
        let mut strays = Vec::new();
        self.vault()
            .each_object(&mut |_, _| objects += 1, &mut |stray| strays.push(stray))
            .unwrap();
        assert_eq!(strays, []);
        objects
    }

    /// Every object is what its name says.
    pub(crate) fn sound(&self) {
        let mut hashes = Vec::new();
        self.vault()
            .each_object(&mut |hash, _| hashes.push(hash), &mut |stray| {
                panic!("{stray:?}")
            })
            .unwrap();
        for hash in hashes {
            self.vault().check_object(&hash, &mut |_| {}).unwrap();
        }
    }
}

pub(crate) fn exhibit(number: u32) -> ExhibitId {
    ExhibitId::from_uuid(&format!("5afe0000-2021-4603-8c0d-{number:012}")).unwrap()
}

/// Octets that differ everywhere.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        bytes.extend_from_slice(&state.to_be_bytes());
    }
    bytes.truncate(len);
    bytes
}

#[test]
fn what_goes_in_comes_out() {
    let place = Place::new();
    // around every size at which the way of writing changes
    for size in [
        0,
        1,
        4095,
        4096,
        4097,
        (256 << 10) - 1,
        256 << 10,
        (256 << 10) + 1,
        (1 << 20) + 17,
        8 << 20,
        (9 << 20) + 4095,
    ] {
        place.put(format!("of {size}"), &noise(size));
    }
    place.put("b/c/deep", b"deep");
    place.put("b/a", b"a");
    let sealed = place.seal().unwrap();
    let items = place.items(&sealed);
    assert_eq!(items.len() as u64, sealed.items);
    assert_eq!(items.iter().map(|item| item.size).sum::<u64>(), sealed.size);
    assert_eq!(items[0].name.as_str(), "in/b/a");
    assert_eq!(items[1].name.as_str(), "in/b/c/deep");
    for item in &items {
        let source = fs::read(place.dir.path().join(item.name.as_str())).unwrap();
        assert_eq!(
            (source.len() as u64, sha256(&source)),
            (item.size, item.sha256),
            "{}",
            item.name
        );
        assert_eq!(place.read(&item.sha256), source);
        assert!(item.modified.is_some());
    }
    assert_eq!(
        sha256(&place.read(&sealed.items_sha256)),
        sealed.items_sha256
    );
    place.sound();
    // nothing is left behind, and nobody else may read
    assert_eq!(
        fs::read_dir(place.vault().dir().join("staging"))
            .unwrap()
            .count(),
        0
    );
    assert_eq!(
        fs::metadata(place.vault().dir())
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o700
    );
    let name = comity_evidence::Hex(&items[0].sha256).to_string();
    let object = place
        .vault()
        .dir()
        .join("objects")
        .join(&name[..2])
        .join(&name);
    assert_eq!(
        fs::metadata(object).unwrap().permissions().mode() & 0o777,
        0o400
    );
}

#[test]
fn the_same_contents_are_kept_once_and_give_the_same_list() {
    let place = Place::new();
    place.put("a", b"same");
    place.put("b", b"same");
    let first = place.seal().unwrap();
    let objects = place.objects();
    assert_eq!(objects, 2, "one content and one list");
    assert_eq!(place.seal().unwrap(), first);
    assert_eq!(place.objects(), objects);
}

#[test]
fn an_object_that_rotted_is_whole_again_when_the_same_contents_come() {
    let place = Place::new();
    place.put("a", b"contents");
    let sealed = place.seal().unwrap();
    let hash = place.items(&sealed)[0].sha256;
    let name = comity_evidence::Hex(&hash).to_string();
    let path = place
        .vault()
        .dir()
        .join("objects")
        .join(&name[..2])
        .join(&name);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, b"c0ntents").unwrap();
    let error = place.vault().check_object(&hash, &mut |_| {}).unwrap_err();
    assert!(matches!(error, VaultError::Damaged { .. }), "{error}");
    place.seal().unwrap();
    place.sound();
}

#[test]
fn holes_are_hashed_as_zeros_and_stay_holes() {
    let place = Place::new();
    let size = 300_u64 << 20;
    let path = place.put("sparse", b"");
    let file = File::options().write(true).open(&path).unwrap();
    file.set_len(size).unwrap();
    file.write_at(b"in the middle", (100 << 20) + 5).unwrap();
    drop(file);
    let path = place.put("only a hole", b"");
    File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(5_000_001)
        .unwrap();
    let sealed = place.seal().unwrap();
    let mut expected = vec![0; size as usize];
    expected[(100 << 20) + 5..][..13].copy_from_slice(b"in the middle");
    let items = place.items(&sealed);
    let sparse = items
        .iter()
        .find(|item| item.name.as_str() == "in/sparse")
        .unwrap();
    assert_eq!((sparse.size, sparse.sha256), (size, sha256(&expected)));
    let hole = items
        .iter()
        .find(|item| item.name.as_str() == "in/only a hole")
        .unwrap();
    assert_eq!(hole.sha256, sha256(&vec![0; 5_000_001]));
    place.sound();
    for item in items {
        let name = comity_evidence::Hex(&item.sha256).to_string();
        let path = place
            .vault()
            .dir()
            .join("objects")
            .join(&name[..2])
            .join(&name);
        assert!(
            fs::metadata(path).unwrap().blocks() * 512 < 1 << 20,
            "{}",
            item.name
        );
    }
}

#[test]
fn hostile_names_are_metadata_only() {
    let place = Place::new();
    let names: [&[u8]; 9] = [
        b"..%2f..%2fescape",
        b"c%0Ad.txt",
        b"line\nfeed",
        "é.txt".as_bytes(),
        "e\u{301}.txt".as_bytes(),
        "\u{202e}gpj.exe".as_bytes(),
        b"\xff\xfe",
        b"-rf *",
        b"...",
    ];
    for name in names {
        place.put(OsStr::from_bytes(name), name);
    }
    let sealed = place.seal().unwrap();
    let mut found: Vec<_> = place
        .items(&sealed)
        .iter()
        .map(|item| item.name.decode())
        .collect();
    let mut expected: Vec<_> = names.iter().map(|name| [b"in/", *name].concat()).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    assert!(place.read(&sealed.items_sha256).is_ascii());
}

#[test]
fn links_and_special_files_are_refused_or_left_out_by_name() {
    let place = Place::new();
    place.put("a", b"a");
    let outside = place.dir.path().join("secret");
    fs::write(&outside, b"secret").unwrap();
    for target in [
        Path::new("/etc"),
        &outside,
        Path::new("a"),
        Path::new("nowhere"),
    ] {
        let link = place.input().join("link");
        symlink(target, &link).unwrap();
        let error = place
            .seal_with(&place.vault(), Began::Restart, false)
            .unwrap_err();
        assert!(
            matches!(
                error,
                VaultError::Special {
                    what: "a symbolic link",
                    ..
                }
            ),
            "{error}"
        );
        assert!(error.to_string().contains("in/link"));
        fs::remove_file(link).unwrap();
    }
    symlink("/etc", place.input().join("link")).unwrap();
    std::os::unix::net::UnixListener::bind(place.input().join("socket")).unwrap();
    let survey = place.vault().survey(&[place.input()]).unwrap();
    assert_eq!(
        (survey.files, survey.bytes, survey.left_out.count),
        (1, 1, 2)
    );
    let sealed = place
        .seal_with(&place.vault(), Began::Restart, true)
        .unwrap();
    assert_eq!(sealed.items, 1);
    assert_eq!(
        sealed.left_out.first,
        [
            ("in/link".to_owned(), "a symbolic link"),
            ("in/socket".to_owned(), "a socket")
        ]
    );
    // what was named itself is not followed either
    let vault = place.vault();
    let mut session = vault
        .begin(&[place.input().join("link")], &exhibit(2), Began::New)
        .unwrap();
    let error = vault
        .seal(&mut session, false, &Sealing::default())
        .unwrap_err();
    assert!(
        matches!(error, VaultError::Nothing | VaultError::Special { .. }),
        "{error}"
    );
}

#[test]
fn nothing_and_two_of_a_name_are_refused() {
    let place = Place::new();
    assert!(matches!(place.seal().unwrap_err(), VaultError::Nothing));
    let other = place.dir.path().join("other/in");
    fs::create_dir_all(&other).unwrap();
    let vault = place.vault();
    let mut session = vault
        .begin(&[place.input(), other], &exhibit(1), Began::New)
        .unwrap();
    let error = vault
        .seal(&mut session, false, &Sealing::default())
        .unwrap_err();
    assert!(matches!(error, VaultError::SameName(_)), "{error}");
}

#[test]
fn a_file_that_changes_while_it_is_sealed_is_refused_by_name() {
    let place = Place::new();
    let path = place.put("growing", &noise(3 << 20));
    let writes = Arc::new(AtomicUsize::new(0));
    let faults = move |point: &str| {
        if point == "vault.write" && writes.fetch_add(1, Ordering::SeqCst) == 1 {
            File::options()
                .append(true)
                .open(&path)
                .unwrap()
                .write_all(b"more")
                .unwrap();
        }
        Ok(())
    };
    let vault = place.vault().with_faults(Arc::new(faults));
    let error = place.seal_with(&vault, Began::New, false).unwrap_err();
    assert!(matches!(error, VaultError::Changed { .. }), "{error}");
    assert!(error.to_string().contains("growing"), "{error}");
}

/// Every named point fails once, at its first, second and later passing; the seal goes on afterwards, and all is sound.
#[test]
fn a_failure_anywhere_is_named_and_the_seal_goes_on() {
    for point in [
        "vault.create",
        "vault.write",
        "vault.sync",
        "vault.rename",
        "vault.folder",
        "vault.journal",
        "vault.list",
    ] {
        for at in [0, 5] {
            for kind in [[io::ErrorKind::Other, io::ErrorKind::StorageFull][usize::from(at > 0)]] {
                let place = Place::new();
                for number in 0..20 {
                    place.put(format!("{number}"), &noise(number * 1_000));
                }
                place.put("large", &noise(9 << 20));
                let seen = Arc::new(AtomicUsize::new(0));
                let faults = move |here: &str| {
                    if here == point && seen.fetch_add(1, Ordering::SeqCst) == at {
                        return Err(io::Error::from(kind));
                    }
                    Ok(())
                };
                let vault = place.vault().with_faults(Arc::new(faults));
                let how = match place.seal_with(&vault, Began::New, false) {
                    Ok(_) => continue, // passed less often than that
                    Err(VaultError::Full { .. }) => {
                        assert_eq!(kind, io::ErrorKind::StorageFull);
                        begin_again(&place)
                    }
                    Err(VaultError::Io { path, .. }) => {
                        assert!(
                            path.contains("staging") || path.contains("objects"),
                            "{path}"
                        );
                        begin_again(&place)
                    }
                    Err(error) => panic!("{point} {at}: {error}"),
                };
                place.sound();
                let sealed = place.seal_with(&place.vault(), how, false).unwrap();
                assert_eq!(sealed.items, 21, "{point} {at}");
                place.sound();
                assert_eq!(place.objects(), 22, "{point} {at}");
                let fresh = Place::new();
                let same = fs::rename(place.input(), fresh.input());
                assert!(same.is_ok());
                assert_eq!(fresh.seal().unwrap().items_sha256, sealed.items_sha256);
            }
        }
    }
}

/// `--resume` where something is staged, else from the beginning.
pub(crate) fn begin_again(place: &Place) -> Began {
    match place
        .vault()
        .begin(&[place.input()], &exhibit(2), Began::New)
    {
        Err(VaultError::Interrupted { .. }) => Began::Resume,
        Ok(_) => Began::New,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_resumed_seal_reads_again_only_what_is_not_done_or_has_changed() {
    let place = Place::new();
    for number in 0..40 {
        place.put(format!("{number:02}"), &noise(100 + number));
    }
    let vault = place.vault();
    let mut session = vault
        .begin(&[place.input()], &exhibit(1), Began::New)
        .unwrap();
    vault
        .seal(&mut session, false, &Sealing::default())
        .unwrap();
    // killed before the register had it
    drop(session);
    let again = vault.begin(&[place.input()], &exhibit(2), Began::New);
    assert!(matches!(again, Err(VaultError::Interrupted { items: 40 })));
    drop(again);
    place.put("07", b"changed");
    place.put("zz", b"new");
    let name = comity_evidence::Hex(&sha256(&noise(103))).to_string();
    fs::remove_file(vault.dir().join("objects").join(&name[..2]).join(&name)).unwrap();
    let mut session = vault
        .begin(&[place.input()], &exhibit(2), Began::Resume)
        .unwrap();
    assert_eq!(
        session.exhibit(),
        &exhibit(1),
        "the identifier of the first try"
    );
    let sealed = vault
        .seal(&mut session, false, &Sealing::default())
        .unwrap();
    session.finish().unwrap();
    assert_eq!((sealed.items, sealed.resumed), (41, 38));
    place.sound();
    let error = vault
        .begin(&[place.input()], &exhibit(3), Began::Resume)
        .err()
        .unwrap();
    assert!(matches!(error, VaultError::NoSession));
}

#[test]
fn a_journal_cut_off_in_the_middle_of_a_line_is_read_up_to_it() {
    let place = Place::new();
    place.put("a", b"a");
    place.put("b", b"b");
    let vault = place.vault();
    let mut session = vault
        .begin(&[place.input()], &exhibit(1), Began::New)
        .unwrap();
    vault
        .seal(&mut session, false, &Sealing::default())
        .unwrap();
    drop(session);
    let folder = fs::read_dir(vault.dir().join("staging"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let journal = folder.join("journal.jsonl");
    // the last line is the list's; the one before it loses its end
    let text = fs::read_to_string(&journal).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let kept = text.len() - lines.last().unwrap().len() - 3;
    fs::write(&journal, &text[..kept]).unwrap();
    let mut session = vault
        .begin(&[place.input()], &exhibit(1), Began::Resume)
        .unwrap();
    let sealed = vault
        .seal(&mut session, false, &Sealing::default())
        .unwrap();
    assert_eq!((sealed.items, sealed.resumed), (2, 1));
}

#[test]
fn seals_and_removals_keep_out_of_each_others_way() {
    let place = Place::new();
    place.put("a", b"a");
    let vault = place.vault();
    let session = vault
        .begin(&[place.input()], &exhibit(1), Began::New)
        .unwrap();
    assert!(matches!(vault.lock_for_removal(), Err(VaultError::Busy(_))));
    assert!(matches!(
        vault.begin(&[place.input()], &exhibit(1), Began::Resume),
        Err(VaultError::Busy(_))
    ));
    // another one goes on beside it
    let other = place.put("b", b"b");
    drop(vault.begin(&[other], &exhibit(2), Began::New).unwrap());
    drop(session);
    let removal = vault.lock_for_removal().unwrap();
    assert!(matches!(vault.lock_for_sealing(), Err(VaultError::Busy(_))));
    drop(removal);
    drop(vault.lock_for_sealing().unwrap());
}

#[test]
fn strays_are_found_and_links_in_the_vault_are_not_opened() {
    let place = Place::new();
    place.put("a", b"a");
    let sealed = place.seal().unwrap();
    let hash = place.items(&sealed)[0].sha256;
    let name = comity_evidence::Hex(&hash).to_string();
    let folder = place.vault().dir().join("objects").join(&name[..2]);
    let secret = place.dir.path().join("secret");
    fs::write(&secret, b"a").unwrap();
    fs::remove_file(folder.join(&name)).unwrap();
    symlink(&secret, folder.join(&name)).unwrap();
    assert!(matches!(
        place.vault().open_object(&hash),
        Err(VaultError::Missing(_))
    ));
    fs::write(folder.join("notes"), b"").unwrap();
    fs::write(place.vault().dir().join("objects/x"), b"").unwrap();
    let mut strays = Vec::new();
    place
        .vault()
        .each_object(&mut |_, _| {}, &mut |stray| strays.push(stray.path))
        .unwrap();
    strays.sort();
    assert_eq!(strays.len(), 3, "{strays:?}");
    place
        .vault()
        .remove_object(&sha256(b"never there"))
        .unwrap();
}
