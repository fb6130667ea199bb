//! The vault on a disk that fills up, and contents that come piece by piece.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use comity_evidence::sha256;
use comity_store::vault::{Began, Duplicated, VaultError};

use crate::vault::{Place, begin_again, exhibit, noise};

/// A file system of its own, small, for the time of a test; `None` where this may not be done.
struct Small {
    path: PathBuf,
}

impl Small {
    fn mount(place: &Place, size: &str) -> Option<Self> {
        let path = place.dir.path().join("vault");
        fs::create_dir(&path).unwrap();
        let options = format!("size={size}");
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(&path)
            .stderr(std::process::Stdio::null())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then_some(Self { path })
    }

    fn grow(&self, size: &str) {
        let options = format!("remount,size={size}");
        let status = std::process::Command::new("mount")
            .args(["-o", &options])
            .arg(&self.path)
            .status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _unmounted = std::process::Command::new("umount")
            .arg(&self.path)
            .status();
    }
}

#[test]
fn a_full_disk_is_told_before_or_on_the_way_and_nothing_is_lost() {
    let place = Place::new();
    let Some(small) = Small::mount(&place, "24m") else {
        eprintln!("skipped: a file system cannot be mounted here (not root)");
        return;
    };
    for number in 0..10 {
        place.put(format!("{number}"), &noise((3 << 20) + number));
    }
    let error = place.seal().unwrap_err();
    assert!(matches!(error, VaultError::Space { .. }), "{error}");
    small.grow("40m");
    // somebody else fills the disk while we write
    let filler = small.path.join("filler");
    let once = AtomicBool::new(false);
    let faults = move |point: &str| {
        if point == "vault.write" && !once.swap(true, Ordering::SeqCst) {
            // other workers write meanwhile, so it may be the filler that fills the disk; then the next write is told
            let _full = fs::write(&filler, vec![1; 20 << 20]);
        }
        Ok(())
    };
    let vault = place.vault().with_faults(Arc::new(faults));
    let error = place.seal_with(&vault, Began::New, false).unwrap_err();
    assert!(matches!(error, VaultError::Full { .. }), "{error}");
    place.sound();
    fs::remove_file(small.path.join("filler")).unwrap();
    let sealed = place
        .seal_with(&place.vault(), begin_again(&place), false)
        .unwrap();
    assert!(sealed.resumed > 0 || sealed.items == 10, "{sealed:?}");
    place.sound();
    assert_eq!(place.objects(), 11);
    drop(small);
}

#[test]
fn what_comes_in_pieces_goes_on_after_a_break() {
    let place = Place::new();
    let vault = place.vault();
    let contents = [noise((5 << 20) + 77), vec![0; 3 << 20], noise(9)].concat();
    let hash = sha256(&contents);
    let size = contents.len() as u64;
    let transfer = [5; 32];
    let receiving = vault.receive(&transfer, &exhibit(1)).unwrap();
    assert!(!receiving.has(&hash, size));
    let mut incoming = receiving.item(1, size).unwrap();
    for piece in contents[..(3 << 20) + 5].chunks(60_001) {
        incoming.write(piece).unwrap();
    }
    assert_eq!(incoming.offset(), (3 << 20) + 5);
    drop((incoming, receiving));
    // another program goes on: whole pieces are there
    let receiving = vault.receive(&transfer, &exhibit(1)).unwrap();
    let mut incoming = receiving.item(1, size).unwrap();
    assert_eq!(incoming.offset(), 3 << 20);
    incoming.write(&contents[3 << 20..]).unwrap();
    assert!(incoming.is_full());
    assert!(incoming.write(b"x").is_err(), "more than announced");
    receiving
        .keep(vec![incoming.finish(&hash).unwrap()])
        .unwrap();
    assert!(receiving.has(&hash, size));
    receiving.finish().unwrap();
    assert_eq!(place.read(&hash), contents);
    // what is something else is thrown away, and can come again
    let receiving = vault.receive(&transfer, &exhibit(1)).unwrap();
    let mut incoming = receiving.item(2, 3).unwrap();
    incoming.write(b"bad").unwrap();
    assert!(matches!(
        incoming.finish(&sha256(b"god")),
        Err(VaultError::Damaged { .. })
    ));
    assert_eq!(receiving.item(2, 3).unwrap().offset(), 0);
    receiving.finish().unwrap();
    place.sound();
}

/// On one file system by a second name, across two by a copy that is hashed on the way; a cut leaves nothing false.
#[test]
fn objects_go_into_another_vault() {
    let (place, other) = (Place::new(), Place::new());
    place.put("a", &noise((2 << 20) + 9));
    place.seal().unwrap();
    let mut hashes = Vec::new();
    let (from, to) = (place.vault(), other.vault());
    from.each_object(&mut |hash, _| hashes.push(hash), &mut |_| panic!())
        .unwrap();
    for hash in &hashes {
        assert_eq!(to.take_from(&from, hash).unwrap(), Duplicated::Linked);
        assert_eq!(to.take_from(&from, hash).unwrap(), Duplicated::There);
    }
    other.sound();
    assert!(matches!(
        to.take_from(&from, &[1; 32]),
        Err(VaultError::Missing(_))
    ));
    let third = Place::new();
    let Some(small) = Small::mount(&third, "8m") else {
        eprintln!("skipped: a file system cannot be mounted here (not root)");
        return;
    };
    let full = |point: &str| match point {
        "vault.write" => Err(std::io::ErrorKind::StorageFull.into()),
        _ => Ok(()),
    };
    let failing = third.vault().with_faults(Arc::new(full));
    for hash in &hashes {
        let error = failing.take_from(&from, hash).unwrap_err();
        assert!(matches!(error, VaultError::Full { .. }), "{error}");
        assert_eq!(third.objects(), 0);
        let copied = third.vault().take_from(&from, hash).unwrap();
        assert_eq!(copied, Duplicated::Copied);
        third.vault().remove_object(hash).unwrap();
    }
    for hash in &hashes {
        third.vault().take_from(&from, hash).unwrap();
    }
    third.sound();
    drop(small);
}
