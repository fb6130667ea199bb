//! Searching for one reader: hits it may see, and a way on only if there are more of those.

use comity_access::Reader;
use comity_store::{ReadError, SearchHit, SearchQuery, Seq};

use crate::app::App;
use crate::release::{Visible, visible};

/// What a search found.
#[derive(Debug, Default)]
pub struct Found {
    /// The hits, newest first, each with its object as the reader may see it.
    pub hits: Vec<(SearchHit, Vec<u8>)>,
    /// The cursor for the next page, when there is one.
    pub next: Option<Seq>,
}

/// Fills a page of at most `query.limit` hits. What is withheld from the reader counts for nothing: neither the length of
/// the page nor whether another follows tells that it is there.
///
/// # Errors
/// When the search cannot be understood, or the register not be read.
pub fn search(app: &App, reader: &Reader, mut query: SearchQuery) -> Result<Found, ReadError> {
    let limit = query.limit.max(1);
    let mut found = Found::default();
    loop {
        // one more than fits says whether another page follows
        query.limit = limit + 1 - found.hits.len();
        let hits = app.store.search(&query)?;
        let exhausted = hits.len() < query.limit;
        query.cursor = hits.last().map(|hit| hit.seq);
        for mut hit in hits {
            let bytes = std::mem::take(&mut hit.bytes);
            let seen = visible(&app.release, reader, hit.label_set, hit.granular, &bytes)?;
            match seen {
                Visible::Whole(_) => found.hits.push((hit, bytes)),
                Visible::Redacted(bytes) => found.hits.push((hit, bytes)),
                Visible::Withheld => {}
            }
        }
        if found.hits.len() > limit {
            found.hits.truncate(limit);
            found.next = found.hits.last().map(|(hit, _)| hit.seq);
            return Ok(found);
        }
        if exhausted {
            return Ok(found);
        }
    }
}
