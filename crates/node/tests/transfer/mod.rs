//! Contents of a hand-over from a giver that may do anything, over a line that may break, onto a disk that may be full. No
//! sleeping, no network but loopback; a giver that keeps silent is waited for as long as the test says.

mod giver;

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use comity_evidence::{Exhibit, ExhibitId, ExhibitNumber, Hash, Item, ItemName, sha256};
use comity_node::control::{ControlError, ErrorKind};
use comity_node::evidence::fetch::{From, Patience, What, fetch};
use comity_node::peers::client::{Access, Client};
use comity_node::peers::settings::SignIn;
use comity_store::vault::Vault;

use giver::{Conduct, Giver};

/// Our secret for what is encrypted to us.
const IDENTITY: [u8; 32] = [7; 32];

/// What is handed over, and where it goes.
struct World {
    dir: tempfile::TempDir,
    exhibit: Exhibit,
    list: Vec<u8>,
    contents: BTreeMap<u64, Vec<u8>>,
    runtime: tokio::runtime::Runtime,
    progress: Mutex<Vec<(u64, u64)>>,
}

fn noise(len: usize, seed: u64) -> Vec<u8> {
    (0..len as u64)
        .map(|at| ((at + seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 31) as u8)
        .collect()
}

impl World {
    fn new(contents: Vec<Vec<u8>>) -> Self {
        let mut list = String::new();
        let mut numbered = BTreeMap::new();
        for (number, bytes) in (1..).zip(contents) {
            let item = Item {
                number,
                name: ItemName::parse(&format!("in/{number}")).unwrap(),
                size: bytes.len() as u64,
                sha256: sha256(&bytes),
                media_type: None,
                modified: None,
            };
            list.push_str(&item.to_line());
            numbered.insert(number, bytes);
        }
        let exhibit = Exhibit {
            id: ExhibitId::from_uuid("00000000-0000-4000-8000-000000000001").unwrap(),
            number: ExhibitNumber::parse("UA-2026-0001").unwrap(),
            title: "Disk".to_owned(),
            items: numbered.len() as u64,
            size: numbered.values().map(|bytes| bytes.len() as u64).sum(),
            items_sha256: sha256(list.as_bytes()),
        };
        numbered.insert(0, list.clone().into_bytes());
        Self {
            dir: tempfile::tempdir().unwrap(),
            exhibit,
            list: list.into_bytes(),
            contents: numbered,
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap(),
            progress: Mutex::default(),
        }
    }

    /// Something of every kind: large, small, empty, twice the same.
    fn mixed() -> Self {
        Self::new(vec![
            noise((9 << 20) + 77, 1),
            Vec::new(),
            noise(5, 2),
            vec![0; 3 << 20],
            noise(64 << 10, 3),
            noise(5, 2),
        ])
    }

    fn vault(&self) -> Vault {
        Vault::new(self.dir.path())
    }

    fn fetch(&self, giver: &Giver, patience: Patience) -> Result<(), ControlError> {
        self.fetch_into(&self.vault(), giver, patience, self.list.len() as u64)
    }

    fn fetch_into(
        &self,
        vault: &Vault,
        giver: &Giver,
        patience: Patience,
        list_size: u64,
    ) -> Result<(), ControlError> {
        let client = Client::new(&Access {
            fingerprint: None,
            sign_in: &SignIn::Nothing,
            secret: "",
            certificate: None,
        })
        .unwrap();
        let what = What {
            exhibit: &self.exhibit,
            transferred: &[5; 32],
            list_size,
        };
        let from = From {
            client: &client,
            url: &giver.url,
            identity: &IDENTITY,
            runtime: self.runtime.handle(),
            patience,
        };
        let mut progress = |done, total| self.progress.lock().unwrap().push((done, total));
        fetch(vault, &what, &from, &mut progress).map(drop)
    }

    /// Every object in the vault is what its name says; gives how many there are.
    fn objects(&self) -> usize {
        let mut objects = Vec::new();
        self.vault()
            .each_object(&mut |hash, _| objects.push(hash), &mut |stray| {
                panic!("{stray:?}")
            })
            .unwrap();
        for hash in &objects {
            assert_eq!(sha256(&self.object(hash)), *hash);
        }
        objects.len()
    }

    fn object(&self, hash: &Hash) -> Vec<u8> {
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut self.vault().open_object(hash).unwrap(), &mut bytes).unwrap();
        bytes
    }

    fn all_is_there(&self) {
        for bytes in self.contents.values() {
            assert_eq!(self.object(&sha256(bytes)), *bytes);
        }
    }
}

/// Enough for a loopback line on a busy machine.
fn patient() -> Patience {
    Patience {
        chunk: Duration::from_secs(60),
        breaks_max: 8,
        pause: Duration::ZERO,
    }
}

/// For givers who never send what is waited for.
fn impatient() -> Patience {
    Patience {
        chunk: Duration::from_millis(50),
        breaks_max: 2,
        pause: Duration::ZERO,
    }
}

