//! tlog-witness v1.0.0, statement by statement.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use comity_ledger::note::{SignedNote, VerifierKey};
use comity_ledger::witness::{Answer, origin_hash};
use http::header::CONTENT_TYPE;

use super::{Log, Site, TestClock};

fn site_and_log(entries: usize) -> (Site, Log) {
    let mut log = Log::new("example.com/log");
    log.grow(entries, "a");
    (Site::new(&TestClock::default(), &[log.key()]), log)
}

/// "respond with a "200 Success" HTTP status code. The response body MUST be a sequence of one or more note signature lines"
#[tokio::test]
async fn s200_cosignatures_by_both_keys_over_the_whole_tree() {
    let (site, log) = site_and_log(5);
    let answer = site.submit(log.request(0)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let keys: Vec<VerifierKey> = site
        .vkeys()
        .iter()
        .map(|key| VerifierKey::parse(key).unwrap())
        .collect();
    let lines = Answer::parse(answer.body.as_bytes()).unwrap();
    let cosigned = lines.cosignatures(&log.checkpoint(), &keys).unwrap();
    let times: Vec<_> = cosigned
        .iter()
        .map(|it| it.verified.time_seconds())
        .collect();
    // "the timestamp MUST NOT be zero"
    assert_eq!(times, [Some(1_622_678_400); 2]);
    // once more, and from there on
    assert_eq!(site.submit(log.request(5)).await.status, 200);
    let mut grown = log.clone();
    grown.grow(7, "b");
    assert_eq!(site.submit(grown.request(5)).await.status, 200);
    assert_eq!(site.latest_size("example.com/log"), Some(12));
}

/// "If the checkpoint origin is unknown, the witness MUST respond with a "404 Not Found""
#[tokio::test]
async fn s404_unknown_origin() {
    let (site, _) = site_and_log(1);
    let mut other = Log::new("example.com/other");
    other.grow(1, "a");
    assert_eq!(site.submit(other.request(0)).await.status, 404);
}

/// "403 [...] if either no signature from a trusted key for the origin is present, or a signature line's key name and ID match
/// a trusted key but the signature itself fails to verify"
#[tokio::test]
async fn s403_not_signed_by_the_log() {
    let (site, log) = site_and_log(3);
    let stranger = comity_ledger::note::Signer::from_seed(
        comity_ledger::note::KeyName::new("example.com/log").unwrap(),
        &[77; 32],
    )
    .unwrap();
    let by_stranger = log.checkpoint().sign(&[&stranger]).unwrap();
    let body = format!("old 0\n\n{by_stranger}");
    assert_eq!(site.submit(body).await.status, 403);
    // the signature of another size under this text
    let mut grown = log.clone();
    grown.grow(1, "b");
    let text = log.note().text_unverified().to_owned();
    let wrong = format!("old 0\n\n{text}\n{}", grown.note().signatures()[0]);
    assert_eq!(site.submit(wrong).await.status, 403);
    // "it MUST ignore signatures from unknown keys"
    let both = log.checkpoint().sign(&[&stranger, &log.signer]).unwrap();
    let body = format!("old 0\n\n{both}");
    assert_eq!(site.submit(body).await.status, 200);
    // what it did not verify it does not hand on
    let path = format!("/{}/checkpoint", origin_hash("example.com/log"));
    let kept = site.send("GET", &path, "").await.body;
    let kept = SignedNote::parse(kept.as_bytes()).unwrap();
    assert_eq!(kept.signatures().len(), 3);
}

/// "The old size MUST be equal to or lower than the checkpoint size. Otherwise [...] 400", and what is no request at all.
#[tokio::test]
async fn s400_old_size_above_and_malformed_bodies() {
    let (site, log) = site_and_log(3);
    let body = format!("old 4\n\n{}", log.note());
    assert_eq!(site.submit(body).await.status, 400);
    let note = log.note();
    for body in [
        String::new(),
        "old 0\n".to_owned(),
        format!("old 00\n\n{note}"),
        format!("old -1\n\n{note}"),
        format!("old  0\n\n{note}"),
        format!("old 0\r\n\r\n{note}"),
        format!("new 0\n\n{note}"),
        format!("old 0\nAAAA\n\n{note}"),
        format!("old 0\n{note}"),
        format!("old 0\n\n{note}\n"),
        // "The client MUST NOT send more than 63 consistency proof lines."
        format!(
            "old 0\n{}\n{note}",
            format!("{}\n", "A".repeat(43) + "=").repeat(64)
        ),
    ] {
        assert_eq!(site.submit(body.clone()).await.status, 400, "{body}");
    }
    assert_eq!(site.submit(vec![0xff, 0xfe]).await.status, 400);
}

/// "409 Conflict [...] The response body MUST consist of the tree size of the latest cosigned checkpoint in decimal, followed
/// by a newline. The response MUST have a `Content-Type` of `text/x.tlog.size`."
#[tokio::test]
async fn s409_says_the_latest_size() {
    let (site, log) = site_and_log(3);
    let first = site.submit(log.request(2)).await;
    assert_eq!((first.status.as_u16(), first.body.as_str()), (409, "0\n"));
    assert_eq!(first.headers[CONTENT_TYPE], "text/x.tlog.size");
    assert_eq!(site.submit(log.request(0)).await.status, 200);
    let mut grown = log.clone();
    grown.grow(4, "b");
    let again = site.submit(grown.request(0)).await;
    assert_eq!((again.status.as_u16(), again.body.as_str()), (409, "3\n"));
    // an old head of the log itself
    let old = site.submit(log.request(0)).await;
    assert_eq!(old.status, 409);
}

/// "422 Unprocessable Entity": a proof that does not hold, one that is not empty for size 0, another root for the same size,
/// an empty tree with a root.
#[tokio::test]
async fn s422_what_does_not_continue() {
    let (site, log) = site_and_log(3);
    let hash = "A".repeat(43) + "=";
    let body = format!("old 0\n{hash}\n\n{}", log.note());
    assert_eq!(site.submit(body).await.status, 422);
    assert_eq!(site.submit(log.request(0)).await.status, 200);
    let mut grown = log.clone();
    grown.grow(4, "b");
    let body = format!("old 3\n{hash}\n\n{}", grown.note());
    assert_eq!(site.submit(body).await.status, 422);
    let body = format!("old 3\n\n{}", grown.note());
    assert_eq!(site.submit(body).await.status, 422);
    let mut split = Log::new("example.com/log");
    split.grow(3, "other");
    assert_eq!(site.submit(split.request(3)).await.status, 422);
    assert_eq!(site.latest_size("example.com/log"), Some(3));
}

/// "If the origin is known, and the signature is valid, the witness MAY log the request [...] as it might be proof of log
/// misbehavior."
#[tokio::test]
async fn refused_heads_that_the_log_signed_are_evidence() {
    let (site, log) = site_and_log(3);
    assert_eq!(site.submit(log.request(0)).await.status, 200);
    let mut split = Log::new("example.com/log");
    split.grow(3, "other");
    // a wrong old size is refused first, and hides nothing
    assert_eq!(site.submit(split.request(0)).await.status, 409);
    assert_eq!(site.submit(split.request(3)).await.status, 422);
    let kept = site.service.witness().db.evidence().unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].note, split.note().to_string());
    assert!(kept[0].known.starts_with(log.note().text_unverified()));
}

