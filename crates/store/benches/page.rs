//! Figures of the register: `cargo bench -p comity-store -- [records] [directory to keep] [MiB readers map]`.
//!
//! Synthetic records of about 1.4 kB with three references each, ten label sets, five types, one in ten a second version.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a measurement run by hand"
)]

use std::{path::Path, time::Instant};

use comity_ledger::entry::Event;
use comity_store::{
    Admin, Administer, Batch, Collection, CollectionKey, Filter, Genesis, LabelSetId, Level, Op,
    Options, Outcome, PageQuery, Put, Scope, SearchQuery, Store, VersionFilter, Writer,
};
use sha2::{Digest, Sha256};

const BATCH: usize = 512;
const TYPES: [&str; 5] = [
    "indicator",
    "malware",
    "relationship",
    "ipv4-addr",
    "report",
];

fn main() {
    let mut args = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with("--"));
    let count: u64 = args.next().map_or(1_000_000, |text| text.parse().unwrap());
    let kept = args.next();
    let temporary = tempfile::tempdir().unwrap();
    let dir = kept.as_deref().map_or(temporary.path(), Path::new);
    if !dir.join("register.db").exists() {
        fill(dir, count);
    }
    let reader_mmap_mib = args.next().map_or(0, |text| text.parse().unwrap());
    let options = Options {
        reader_mmap_mib,
        ..Options::default()
    };
    let start = Instant::now();
    let (store, mut writer) = comity_store::open(dir, &options).unwrap();
    let head = store.head().unwrap();
    println!(
        "open                     {:>10.1} ms, {} entries",
        ms(start),
        head.size
    );
    println!("resident after open      {:>10.1} MB", resident_mb());
    reads(&store);
    index(&store, &mut writer);
    println!("resident at the end      {:>10.1} MB", resident_mb());
    writer.checkpoint().unwrap();
    store.release_memory().unwrap();
    println!("resident when idle again {:>10.1} MB", resident_mb());
    drop((store, writer));
    let start = Instant::now();
    let report = comity_store::fsck(dir, Level::Full, &mut |_| {}).unwrap();
    println!(
        "fsck full                {:>10.1} s, {} problems",
        start.elapsed().as_secs_f64(),
        report.problems.len()
    );
}

fn fill(dir: &Path, count: u64) {
    let genesis = Genesis {
        database_id: [1; 16],
        origin: "bench".into(),
        created_micros: 1,
    };
    comity_store::create(dir, &genesis).unwrap();
    let (store, mut writer) = comity_store::open(dir, &Options::default()).unwrap();
    let collection = make_collection(&mut writer);
    let mut spent = 0.0;
    let mut on_cpu = 0.0;
    let mut slowest: f64 = 0.0;
    let mut made = 0;
    while made < count {
        let size = BATCH.min(usize::try_from(count - made).unwrap());
        let ops = (0..size as u64)
            .map(|i| Op::Put(Box::new(record(made + i, collection))))
            .collect();
        let batch = Batch {
            now_micros: 1_700_000_000_000_000 + i64::try_from(made).unwrap() * 10,
            ops,
        };
        let cpu = cpu_seconds();
        let start = Instant::now();
        writer
            .append(&batch, &|size, _| Ok(format!("note {size}")))
            .unwrap();
        let took = start.elapsed().as_secs_f64();
        on_cpu += cpu_seconds() - cpu;
        spent += took;
        slowest = slowest.max(took);
        made += size as u64;
        if made % (BATCH as u64 * 400) == 0 || made == count || made == BATCH as u64 * 48 {
            println!(
                "  {made:>9} records, {:>8.0}/s so far, slowest batch {:.0} ms",
                made as f64 / spent,
                slowest * 1000.0
            );
        }
    }
    writer.checkpoint().unwrap();
    println!(
        "ingest                   {:>10.0} records/s in batches of {BATCH}; {:.0} per second on the processor",
        count as f64 / spent,
        count as f64 / on_cpu
    );
    println!("resident after ingest    {:>10.1} MB", resident_mb());
    println!(
        "file                     {:>10.1} MB",
        store.size_bytes() as f64 / 1e6
    );
}

