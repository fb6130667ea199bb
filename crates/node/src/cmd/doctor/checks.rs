//! What `comity doctor` looks at.

use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use comity_store::{Level, Store};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use super::super::ui::counted;
use super::{Check, certificate};
use crate::app;
use crate::clock::{Clock as _, SystemClock, micros_to_text};
use crate::config::Config;
use crate::keys;
use crate::lifecycle::ADDRESS_FILE;
use crate::witnesses;

/// Everything, in the order in which trouble usually comes.
pub(super) fn all(config: &Config, checks: &mut Vec<Check>) {
    permissions(config, checks);
    disk(config, checks);
    listening(config, checks);
    tls(config, checks);
    register(config, checks);
    match comity_store::open_read_only(&config.dir, &comity_store::Options::default()) {
        Ok(store) => {
            clock(&store, checks);
            people(&store, checks);
            peers(&store, checks);
            receipts(&store, checks);
            witnesses(config, &store, checks);
            alarms(&store, checks);
        }
        Err(error) => checks.push(Check::bad(
            "register",
            error.to_string(),
            "`comity restore` puts a backup into a new directory",
        )),
    }
}

fn permissions(config: &Config, checks: &mut Vec<Check>) {
    let mut open: Vec<PathBuf> = Vec::new();
    let mut seen = 0;
    let mut look = |path: &Path| {
        if let Ok(data) = std::fs::metadata(path) {
            seen += 1;
            if data.permissions().mode() & 0o077 != 0 {
                open.push(path.to_owned());
            }
        }
    };
    look(&config.dir);
    look(&keys::log_seed_path(&config.dir));
    look(&keys::log_mldsa_path(&config.dir));
    look(&keys::tls_paths(&config.dir).1);
    look(&config.dir.join(crate::control::server::SOCKET_NAME));
    if let Some(key) = &config.tls_key.value {
        look(key);
    }
    for path in &open {
        let mode = if path.is_dir() { "0700" } else { "0600" };
        checks.push(Check::bad(
            "permissions",
            format!("`{}` can be used by others", path.display()),
            format!("chmod {mode} '{}'", path.display()),
        ));
    }
    if open.is_empty() {
        checks.push(Check::good(
            "permissions",
            format!("{} for their owner only", counted(seen, "file")),
        ));
    }
    if !keys::log_seed_path(&config.dir).exists() {
        let path = keys::log_seed_path(&config.dir);
        checks.push(Check::bad(
            "log key",
            format!("`{}` is missing", path.display()),
            "put it back from where you keep the keys",
        ));
    }
}

/// Receipts that did not come.
fn receipts(store: &Store, checks: &mut Vec<Check>) {
    let mut received = 0;
    for party in store.receipt_parties().unwrap_or_default() {
        let Ok(counts) = store.receipt_counts(&party) else {
            continue;
        };
        received += counts.received;
        if counts.expired > 0 || counts.refused > 0 {
            checks.push(Check::warning(
                "receipts",
                format!(
                    "`{party}`: {} without receipt in time, {} of ours refused",
                    counts.expired, counts.refused
                ),
                "`comity sent` shows which; the own proof of each stands alone",
            ));
        }
    }
    checks.push(Check::good("receipts", format!("{received} verified")));
}

fn disk(config: &Config, checks: &mut Vec<Check>) {
    const LOW_BYTES: u64 = 1 << 30;
    match free_bytes(&config.dir) {
        Some(free) if free < LOW_BYTES => checks.push(Check::bad(
            "disk",
            format!("{} MiB free", free >> 20),
            "the node refuses writes when the disk is full; nothing acknowledged is lost",
        )),
        Some(free) => checks.push(Check::good("disk", format!("{} GiB free", free >> 30))),
        None => checks.push(Check::warning(
            "disk",
            "free space is not known",
            "`df` gives no answer here",
        )),
    }
}

/// By POSIX `df -Pk`, fourth column of the second line; the standard library has no call for it.
fn free_bytes(dir: &Path) -> Option<u64> {
    let output = Command::new("df").arg("-Pk").arg(dir).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let kibibytes: u64 = text
        .lines()
        .nth(1)?
        .split_whitespace()
        .nth(3)?
        .parse()
        .ok()?;
    kibibytes.checked_mul(1024)
}

