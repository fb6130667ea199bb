//! Every limit of the node in one table, each with its reason. What a client may meet is announced
//! (`max_content_length`, `limit`, `Retry-After`); none of them loses anything that was acknowledged.

use std::time::Duration;

/// Largest request body, octets, after decompression; announced as `max_content_length` (TAXII 2.1 section 4.2.1).
/// 32 MiB hold an envelope of 10,000 large objects; memory per request stays a small multiple of it.
pub const BODY_BYTES_MAX: usize = 32 << 20;
/// Objects of one envelope: the batch of one request must stay one transaction of bounded length.
pub const ENVELOPE_OBJECTS_MAX: usize = 20_000;
/// JSON values of what stands beside the objects of an envelope: labels of as many records, with room.
pub const ENVELOPE_NODES_MAX: usize = 400_000;
/// New label sets one envelope brings at most, and another party within [`LABEL_SETS_WINDOW`]: every page is decided over all
/// label sets there are.
pub const LABEL_SETS_NEW_MAX: usize = 500;
/// New label sets of one party in a window.
pub const LABEL_SETS_PER_PARTY_MAX: usize = 2_000;
/// The window.
pub const LABEL_SETS_WINDOW: Duration = Duration::from_secs(3_600);
/// Objects of a page when the client asks for none: what OpenCTI and Sentinel read comfortably at once.
pub const PAGE_OBJECTS_DEFAULT: usize = 1_000;
/// Most objects of a page, whatever the client asks (python-stix2 asks for 5,000).
pub const PAGE_OBJECTS_MAX: usize = 5_000;
/// A page stops growing here, octets, so that 20 large objects do not make a page of gigabytes.
pub const PAGE_BYTES_MAX: usize = 16 << 20;
/// Values of all `match` parameters of one request: each is a probe of an index.
pub const MATCH_VALUES_MAX: usize = 1_000;
/// Longest query string, octets; the server answers longer ones with 414.
pub const QUERY_BYTES_MAX: usize = 64 << 10;
/// All request headers together, octets.
pub const HEADER_BYTES_MAX: usize = 32 << 10;
/// A client must have sent its whole header by then (slow-client defence).
pub const HEADER_TIME_MAX: Duration = Duration::from_secs(10);
/// A connection on which no request is under way is closed after this; HTTP/1 waits [`HEADER_TIME_MAX`] between two requests.
pub const IDLE_TIME_MAX: Duration = Duration::from_secs(60);
/// A request body must have arrived by then.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(60);
/// Open connections at once; further ones wait in the kernel's queue.
pub const CONNECTIONS_MAX: usize = 1_024;
/// Open connections of one source address, so that one client cannot take them all.
pub const CONNECTIONS_PER_SOURCE_MAX: usize = 256;
/// Operations one transaction of the sequencer takes (measured: 256 to 512 an fsync saturate the disk).
pub const SEQUENCER_OPS_MAX: usize = 2_048;
/// Submissions waiting for the sequencer; beyond it the answer is 503 with `Retry-After`.
pub const SEQUENCER_QUEUE_MAX: usize = 1_024;
/// Receipts of one post or page: a signature and a proof each, so verifying 200 takes some 20 ms.
pub const RECEIPTS_MAX: usize = 200;
/// Largest body with receipts, octets: 200 with labels of 16 kB and proofs of the longest log fit.
pub const RECEIPTS_BYTES_MAX: usize = 8 << 20;
/// Custody events of an exhibit that another node offers: two signatures each, so checking them all takes about two seconds.
pub const CUSTODY_EVENTS_MAX: usize = 10_000;
/// Largest answer to a hand-over, octets: one event, its record, its proof.
pub const EVIDENCE_ANSWER_BYTES_MAX: usize = 1 << 20;
/// Failed log-ins from one source within [`LOCKOUT_WINDOW`] before it must wait.
pub const LOCKOUT_FAILURES_MAX: u32 = 10;
/// The window in which failures count, and how long a locked source waits.
pub const LOCKOUT_WINDOW: Duration = Duration::from_secs(60);
/// A verified password is remembered this long, so that Basic costs no argon2 on every request.
pub const CREDENTIAL_CACHE_TIME: Duration = Duration::from_secs(60);
/// TAXII statuses are kept this long after completion (section 4.3 asks for 24 hours).
pub const STATUS_KEPT: Duration = Duration::from_secs(24 * 3_600);
/// A soft stop waits this long for running requests, then cuts them.
pub const STOP_GRACE: Duration = Duration::from_secs(20);
/// Threads for reads of the register, checks of objects and password hashes, beside those that serve connections.
pub const BLOCKING_THREADS_MAX: usize = 16;
