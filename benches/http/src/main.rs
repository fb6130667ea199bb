//! `http-load ingest HOST:PORT PATH FILE COPIES WRITERS`: posts each line of FILE (an envelope) COPIES times with new ids
//! `http-load walk HOST:PORT PATH ROUNDS [SAVE_DIR]`: follows `next` to the end; the best round counts
//! `http-load files HOST:PORT PREFIX COUNT ROUNDS`: the same reading of PREFIX0..PREFIXn, for a static server
//! `http-load latency HOST:PORT COUNT PATH...`: COUNT requests over the paths in turn, p50 and p99
//!
//! The header `Authorization` comes from the variable AUTHORIZATION. Each prints one line of JSON.

mod connection;
mod ids;

use std::collections::HashSet;
use std::error::Error;
use std::time::{Duration, Instant};

use connection::Connection;

pub(crate) type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["ingest", host, path, file, copies, writers] => ingest(host, path, file, copies.parse()?, writers.parse()?),
        ["walk", host, path, rounds, save @ ..] => walk(host, path, rounds.parse()?, save.first().copied()),
        ["files", host, prefix, count, rounds] => files(host, prefix, count.parse()?, rounds.parse()?),
        ["latency", host, count, paths @ ..] => latency(host, count.parse()?, paths),
        _ => Err("see the head of src/main.rs".into()),
    }
}

/// The envelopes are made before the clock starts; each writer has its own connection and share.
fn ingest(host: &str, path: &str, file: &str, copies: u32, writers: usize) -> Outcome<()> {
    let text = std::fs::read(file)?;
    let envelopes: Vec<&[u8]> = text.split(|b| *b == b'\n').filter(|line| !line.is_empty()).collect();
    let per_copy: usize = envelopes.iter().map(|e| ids::count_objects(e, &mut HashSet::new())).sum();
    let mut spent = Duration::ZERO;
    let (mut done, mut slowest) = (0usize, Duration::ZERO);
    let first = std::env::var("FIRST_COPY").ok().and_then(|n| n.parse().ok()).unwrap_or(0u32);
    for copy in first..first + copies {
        let made: Vec<Vec<u8>> = envelopes.iter().map(|e| ids::reminted(e, copy)).collect();
        let began = Instant::now();
        let outcome: Outcome<Vec<(usize, Duration)>> = std::thread::scope(|scope| {
            let handles: Vec<_> = (0..writers)
                .map(|n| {
                    let made = &made;
                    scope.spawn(move || post_share(host, path, made, n, writers))
                })
                .collect();
            handles.into_iter().map(|h| h.join().map_err(|_| "a writer panicked")?).collect()
        });
        spent += began.elapsed();
        for (objects, longest) in outcome? {
            done += objects;
            slowest = slowest.max(longest);
        }
    }
    println!(
        "{{\"objects\":{done},\"expected\":{},\"seconds\":{:.3},\"per_second\":{:.0},\"slowest_ms\":{:.1}}}",
        per_copy * copies as usize, spent.as_secs_f64(), done as f64 / spent.as_secs_f64(), slowest.as_secs_f64() * 1e3
    );
    Ok(())
}

fn post_share(host: &str, path: &str, made: &[Vec<u8>], first: usize, step: usize) -> Outcome<(usize, Duration)> {
    let mut connection = Connection::open(host)?;
    // OpenTAXII 0.9.3 keeps the objects and then cannot write its answer
    let any = std::env::var_os("ACCEPT_500").is_some();
    let (mut objects, mut longest) = (0, Duration::ZERO);
    for body in made.iter().skip(first).step_by(step) {
        let began = Instant::now();
        let status = connection.request("POST", path, Some(body))?;
        longest = longest.max(began.elapsed());
        let answer = connection.body();
        if any && status == 500 {
            objects += ids::count_objects(body, &mut HashSet::new());
            continue;
        }
        if status != 202 || !contains(answer, b"\"complete\"") {
            return Err(format!("status {status}: {}", String::from_utf8_lossy(&answer[..answer.len().min(2000)])).into());
        }
        objects += number_after(answer, b"\"success_count\":").unwrap_or(0);
    }
    Ok((objects, longest))
}

