//! Databases of every version this program can come from, and of those it cannot.

use comity_store::{OpenError, Options, PageQuery};

use crate::support::{Register, put};

/// Registers as each version left them, kept for ever; made by [`make_the_kept_file_of_this_version`].
const KEPT: &[(i64, &[u8])] = &[(1, include_bytes!("../versions/v1.db"))];

#[test]
fn every_kept_version_opens_reads_and_goes_on() {
    for (version, bytes) in KEPT {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("register.db"), bytes).unwrap();
        let (store, writer) = comity_store::open(dir.path(), &Options::default()).unwrap();
        let mut register = Register {
            dir,
            store,
            writer,
            now: 9_000_000,
        };
        register.fsck();
        let c = register.store.collections().unwrap()[0].key;
        let query = PageQuery::new(c, register.scope(&["amber", "green"]), 100);
        assert_eq!(register.page(&query).len(), 3, "version {version}");
        register.put(put(50, 1, "amber", &[c]));
        assert_eq!(register.page(&query).len(), 4);
        register.fsck();
    }
}

#[test]
fn a_newer_register_is_refused_with_a_clear_message() {
    let register = Register::new();
    let Register {
        dir, store, writer, ..
    } = register;
    drop((store, writer));
    let path = dir.path().join("register.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .pragma_update(None, "user_version", 1000)
        .unwrap();
    let error = comity_store::open(dir.path(), &Options::default())
        .err()
        .unwrap();
    assert!(matches!(error, OpenError::Newer { found: 1000, .. }));
    assert!(error.to_string().contains("use a newer program"));
    connection.pragma_update(None, "user_version", 1).unwrap();
    connection
        .execute("UPDATE migration SET sha256 = zeroblob(32)", [])
        .unwrap();
    let error = comity_store::open(dir.path(), &Options::default())
        .err()
        .unwrap();
    assert!(
        matches!(error, OpenError::MigrationChanged { version: 1 }),
        "{error}"
    );
}

#[test]
fn what_is_not_a_register_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let open = || {
        comity_store::open(dir.path(), &Options::default())
            .err()
            .unwrap()
    };
    assert!(matches!(open(), OpenError::Missing(_)));
    std::fs::write(
        dir.path().join("register.db"),
        "not a database, but long enough to be looked at",
    )
    .unwrap();
    assert!(matches!(open(), OpenError::Sqlite(_)), "{}", open());
}

/// Run by hand when a version is released: `cargo test -p comity-store -- --ignored kept_file`.
#[test]
#[ignore = "writes into the source tree"]
fn make_the_kept_file_of_this_version() {
    let mut register = Register::new();
    let c = register.collection(1);
    register.put(put(1, 1, "amber", &[c]));
    register.put(put(1, 2, "green", &[c]));
    register.put(put(2, 1, "amber", &[c]));
    register.put(put(3, 1, "green", &[c]));
    register.put(put(4, 1, "green", &[c]));
    register.delete(crate::support::delete(4, None, None));
    register.writer.search_index_step(100).unwrap();
    register.writer.checkpoint().unwrap();
    let to = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/versions/v1.db");
    let _ = std::fs::remove_file(to);
    register
        .store
        .backup(std::path::Path::new(to), &mut |_| {})
        .unwrap();
    // small pages, for the repository's sake
    let connection = rusqlite::Connection::open(to).unwrap();
    connection
        .execute_batch("PRAGMA page_size = 512; VACUUM")
        .unwrap();
}