#[test]
fn all_contents_come_and_nothing_comes_twice() {
    let world = World::mixed();
    let giver = Giver::start(&world.contents, Conduct::Good);
    world.fetch(&giver, patient()).unwrap();
    world.all_is_there();
    let asked = giver.asked();
    // empty items need no request; the one of three parts is asked for in parts
    assert!(!asked.iter().any(|(item, _)| *item == 2), "{asked:?}");
    assert!(asked.iter().filter(|(item, _)| *item == 1).count() >= 3);
    let last = *world.progress.lock().unwrap().last().unwrap();
    assert_eq!(last, (world.exhibit.size, world.exhibit.size));
    // the same call goes on with what is there
    world.fetch(&giver, patient()).unwrap();
    assert_eq!(giver.asked().len(), asked.len());
}

/// Two parts of the one item are under way at once: the giver answers neither before it was asked for both.
#[test]
fn one_large_item_comes_in_parallel_parts() {
    let world = World::new(vec![noise(13 << 20, 1)]);
    let giver = Giver::start(&world.contents, Conduct::InPairs);
    world.fetch(&giver, patient()).unwrap();
    world.all_is_there();
}

#[test]
fn ten_cut_connections_and_a_full_disk_lose_nothing() {
    let world = World::new(vec![
        noise((9 << 20) + 5, 1),
        noise(3 << 20, 2),
        noise(99, 3),
    ]);
    let giver = Giver::start(
        &world.contents,
        Conduct::Cut {
            after: 700_000,
            times: 10,
        },
    );
    // the disk is full at the fourth and at the ninth write
    let writes = Arc::new(AtomicUsize::new(0));
    let faults = move |point: &str| {
        if point == "vault.write" && [3, 8].contains(&writes.fetch_add(1, Ordering::SeqCst)) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    };
    let vault = world.vault().with_faults(Arc::new(faults));
    let list = world.list.len() as u64;
    for _ in 0..2 {
        let error = world
            .fetch_into(&vault, &giver, patient(), list)
            .unwrap_err();
        assert!(error.message.contains("the disk is full"), "{error:?}");
        world.objects();
    }
    world.fetch_into(&vault, &giver, patient(), list).unwrap();
    assert_eq!(giver.cuts(), 10);
    world.all_is_there();
    assert_eq!(world.objects(), world.contents.len());
}

/// What each kind of bad giver gets, in words; in the vault is nothing that is not what it is called, and the next try with
/// a good one ends well.
#[test]
fn a_hostile_giver_is_told_from_a_bad_line_and_costs_nothing() {
    let forbidden = [
        (Conduct::Other(1), "sent something else as item 1"),
        (Conduct::Other(0), "sent something else as item 0"),
        (Conduct::Changed(1), "chunk 0 was changed on the way"),
        (Conduct::ForAnother, "not for this node's recipient key"),
        (Conduct::NoHeader, "does not begin as an age file"),
        (Conduct::OtherTotal, "was asked for, and came"),
        (Conduct::NoRange, "was asked for, and came `no range`"),
        (Conduct::Endless, "more octets came than were asked for"),
    ];
    for (conduct, words) in forbidden {
        let world = World::mixed();
        let giver = Giver::start(&world.contents, conduct);
        let error = world.fetch(&giver, patient()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Forbidden, "{conduct:?}: {error:?}");
        assert!(error.message.contains(words), "{conduct:?}: {error:?}");
        world.objects();
        let good = Giver::start(&world.contents, Conduct::Good);
        world.fetch(&good, patient()).unwrap();
        world.all_is_there();
    }
}

#[test]
fn a_giver_that_keeps_us_waiting_is_given_up() {
    for conduct in [Conduct::Silent, Conduct::Stalls, Conduct::Closes] {
        let world = World::mixed();
        let giver = Giver::start(&world.contents, conduct);
        let error = world.fetch(&giver, impatient()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unreachable, "{conduct:?}: {error:?}");
        assert!(error.help.unwrap().contains("the same command goes on"));
        let good = Giver::start(&world.contents, Conduct::Good);
        world.fetch(&good, patient()).unwrap();
        world.all_is_there();
    }
}

#[test]
fn sizes_that_were_not_handed_over_are_refused_before_they_fill_the_disk() {
    let world = World::mixed();
    let giver = Giver::start(&world.contents, Conduct::Good);
    let vault = world.vault();
    // a list larger than so many items can have
    let error = world
        .fetch_into(&vault, &giver, patient(), 1 << 40)
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Forbidden, "{error:?}");
    assert!(giver.asked().is_empty());
    // a list of another size than it has
    let error = world.fetch_into(&vault, &giver, patient(), 10).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Forbidden, "{error:?}");
    // more than any disk has
    let mut large = World::mixed();
    large.exhibit.size = 1 << 52;
    let error = large.fetch(&giver, patient()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Usage, "{error:?}");
    assert!(error.message.contains("free"), "{error:?}");
    // a list that names more, or less, than the exhibit is said to have
    for (items, size) in [(5, 0), (7, 0), (6, 1), (6, u64::MAX)] {
        let mut other = World::mixed();
        other.exhibit.items = items;
        other.exhibit.size = other.exhibit.size.wrapping_add(size);
        let error = other.fetch(&giver, patient()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Forbidden, "{error:?}");
        assert!(
            error.message.contains("another number or size"),
            "{error:?}"
        );
        other.objects();
    }
}