/// Only the transfer is timed; objects are counted afterwards from the pages kept.
fn walk(host: &str, path: &str, rounds: usize, save: Option<&str>) -> Outcome<()> {
    let mut best: Option<(Duration, Vec<Duration>, Vec<Vec<u8>>)> = None;
    for _ in 0..rounds {
        let mut connection = Connection::open(host)?;
        let (mut times, mut pages) = (Vec::new(), Vec::new());
        let mut target = path.to_owned();
        let began = Instant::now();
        loop {
            let asked = Instant::now();
            let status = connection.request("GET", &target, None)?;
            times.push(asked.elapsed());
            if status != 200 {
                return Err(format!("status {status} for {target}").into());
            }
            let page = connection.take_body();
            let next = next_of(&page);
            pages.push(page);
            match next {
                Some(next) => target = format!("{path}&next={next}"),
                None => break,
            }
        }
        let total = began.elapsed();
        if best.as_ref().is_none_or(|(t, ..)| total < *t) {
            best = Some((total, times, pages));
        }
    }
    let (total, mut times, pages) = best.ok_or("no round")?;
    if let Some(folder) = save {
        for (n, page) in pages.iter().enumerate() {
            std::fs::write(format!("{folder}/page{n}"), page)?;
        }
    }
    let mut seen = HashSet::new();
    let objects: usize = pages.iter().map(|page| ids::count_objects(page, &mut seen)).sum();
    report(total, &mut times, pages.iter().map(Vec::len).sum(), objects, seen.len());
    Ok(())
}

fn files(host: &str, prefix: &str, count: usize, rounds: usize) -> Outcome<()> {
    let mut best: Option<(Duration, Vec<Duration>, usize)> = None;
    for _ in 0..rounds {
        let mut connection = Connection::open(host)?;
        let (mut times, mut bytes) = (Vec::new(), 0);
        // the pages are kept as in `walk`, so that both do the same work
        let mut pages = Vec::new();
        let began = Instant::now();
        for n in 0..count {
            let asked = Instant::now();
            let status = connection.request("GET", &format!("{prefix}{n}"), None)?;
            times.push(asked.elapsed());
            if status != 200 {
                return Err(format!("status {status} for {prefix}{n}").into());
            }
            let page = connection.take_body();
            bytes += page.len();
            let _ = next_of(&page);
            pages.push(page);
        }
        let total = began.elapsed();
        if best.as_ref().is_none_or(|(t, ..)| total < *t) {
            best = Some((total, times, bytes));
        }
    }
    let (total, mut times, bytes) = best.ok_or("no round")?;
    report(total, &mut times, bytes, 0, 0);
    Ok(())
}

fn latency(host: &str, count: usize, paths: &[&str]) -> Outcome<()> {
    let mut connection = Connection::open(host)?;
    let mut times = Vec::with_capacity(count);
    let mut bytes = 0;
    let warm = count / 10;
    let began = Instant::now();
    for (n, path) in paths.iter().cycle().take(count + warm).enumerate() {
        let asked = Instant::now();
        let status = connection.request("GET", path, None)?;
        if n >= warm {
            times.push(asked.elapsed());
        }
        if status != 200 {
            return Err(format!("status {status} for {path}: {}", String::from_utf8_lossy(connection.body())).into());
        }
        bytes += connection.body().len();
    }
    report(began.elapsed(), &mut times, bytes, 0, 0);
    Ok(())
}

fn report(total: Duration, times: &mut [Duration], bytes: usize, objects: usize, distinct: usize) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "{{\"requests\":{},\"seconds\":{:.4},\"bytes\":{bytes},\"objects\":{objects},\"distinct\":{distinct},\
         \"per_second\":{:.0},\"p50_ms\":{:.3},\"p99_ms\":{:.3},\"max_ms\":{:.3}}}",
        times.len(), total.as_secs_f64(), objects as f64 / total.as_secs_f64(), at(0.5), at(0.99), at(1.0)
    );
}

/// The envelope's `next`: it stands before or after the objects, so both ends are looked at.
fn next_of(page: &[u8]) -> Option<String> {
    let ends = [&page[..page.len().min(4096)], &page[page.len().saturating_sub(4096)..]];
    if !ends.iter().any(|end| contains(end, b"\"more\":true") || contains(end, b"\"more\": true")) {
        return None;
    }
    ends.iter().find_map(|end| {
        let at = find(end, b"\"next\":")? + 7;
        let rest = &end[at..];
        let open = rest.iter().position(|b| *b == b'"')? + 1;
        let close = open + rest[open..].iter().position(|b| *b == b'"')?;
        let text = std::str::from_utf8(&rest[open..close]).ok()?;
        Some(text.replace('%', "%25").replace('+', "%2B").replace('=', "%3D").replace('/', "%2F"))
    })
}

fn number_after(text: &[u8], key: &[u8]) -> Option<usize> {
    let rest = &text[find(text, key)? + key.len()..];
    let digits: String = rest.iter().skip_while(|b| **b == b' ').take_while(|b| b.is_ascii_digit()).map(|b| *b as char).collect();
    digits.parse().ok()
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    find(text, part).is_some()
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|w| w == part)
}