fn listening(config: &Config, checks: &mut Vec<Check>) {
    if !app::is_running(&config.dir) {
        checks.push(Check::warning("node", "it does not run", "`comity serve`"));
        return;
    }
    let url = std::fs::read_to_string(config.dir.join(ADDRESS_FILE)).unwrap_or_default();
    let address = url
        .trim()
        .split_once("://")
        .and_then(|(_, rest)| rest.trim_end_matches('/').parse::<SocketAddr>().ok());
    match address {
        Some(address) if answers(address) => {
            checks.push(Check::good("node", format!("listens on {}", url.trim())))
        }
        Some(address) => checks.push(Check::bad(
            "node",
            format!("does not answer on `{address}`"),
            "look into its log lines",
        )),
        None => checks.push(Check::bad(
            "node",
            "runs and does not listen",
            "it may be starting or stopping",
        )),
    }
}

fn answers(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, CONNECT_TIME_MAX).is_ok()
}

const CONNECT_TIME_MAX: Duration = Duration::from_secs(3);

fn tls(config: &Config, checks: &mut Vec<Check>) {
    const SOON_MICROS: i64 = 30 * 86_400_000_000;
    if config.insecure_http() {
        checks.push(Check::warning(
            "tls",
            "plain HTTP, on loopback",
            "leave `insecure_http` out before others connect",
        ));
        return;
    }
    let path = config
        .tls_certificate
        .value
        .clone()
        .unwrap_or_else(|| keys::tls_paths(&config.dir).0);
    if !path.exists() {
        checks.push(Check::good("tls", "a certificate is made at first start"));
        return;
    }
    let validity = CertificateDer::from_pem_file(&path)
        .ok()
        .and_then(|der| certificate::validity(&der));
    let Some((from, until)) = validity else {
        checks.push(Check::bad(
            "tls",
            format!("`{}` holds no certificate", path.display()),
            "PEM, the node's own certificate first",
        ));
        return;
    };
    let now = SystemClock::new().now_micros();
    let text = format!("certificate good until {}", micros_to_text(until));
    checks.push(if now < from {
        Check::bad(
            "tls",
            format!("certificate good only from {}", micros_to_text(from)),
            "look at the clock",
        )
    } else if now > until {
        Check::bad(
            "tls",
            format!("certificate ran out at {}", micros_to_text(until)),
            "renew it; peers that pinned it must pin the new one",
        )
    } else if until - now < SOON_MICROS {
        Check::warning(
            "tls",
            text,
            "renew it soon, and tell peers the new fingerprint",
        )
    } else {
        Check::good("tls", text)
    });
}

fn register(config: &Config, checks: &mut Vec<Check>) {
    // a missing key is a finding of its own
    let signer = app::log_signer(config).ok();
    let key = signer.as_ref().map(comity_ledger::note::Signer::verifier);
    let wanted = super::super::fsck::checks(Level::Quick, key);
    match comity_store::fsck(&config.dir, wanted, &mut |_| {}) {
        Ok(report) if report.is_clean() => checks.push(Check::good(
            "register",
            "signature of the head, tiles and counts agree",
        )),
        Ok(report) => {
            for problem in report.problems.iter().take(5) {
                let text = format!("{} at {}: {}", problem.what, problem.where_, problem.detail);
                checks.push(Check::bad(
                    "register",
                    text,
                    "`comity fsck` shows all; then `comity restore`",
                ));
            }
        }
        Err(error) => checks.push(Check::bad(
            "register",
            error.to_string(),
            "`comity restore` puts a backup into a new directory",
        )),
    }
}

/// A clock that went back would not harm the log's order, but every time in it.
fn clock(store: &Store, checks: &mut Vec<Check>) {
    const SLACK_MICROS: i64 = 2_000_000;
    let now = SystemClock::new().now_micros();
    let last = store
        .head()
        .ok()
        .and_then(|head| head.size.checked_sub(1))
        .and_then(|last| store.changes(last, 1).ok());
    let last = last.and_then(|changes| changes.first().map(|change| change.time_micros));
    checks.push(match last {
        Some(last) if last > now.saturating_add(SLACK_MICROS) => Check::bad(
            "clock",
            format!(
                "it is {} here, and the last log entry is of {}",
                micros_to_text(now),
                micros_to_text(last)
            ),
            "set the clock (NTP); legal time limits count by it",
        ),
        _ => Check::good("clock", micros_to_text(now)),
    });
}

