//! One page of objects, spliced from the stored bytes into one buffer.

use std::sync::Arc;

use bytes::Bytes;
use comity_access::Reader;
use comity_store::{LabelSetId, PageEnd, PageQuery, Row, Seq};

use super::list::ListRequest;
use crate::app::App;
use crate::http::error::{Error, Result};
use crate::limits::PAGE_BYTES_MAX;
use crate::release::{Visible, visible};

/// A page ready to send.
#[derive(Clone, Debug)]
pub struct Page {
    /// The envelope (3.7).
    pub body: Bytes,
    /// Date added of the first and last object in it, microseconds; `None` when it is empty.
    pub added: Option<(i64, i64)>,
    /// More pages follow.
    pub more: bool,
    /// An object with granular markings was looked at: what is left of it depends on the reader alone.
    pub redacted: bool,
    /// What it hands to another party, for the log of disclosures; empty for the node's own.
    pub released: Released,
}

/// Records of a page with their labels.
pub type Released = Arc<[(Seq, LabelSetId)]>;

/// Builds the page `request` asks for.
///
/// # Errors
/// 500 when the register cannot be read.
pub fn build(app: &App, reader: &Reader, request: &ListRequest) -> Result<Page> {
    let foreign = reader.party() != &app.party;
    let mut page = Builder::new(app, reader, request, foreign);
    let mut query = request.page_query();
    // a withheld record leaves no gap: the page is filled with what comes after it, and `more` is only said of what may be
    // seen. Else its length would tell that the record is there
    let more = loop {
        query.limit = request.limit - page.rows;
        query.bytes_max = PAGE_BYTES_MAX.saturating_sub(page.buffer.len());
        let before = page.rows;
        let end = read(app, &query, &mut |row| page.push(row))?;
        let (true, Some(last)) = (end.more, end.last_added) else {
            break false;
        };
        query.cursor = Some(last);
        let full = page.rows >= request.limit
            || page.buffer.len() >= PAGE_BYTES_MAX
            || page.rows - before == end.rows;
        if full && page.rows > 0 {
            break page.follows(&mut query)?;
        }
    };
    let last = page.added.filter(|_| more).map(|(_, last)| last);
    let next = last.map(|last| request.next_after(last));
    page.finish(next.as_deref())
}

/// [`comity_store::Store::page`] with rows that can fail.
fn read(
    app: &App,
    query: &PageQuery,
    each: &mut dyn FnMut(&Row<'_>) -> Result<()>,
) -> Result<PageEnd> {
    let mut failed = None;
    let end = app.store.page(query, &mut |row| {
        if failed.is_none()
            && let Err(error) = each(&row)
        {
            failed = Some(error);
        }
    })?;
    failed.map_or(Ok(end), Err)
}

struct Builder<'a> {
    app: &'a App,
    reader: &'a Reader,
    request: &'a ListRequest,
    foreign: bool,
    buffer: Vec<u8>,
    added: Option<(i64, i64)>,
    /// Objects in it.
    rows: usize,
    released: Vec<(Seq, LabelSetId)>,
    redacted: bool,
}

/// Rows looked ahead at once: one is enough unless it is withheld.
const AHEAD_ROWS: usize = 16;
/// A page that grew by doubling gives back more than this, octets: slow readers hold pages for long.
const WASTE_MAX: usize = 256 << 10;
const OPEN: &[u8] = br#"{"objects":["#;

impl<'a> Builder<'a> {
    fn new(app: &'a App, reader: &'a Reader, request: &'a ListRequest, foreign: bool) -> Self {
        let buffer = Vec::with_capacity(4 << 10);
        Self {
            app,
            reader,
            request,
            foreign,
            buffer,
            added: None,
            rows: 0,
            released: Vec::new(),
            redacted: false,
        }
    }

    fn push(&mut self, row: &Row<'_>) -> Result<()> {
        let redacted;
        if self
            .request
            .keeps_back(self.app, row.label_set, row.bytes)?
        {
            self.app.metrics.records_kept_back_total.inc();
            return Ok(());
        }
        self.redacted |= row.granular;
        let bytes = if row.granular {
            match visible(
                &self.app.release,
                self.reader,
                row.label_set,
                true,
                row.bytes,
            )? {
                Visible::Whole(bytes) => bytes,
                Visible::Redacted(bytes) => {
                    redacted = bytes;
                    redacted.as_slice()
                }
                Visible::Withheld => return Ok(()),
            }
        } else {
            row.bytes
        };
        if self.foreign {
            self.released.push((row.seq, row.label_set));
        }
        let (separator, first) = match self.added {
            None => (OPEN, row.added),
            Some((first, _)) => (b",".as_slice(), first),
        };
        self.added = Some((first, row.added));
        self.rows += 1;
        self.buffer.extend_from_slice(separator);
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Whether anything this reader may see comes after the cursor.
    fn follows(&mut self, query: &mut PageQuery) -> Result<bool> {
        query.limit = 1;
        query.bytes_max = 1;
        loop {
            let mut seen = false;
            let end = read(self.app, query, &mut |row| {
                // who may see what follows depends on the reader, and so does this page's `more`
                self.redacted |= row.granular;
                seen |= !self.withholds(row)?;
                Ok(())
            })?;
            if seen {
                return Ok(true);
            }
            let (true, Some(last)) = (end.more, end.last_added) else {
                return Ok(false);
            };
            query.cursor = Some(last);
            query.limit = AHEAD_ROWS;
            query.bytes_max = PAGE_BYTES_MAX;
        }
    }

    /// Whether [`Self::push`] would leave a row out.
    fn withholds(&self, row: &Row<'_>) -> Result<bool> {
        if self
            .request
            .keeps_back(self.app, row.label_set, row.bytes)?
        {
            return Ok(true);
        }
        let left = visible(
            &self.app.release,
            self.reader,
            row.label_set,
            row.granular,
            row.bytes,
        )?;
        Ok(matches!(left, Visible::Withheld))
    }

    fn finish(mut self, next: Option<&str>) -> Result<Page> {
        // section 2: an empty list never appears, the key is left out
        let mut opened = b'{';
        if self.added.is_some() {
            self.buffer.push(b']');
            opened = b',';
        }
        match next {
            Some(next) => {
                self.buffer.push(opened);
                self.buffer.extend_from_slice(br#""more":true,"next":"#);
                let text = serde_json::to_vec(next).map_err(Error::internal)?;
                self.buffer.extend_from_slice(&text);
            }
            None if self.added.is_none() => self.buffer.push(b'{'),
            None => {}
        }
        self.buffer.push(b'}');
        if self.buffer.capacity() - self.buffer.len() > WASTE_MAX {
            self.buffer.shrink_to_fit();
        }
        Ok(Page {
            body: self.buffer.into(),
            added: self.added,
            more: next.is_some(),
            redacted: self.redacted,
            released: self.released.into(),
        })
    }
}
