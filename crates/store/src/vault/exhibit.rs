//! An exhibit's contents as a whole: its list of items, hashing them all again, writing them out.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use comity_evidence::{Hash, Hex, Item, LINE_BYTES_MAX, Manifest};
use rustix::fs::{Mode, OFlags};

use super::copy::{CopyError, copy};
use super::error::{VaultError, printable};
use super::{Vault, open_folder};

/// Threads that hash; see [`Vault::seal`].
const WORKERS: usize = 2;
/// Damaged items that are named; the rest is counted.
const NAMED_MAX: usize = 100;

/// What hashing all contents again gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rehashed {
    /// Hash of the list with the hashes found now: the exhibit's own when nothing has changed.
    pub items_sha256: Hash,
    /// Items that are missing or have another hash; the first of them, in words.
    pub damaged: Vec<String>,
    /// How many they are.
    pub damaged_count: u64,
}

/// How files are called when they are written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// `000001.bin`, by the number of the item.
    Numbers,
    /// The original name in its encoding, `/` encoded too: one safe name in one folder.
    Escaped,
}

impl Vault {
    /// Reads a list of items line by line and hands each to `each`. The list is what its name says, or this is an error.
    ///
    /// # Errors
    /// [`VaultError::Missing`], [`VaultError::Damaged`]; what `each` says.
    pub fn items(
        &self,
        items_sha256: &Hash,
        each: &mut dyn FnMut(Item) -> Result<(), VaultError>,
    ) -> Result<Manifest, VaultError> {
        let damaged = |what: String| VaultError::Damaged {
            sha256: Hex(items_sha256).to_string(),
            what,
        };
        let mut lines = BufReader::with_capacity(256 << 10, self.open_object(items_sha256)?);
        let mut manifest = Manifest::default();
        let mut line = Vec::new();
        loop {
            line.clear();
            let read =
                io::Read::take(&mut lines, LINE_BYTES_MAX as u64).read_until(b'\n', &mut line);
            if read.map_err(|error| damaged(format!("it cannot be read: {error}")))? == 0 {
                break;
            }
            let item = Item::parse_line(&line)
                .map_err(|error| damaged(format!("line {}: {error}", manifest.items() + 1)))?;
            manifest
                .add(&item)
                .map_err(|error| damaged(error.to_string()))?;
            each(item)?;
        }
        if manifest.sha256() != *items_sha256 {
            return Err(damaged(format!(
                "its contents hash to {}",
                Hex(&manifest.sha256())
            )));
        }
        Ok(manifest)
    }