fn reads(store: &Store) {
    let c = store.collections().unwrap()[0].key;
    let sets = label_sets(store);
    let everything = Scope::new(sets.clone());
    let half = Scope::new(sets.iter().copied().step_by(2).collect());
    let rare = Scope::new(vec![rare_label_set(store)]);
    for (name, scope) in [("all", &everything), ("half", &half), ("1 in 1000", &rare)] {
        walk(store, c, scope, name);
    }
    let (middle, last) = bounds(store, c, &everything);
    let some_ids: Vec<String> = (0..500_u64)
        .map(|i| identifier(i * 7919 % 900_000))
        .collect();
    for (name, scope) in [("all", &everything), ("half", &half), ("1 in 1000", &rare)] {
        let query = |limit, filter: Filter, after| {
            let mut query = PageQuery::new(c, scope.clone(), limit);
            query.filter = filter;
            query.added_after = after;
            query
        };
        latency(&format!("match[id] ({name})"), |i| {
            let ids = vec![some_ids[i % some_ids.len()].clone()];
            give(
                store,
                &query(
                    100,
                    Filter {
                        ids,
                        ..Filter::default()
                    },
                    None,
                ),
            );
        });
        latency(&format!("match[type] 100 ({name})"), |i| {
            let types = vec![TYPES[i % 5].to_owned()];
            give(
                store,
                &query(
                    100,
                    Filter {
                        types,
                        ..Filter::default()
                    },
                    None,
                ),
            );
        });
        latency(&format!("added_after middle 100 ({name})"), |i| {
            give(
                store,
                &query(100, Filter::default(), Some(middle + i as i64 * 1000)),
            );
        });
        latency(&format!("added_after + type 100 ({name})"), |i| {
            let types = vec![TYPES[i % 5].to_owned()];
            give(
                store,
                &query(
                    100,
                    Filter {
                        types,
                        ..Filter::default()
                    },
                    Some(middle),
                ),
            );
        });
        latency(&format!("all versions 100 ({name})"), |_| {
            give(
                store,
                &query(
                    100,
                    Filter {
                        version: VersionFilter::all(),
                        ..Filter::default()
                    },
                    Some(middle),
                ),
            );
        });
        latency(&format!("nothing new ({name})"), |_| {
            give(store, &query(100, Filter::default(), Some(last)));
        });
        latency(&format!("manifest 100 ({name})"), |i| {
            let query = query(100, Filter::default(), Some(middle + i as i64 * 1000));
            store.manifest(&query, &mut |_| {}).unwrap();
        });
    }
}