fn people(store: &Store, checks: &mut Vec<Check>) {
    let Ok(all) = store.principals() else { return };
    if all.iter().all(|row| row.disabled) {
        checks.push(Check::warning(
            "users",
            "nobody can sign in",
            "`comity user add NAME --role officer --password-stdin`",
        ));
    } else {
        checks.push(Check::good("users", counted(all.len() as u64, "user")));
    }
}

fn peers(store: &Store, checks: &mut Vec<Check>) {
    for peer in store.peers().unwrap_or_default() {
        let Some(host) = host(&peer.url) else {
            checks.push(Check::bad(
                "peer",
                format!("`{}` has the unusable address `{}`", peer.key, peer.url),
                "`comity peer add` it anew",
            ));
            continue;
        };
        let reached = host
            .to_socket_addrs()
            .is_ok_and(|mut addresses| addresses.any(answers));
        checks.push(if reached {
            Check::good("peer", format!("`{}` answers at {host}", peer.key))
        } else {
            Check::warning(
                "peer",
                format!("`{}` does not answer at {host}", peer.key),
                "what is for it waits, and goes out when it answers",
            )
        });
    }
}

fn witnesses(config: &Config, store: &Store, checks: &mut Vec<Check>) {
    const LATE_MICROS: i64 = 1_800_000_000;
    let policy = match witnesses::policy::text(&config.dir) {
        Ok(Some(text)) => {
            comity_ledger::policy::Policy::parse(&text).map_err(|error| error.to_string())
        }
        Ok(None) => {
            checks.push(Check::warning(
                "witnesses",
                "nobody witnesses the log",
                "`comity log witness add`: without witnesses a proof shows one reader's view only",
            ));
            return;
        }
        Err(error) => Err(error.to_string()),
    };
    if let Err(error) = policy {
        checks.push(Check::bad(
            "witnesses",
            error,
            "`comity log witnesses --policy FILE` takes another policy",
        ));
        return;
    }
    let (now, size) = (
        SystemClock::new().now_micros(),
        store.head().map_or(0, |head| head.size),
    );
    let newest = store.witnessed_head(true).ok().flatten();
    checks.push(match newest {
        Some(head) if now - head.cosigned < LATE_MICROS => Check::good(
            "witnesses",
            format!("a quorum has cosigned {} of {size} entries", head.size),
        ),
        Some(head) => Check::warning(
            "witnesses",
            format!(
                "the newest head a quorum cosigned, of {} entries, is of {}",
                head.size,
                micros_to_text(head.cosigned)
            ),
            "`comity log witness list` says what each answers",
        ),
        None => Check::warning(
            "witnesses",
            "no quorum has cosigned a head yet",
            "`comity log witness list` says what each answers",
        ),
    });
}

fn alarms(store: &Store, checks: &mut Vec<Check>) {
    let open = store.alarms(true).unwrap_or_default();
    if open.is_empty() {
        checks.push(Check::good("alarms", "no open alarm"));
    }
    for alarm in open.iter().take(5) {
        checks.push(Check::bad(
            "alarms",
            format!(
                "{} of `{}`: {}",
                alarm.raised.kind.word(),
                alarm.raised.origin,
                alarm.raised.detail
            ),
            format!(
                "`comity alarms show {}`; an officer acknowledges it",
                alarm.id
            ),
        ));
    }
}

/// `host:port` of a URL.
fn host(url: &str) -> Option<String> {
    let uri: http::Uri = url.parse().ok()?;
    let usual = if uri.scheme_str()? == "http" { 80 } else { 443 };
    Some(format!(
        "{}:{}",
        uri.host()?,
        uri.port_u16().unwrap_or(usual)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_follow_the_scheme() {
        assert_eq!(
            host("https://node.example.eu/taxii2/").as_deref(),
            Some("node.example.eu:443")
        );
        assert_eq!(
            host("http://127.0.0.1:8000").as_deref(),
            Some("127.0.0.1:8000")
        );
        assert_eq!(host("nonsense").as_deref(), None);
    }

    #[test]
    fn free_space_is_found() {
        assert!(free_bytes(Path::new("/")).is_some());
    }
}