/// "A witness SHOULD serve a recent checkpoint [...] it MUST include the cosignature(s) from the witness's key(s) that were
/// returned from add-checkpoint and the cosignature from the log key(s) that the witness verified." "If the witness has never
/// cosigned a checkpoint for that log, [...] 404".
#[tokio::test]
async fn monitors_get_the_newest_head() {
    let (site, log) = site_and_log(3);
    let path = format!("/{}/checkpoint", origin_hash("example.com/log"));
    assert_eq!(site.send("GET", &path, "").await.status, 404);
    let answer = site.submit(log.request(0)).await;
    let got = site.send("GET", &path, "").await;
    assert_eq!(got.status, 200);
    assert_eq!(got.body, format!("{}{}", log.note(), answer.body));
    // "hex encoded, in lowercase"
    let upper = path.to_uppercase().replace("/CHECKPOINT", "/checkpoint");
    assert_eq!(site.send("GET", &upper, "").await.status, 404);
    assert_eq!(site.send("POST", &path, "").await.status, 405);
    // "The request MUST be an HTTP POST."
    assert_eq!(site.send("GET", "/add-checkpoint", "").await.status, 405);
    assert_eq!(site.send("GET", "/", "").await.status, 404);
    assert_eq!(
        site.send("GET", "/healthz", "").await.body,
        r#"{"status":"ok","logs":1}"#
    );
    // counters are for the machine itself
    assert_eq!(site.send("GET", "/metrics", "").await.status, 403);
}

