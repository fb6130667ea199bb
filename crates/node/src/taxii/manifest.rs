//! GET /{root}/collections/{id}/manifest/ (TAXII 2.1 section 5.3), and the rows that versions and deletion work on.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use comity_access::Reader;
use comity_stix::marking::Tlp;
use comity_store::{LabelSetId, PageEnd, PageQuery, Seq};
use http::{HeaderMap, StatusCode};
use serde::Serialize;

use super::list::ListRequest;
use super::respond;
use crate::app::App;
use crate::clock::micros_to_text;
use crate::http::accept::STIX;
use crate::http::auth::Caller;
use crate::http::context::{Ctx, reading};
use crate::http::error::Result;
use crate::release::{Visible, visible};

/// One version of one object the caller may see.
#[derive(Clone, Debug)]
pub struct Line {
    /// Membership time, microseconds.
    pub added: i64,
    /// STIX identifier.
    pub id: String,
    /// Version as written.
    pub version: String,
    /// Its label.
    pub label_set: LabelSetId,
    seq: Seq,
}

/// Section 5.3.1.
#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    date_added: String,
    version: &'a str,
    media_type: &'a str,
}

#[derive(Serialize)]
struct Manifest<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    objects: Vec<Entry<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    more: bool,
    // not in the table of 5.3.1; without it clients fetch the first page for ever (section 4 of the client notes)
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// What a page of objects would hold, without the objects.
///
/// # Errors
/// 401, 403, 404, 406, 400 as the section lists them.
pub async fn get(
    State(ctx): State<Ctx>,
    caller: Caller,
    Path((root, collection)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response> {
    super::api_root::check(&ctx, &root)?;
    let request = ListRequest::new(&ctx, &caller, &collection, None, &headers, query.as_deref())?;
    let (app, reader, asked) = (
        Arc::clone(&ctx.app),
        Arc::clone(&caller.reader),
        request.clone(),
    );
    let (lines, more) = reading(&ctx, request.is_long(), move || {
        lines(&app, &reader, &asked)
    })
    .await?;
    let objects = lines.iter().map(|line| Entry {
        id: &line.id,
        date_added: micros_to_text(line.added),
        version: &line.version,
        media_type: STIX,
    });
    let next = next(&request, &lines, more);
    let mut response = respond::resource(
        StatusCode::OK,
        &Manifest {
            objects: objects.collect(),
            more,
            next,
        },
    )?;
    request.date_headers(&mut response, added(&lines));
    Ok(response)
}

/// The `next` of a page after which more follow.
#[must_use]
pub fn next(request: &ListRequest, lines: &[Line], more: bool) -> Option<String> {
    let last = lines.last().filter(|_| more)?;
    Some(request.next_after(last.added))
}

/// Date added of the first and last line.
#[must_use]
pub fn added(lines: &[Line]) -> Option<(i64, i64)> {
    lines
        .first()
        .zip(lines.last())
        .map(|(first, last)| (first.added, last.added))
}

/// The lines of a page, and whether more follow. Records of which nothing valid would be left without their hidden parts are absent, as they are
/// from pages of objects.
///
/// # Errors
/// 500 when the register cannot be read.
pub fn lines(app: &App, reader: &Reader, request: &ListRequest) -> Result<(Vec<Line>, bool)> {
    let mut query = request.page_query();
    let mut all = Vec::new();
    // filled past what is withheld, and one more that shows whether another page follows, as with objects
    let wanted = request.limit.saturating_add(1);
    loop {
        query.limit = wanted - all.len();
        let (lines, end) = page(app, reader, request, &query)?;
        all.extend(lines);
        if all.len() >= wanted {
            all.truncate(request.limit);
            return Ok((all, true));
        }
        let (true, Some(last)) = (end.more, end.last_added) else {
            return Ok((all, false));
        };
        query.cursor = Some(last);
    }
}

fn page(
    app: &App,
    reader: &Reader,
    request: &ListRequest,
    query: &PageQuery,
) -> Result<(Vec<Line>, PageEnd)> {
    let mut lines = Vec::with_capacity(request.limit.min(1_000));
    let end = app.store.manifest(query, &mut |row| {
        lines.push(Line {
            added: row.added,
            id: row.id.to_owned(),
            version: row.version.to_owned(),
            label_set: row.label_set,
            seq: row.seq,
        });
    })?;
    let mut partial: HashMap<LabelSetId, bool> = HashMap::new();
    let mut kept = Vec::with_capacity(lines.len());
    for line in lines {
        let hides = match partial.get(&line.label_set) {
            Some(hides) => *hides,
            None => {
                let hides = !app.release.redactions(reader, line.label_set)?.is_empty();
                partial.insert(line.label_set, hides);
                hides
            }
        };
        let look =
            hides || (!request.told && app.release.label(line.label_set)?.tlp() >= Tlp::Amber);
        if !(look && withheld(app, reader, request, &line)?) {
            kept.push(line);
        }
    }
    Ok((kept, end))
}

fn withheld(app: &App, reader: &Reader, request: &ListRequest, line: &Line) -> Result<bool> {
    let Some(record) = app.store.record(line.seq)? else {
        return Ok(true);
    };
    if request.keeps_back(app, record.label_set, &record.bytes)? {
        app.metrics.records_kept_back_total.inc();
        return Ok(true);
    }
    let left = visible(
        &app.release,
        reader,
        record.label_set,
        record.granular,
        &record.bytes,
    )?;
    Ok(matches!(left, Visible::Withheld))
}