    /// Hashes all contents of an exhibit again. `done` counts octets.
    ///
    /// # Errors
    /// When the list itself is missing or damaged: then nothing can be said about the items.
    pub fn rehash(&self, items_sha256: &Hash, done: &AtomicU64) -> Result<Rehashed, VaultError> {
        let mut items = Vec::new();
        self.items(items_sha256, &mut |item| {
            items.push(item);
            Ok(())
        })?;
        let next = Mutex::new(items.into_iter());
        let found: Mutex<Vec<(Item, Option<String>)>> = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..WORKERS {
                scope.spawn(|| {
                    loop {
                        let item = next.lock().unwrap_or_else(PoisonError::into_inner).next();
                        let Some(item) = item else { return };
                        let result = self.hash_item(item, done);
                        found
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push(result);
                    }
                });
            }
        });
        let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.sort_by_key(|(item, _)| item.number);
        let mut rehashed = Rehashed {
            items_sha256: [0; 32],
            damaged: Vec::new(),
            damaged_count: 0,
        };
        let mut manifest = Manifest::default();
        for (item, problem) in found {
            manifest.add(&item).map_err(|source| VaultError::Item {
                path: item.name.to_string(),
                source,
            })?;
            if let Some(problem) = problem {
                rehashed.damaged_count += 1;
                if rehashed.damaged.len() < NAMED_MAX {
                    rehashed
                        .damaged
                        .push(format!("item {} `{}`: {problem}", item.number, item.name));
                }
            }
        }
        rehashed.items_sha256 = manifest.sha256();
        Ok(rehashed)
    }

    /// The item as it is now, and what is wrong with it. One that is gone has no octets and the hash of nothing.
    fn hash_item(&self, mut item: Item, done: &AtomicU64) -> (Item, Option<String>) {
        match self.digest_object(&item.sha256, &mut |octets| {
            done.fetch_add(octets, Ordering::Relaxed);
        }) {
            Ok((size, sha256)) if (size, sha256) == (item.size, item.sha256) => (item, None),
            Ok((size, sha256)) => {
                let problem = format!("its contents of {size} octets hash to {}", Hex(&sha256));
                (item.size, item.sha256) = (size, sha256);
                (item, Some(problem))
            }
            Err(error) => {
                (item.size, item.sha256) = (0, comity_evidence::sha256(b""));
                (item, Some(error.to_string()))
            }
        }
    }

    /// Writes the contents of an exhibit into `folder`, which is made and must not be there: files under names made here, each
    /// hashed while it is written, and the list of items as `items.jsonl`.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] when an item is not what it was; what the file system says. What was written stays.
    pub fn write_out(
        &self,
        items_sha256: &Hash,
        folder: &Path,
        names: Names,
        done: &AtomicU64,
    ) -> Result<Manifest, VaultError> {
        use std::os::unix::fs::DirBuilderExt as _;
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(folder)
            .map_err(VaultError::io("make the folder", folder))?;
        let into = open_folder(folder)?;
        let make = |name: &str| -> Result<File, VaultError> {
            let flags =
                OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let made = rustix::fs::openat(&into, name, flags, Mode::from_raw_mode(0o400));
            made.map(File::from)
                .map_err(|error| VaultError::io("make", &folder.join(name))(error.into()))
        };
        let manifest = self.items(items_sha256, &mut |item| {
            let name = out_name(&item, names);
            let target = make(&name)?;
            self.write_item(&item, &target, &folder.join(&name), done)
        })?;
        let list = self.open_object(items_sha256)?;
        let mut target = make("items.jsonl")?;
        let mut list = list;
        io::copy(&mut list, &mut target)
            .and_then(|_| target.sync_all())
            .map_err(VaultError::io("write", &folder.join("items.jsonl")))?;
        super::sync_folder(folder)?;
        Ok(manifest)
    }

    fn write_item(
        &self,
        item: &Item,
        target: &File,
        path: &Path,
        done: &AtomicU64,
    ) -> Result<(), VaultError> {
        let object = self.open_object(&item.sha256)?;
        let allocated = object.allocated();
        let copied = copy(
            object.file(),
            target,
            object.size(),
            allocated,
            done,
            &|| Ok(()),
        );
        let copied = copied.map_err(|error| match error {
            CopyError::Read(error) => VaultError::Damaged {
                sha256: Hex(&item.sha256).to_string(),
                what: format!("it cannot be read: {error}"),
            },
            CopyError::Write(error) => VaultError::io("write", path)(error),
        })?;
        if (copied.size, copied.sha256) != (item.size, item.sha256) {
            return Err(VaultError::Damaged {
                sha256: Hex(&item.sha256).to_string(),
                what: format!(
                    "written to `{}`, it has {} octets and hashes to {}",
                    printable(path),
                    copied.size,
                    Hex(&copied.sha256)
                ),
            });
        }
        target.sync_all().map_err(VaultError::io("sync", path))
    }
}

fn out_name(item: &Item, names: Names) -> String {
    /// Longest name of a file on the usual file systems.
    const NAME_MAX: usize = 255;
    let number = format!("{:06}", item.number);
    if names == Names::Escaped {
        // the number first: two names that a file system folds into one stay two, and `.` or `-` never lead
        let name = format!("{number}-{}", item.name.as_str().replace('/', "%2F"));
        if name.len() <= NAME_MAX {
            return name;
        }
    }
    format!("{number}.bin")
}