#[tokio::test]
async fn a_body_without_end_is_cut() {
    let (site, _) = site_and_log(1);
    let body = "x".repeat(comity_ledger::witness::ADD_CHECKPOINT_BYTES_MAX + 1);
    assert_eq!(site.submit(body).await.status, 413);
}

/// The specification's own interleaving: "The stored size is updated to N for request A, rolling back K leaves". E 24.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e24_two_requests_at_once_roll_nothing_back() {
    let (site, log) = site_and_log(1);
    assert_eq!(site.submit(log.request(0)).await.status, 200);
    let site = Arc::new(site);
    let requests = (0..24).map(|number| {
        let (mut grown, site) = (log.clone(), Arc::clone(&site));
        grown.grow(1 + number, "more");
        tokio::spawn(async move {
            let answer = site.submit(grown.request(1)).await;
            (answer.status.as_u16(), grown.size())
        })
    });
    let mut cosigned = Vec::new();
    for request in requests.collect::<Vec<_>>() {
        let (status, size) = request.await.unwrap();
        match status {
            200 => cosigned.push(size),
            409 => {}
            other => panic!("{other}"),
        }
    }
    // one won; all others were told so
    assert_eq!(cosigned.len(), 1);
    assert_eq!(site.latest_size("example.com/log"), Some(cosigned[0]));
}

/// A crash before the head is on disk: nothing was answered, nothing is kept. After it: it is kept, and never taken back.
#[tokio::test]
async fn e24_a_crash_between_store_and_answer_keeps_what_was_cosigned() {
    for (point, kept) in [("before commit", None), ("after commit", Some(5))] {
        let (site, log) = site_and_log(5);
        let armed = Arc::new(AtomicBool::new(true));
        let faults = {
            let armed = Arc::clone(&armed);
            Arc::new(move |at: &str| {
                if at == point && armed.load(Ordering::SeqCst) {
                    return Err(std::io::Error::other("power cut"));
                }
                Ok(())
            })
        };
        let site = site.reopened(Some(faults));
        assert_eq!(site.submit(log.request(0)).await.status, 500);
        armed.store(false, Ordering::SeqCst);
        let site = site.reopened(None);
        assert_eq!(site.latest_size("example.com/log"), kept, "{point}");
        // whichever it was, no other history passes, and the log's own does
        let mut split = Log::new("example.com/log");
        split.grow(4, "other");
        let refused = site.submit(split.request(0)).await.status.as_u16();
        assert_eq!(refused == 409, kept.is_some(), "{refused}");
    }
}

/// A cosignature says "as of this time, the largest"; one that bears an earlier time than the last would contradict it.
#[tokio::test]
async fn e11_a_clock_that_went_back_signs_nothing() {
    let (site, log) = site_and_log(3);
    assert_eq!(site.submit(log.request(0)).await.status, 200);
    let before = site.clock.0.now_micros();
    site.clock.0.set_wall(before - 5_000_000);
    let mut grown = log.clone();
    grown.grow(1, "b");
    assert_eq!(site.submit(grown.request(3)).await.status, 503);
    assert_eq!(site.latest_size("example.com/log"), Some(3));
    site.clock.0.advance(Duration::from_secs(6));
    assert_eq!(site.submit(grown.request(3)).await.status, 200);
}

/// A key that a log added later signs too; the one before stays good (E 25).
#[tokio::test]
async fn e25_a_second_key_of_a_log_overlaps_with_the_first() {
    let (site, log) = site_and_log(3);
    assert_eq!(site.submit(log.request(0)).await.status, 200);
    let mut next = log.clone();
    next.signer = comity_ledger::note::Signer::from_seed(
        comity_ledger::note::KeyName::new("example.com/log").unwrap(),
        &[6; 32],
    )
    .unwrap();
    next.grow(1, "b");
    assert_eq!(site.submit(next.request(3)).await.status, 403);
    site.add(&next.key());
    assert_eq!(site.submit(next.request(3)).await.status, 200);
    // the log was not begun anew
    let mut split = Log::new("example.com/log");
    split.grow(2, "other");
    assert_eq!(site.submit(split.request(0)).await.status, 409);
}

#[tokio::test]
async fn one_source_cannot_flood() {
    let clock = TestClock::default();
    let site = Site::new(&clock, &[]);
    let mut refused = 0;
    for _ in 0..11_000 {
        refused += u32::from(site.send("GET", "/nothing", "").await.status == 429);
    }
    assert!(refused > 0);
}