fn walk(store: &Store, c: CollectionKey, scope: &Scope, name: &str) {
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let (mut rows, mut bytes, mut out) = (0, 0, Vec::with_capacity(2 << 20));
    let mut pages = Vec::new();
    // small collections are walked again, for a measurement of some length
    while pages.len() < 500 {
        let mut query = PageQuery::new(c, scope.clone(), 1000);
        loop {
            let page = Instant::now();
            out.clear();
            let end = store
                .page(&query, &mut |row| out.extend_from_slice(row.bytes))
                .unwrap();
            pages.push(ms(page));
            rows += end.rows;
            bytes += out.len();
            if !end.more {
                break;
            }
            query.cursor = end.last_added;
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "walk ({name:<9})         {:>10.0} rows/s, {:.0} MB/s, {:.0} rows per second on the processor, page p50 {:.2} p99 {:.2} ms",
        rows as f64 / seconds,
        bytes as f64 / seconds / 1e6,
        rows as f64 / (cpu_seconds() - cpu),
        percentile(&mut pages, 50),
        percentile(&mut pages, 99)
    );
}

fn index(store: &Store, writer: &mut Writer) {
    let start = Instant::now();
    let mut indexed = 0;
    while indexed < 100_000 {
        let seen = writer.search_index_step(2000).unwrap();
        if seen == 0 {
            break;
        }
        indexed += seen;
    }
    println!(
        "search index             {:>10.0} entries/s",
        indexed as f64 / start.elapsed().as_secs_f64()
    );
    let sets = label_sets(store);
    for (name, scope) in [
        ("all", sets.clone()),
        ("1 in 1000", vec![rare_label_set(store)]),
    ] {
        let scope = Scope::new(scope);
        for (what, text, identifier) in [
            ("common word", Some("padding"), None),
            ("two words", Some("beacon 4711"), None),
            (
                "identifier",
                None,
                Some("malware--00000000-0000-4000-8000-0000000047"),
            ),
        ] {
            latency(&format!("search {what} ({name})"), |_| {
                let query = SearchQuery {
                    scope: scope.clone(),
                    text: text.map(str::to_owned),
                    identifier: identifier.map(str::to_owned),
                    types: vec![],
                    collection: None,
                    origin: None,
                    last_only: true,
                    limit: 20,
                    cursor: None,
                };
                store.search(&query).unwrap();
            });
        }
    }
}

fn label_sets(store: &Store) -> Vec<LabelSetId> {
    store
        .label_sets(LabelSetId(0))
        .unwrap()
        .iter()
        .map(|(id, _)| *id)
        .collect()
}

fn rare_label_set(store: &Store) -> LabelSetId {
    let sets = store.label_sets(LabelSetId(0)).unwrap();
    sets.iter()
        .find(|(_, text)| text.starts_with("label set 09"))
        .unwrap()
        .0
}

fn give(store: &Store, query: &PageQuery) {
    store
        .page(query, &mut |row| {
            std::hint::black_box(row.bytes);
        })
        .unwrap();
}

fn bounds(store: &Store, c: CollectionKey, scope: &Scope) -> (i64, i64) {
    let mut query = PageQuery::new(c, scope.clone(), 1);
    let first = store
        .manifest(&query, &mut |_| {})
        .unwrap()
        .last_added
        .unwrap();
    let last = first + 1_000_000_000_000;
    query.limit = usize::MAX;
    query.cursor = Some(first + 5_000_000);
    let mut all = Vec::new();
    store
        .manifest(&query, &mut |row| all.push(row.added))
        .unwrap();
    (all.get(all.len() / 2).copied().unwrap_or(first), last)
}

fn latency(name: &str, mut run: impl FnMut(usize)) {
    let mut times = Vec::new();
    for i in 0..500 {
        let start = Instant::now();
        run(i);
        times.push(ms(start));
    }
    println!(
        "{name:<40} p50 {:>8.3} ms  p99 {:>8.3} ms",
        percentile(&mut times, 50),
        percentile(&mut times, 99)
    );
}

fn make_collection(writer: &mut Writer) -> CollectionKey {
    let change = Admin::PutCollection(Collection {
        key: CollectionKey(0),
        uuid: "00000000-0000-4000-8000-000000000001".into(),
        alias: None,
        title: "bench".into(),
        description: None,
        media_types: vec![],
        grants: vec![],
        created: 1,
    });
    let op = Op::Admin(Administer {
        change,
        by: "bench".into(),
        salt: [0; 32],
    });
    let done = writer
        .append(
            &Batch {
                now_micros: 1,
                ops: vec![op],
            },
            &|_, _| Ok(String::new()),
        )
        .unwrap();
    match done.outcomes[0] {
        Outcome::Administered {
            collection: Some(key),
            ..
        } => key,
        _ => unreachable!(),
    }
}

fn identifier(number: u64) -> String {
    let kind = TYPES[usize::try_from(number % 5).unwrap()];
    // spread over the index, as random UUIDs are
    let random = u128::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    let hex = format!("{random:032x}");
    format!(
        "{kind}--{}-{}-4{}-8{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..]
    )
}

fn record(number: u64, collection: CollectionKey) -> Put {
    // one in ten is a second version of an earlier object
    let (object, version) = if number % 10 == 9 {
        (number - 5, 2)
    } else {
        (number, 1)
    };
    let id = identifier(object);
    let bytes = format!(
        r#"{{"type":"{}","id":"{id}","spec_version":"2.1","created":"2024-01-01T00:00:00.000Z","modified":"2024-01-0{version}T00:00:00.000Z","name":"beacon {object}","description":"{}"}}"#,
        TYPES[usize::try_from(object % 5).unwrap()],
        "padding words of a synthetic description, all alike; ".repeat(23)
    )
    .into_bytes();
    let digest: [u8; 32] = Sha256::digest(&bytes).into();
    let label_set = if number % 1000 == 7 { 9 } else { number % 9 };
    Put {
        object_type: TYPES[usize::try_from(object % 5).unwrap()].into(),
        spec_version: "2.1".into(),
        version_key: format!("2024-01-0{version}T00:00:00"),
        version_text: format!("2024-01-0{version}T00:00:00.000Z"),
        created_by: Some("identity--00000000-0000-4000-8000-000000000001".into()),
        revoked: false,
        content_sha256: digest,
        seed: digest,
        label_set: format!(
            "label set {label_set:02} with an audience and an originator written out as JSON"
        ),
        granular: false,
        collections: vec![collection],
        origin: "ua".into(),
        author: Some("olena@ua".into()),
        references: vec![
            (
                "/created_by_ref".into(),
                "identity--00000000-0000-4000-8000-000000000001".into(),
            ),
            (
                "/object_marking_refs/0".into(),
                "marking-definition--00000000-0000-4000-8000-000000000002".into(),
            ),
            ("/source_ref".into(), identifier(object / 3)),
        ],
        event: Event::SubmissionAcceptance,
        consigned: None,
        withdrawal: None,
        link: [0; 32],
        revive: true,
        terms: Default::default(),
        id,
        bytes,
    }
}

/// Seconds this process's main thread was on a processor: what a busy machine does not change.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds = text
        .split_whitespace()
        .next()
        .and_then(|text| text.parse::<f64>().ok());
    nanoseconds.unwrap_or(0.0) / 1e9
}

fn ms(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1000.0
}

fn percentile(times: &mut [f64], percent: usize) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[(times.len() * percent / 100).min(times.len() - 1)]
}

fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap_or("VmRSS: 0 kB");
    line.split_whitespace()
        .nth(1)
        .and_then(|kb| kb.parse::<f64>().ok())
        .unwrap_or(0.0)
        / 1000.0
}
