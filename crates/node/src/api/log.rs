//! GET /api/v1/log/checkpoint and /api/v1/log/tile/...: the transparency log as C2SP tlog-tiles. Hashes, times and
//! signatures only: observers and peers witness the log without seeing contents. Two more of our own: `witnessed`, the newest
//! head a quorum of witnesses cosigned, and `seen`, the newest head of the caller's own log that is kept here.

use axum::extract::{Path, State};
use axum::response::Response;
use comity_ledger::tile::{Resource, push_entry};

use crate::http::auth::Caller;
use crate::http::{Ctx, Error, Result};

/// A resource of the log by its C2SP path.
///
/// # Errors
/// 401, 403, 404 for what is not (or not yet) in the log.
#[utoipa::path(
    get, path = "/api/v1/log/{path}", tag = "log",
    params(("path" = String, Path, description = "`checkpoint`, `witnessed`, `seen`, `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`")),
    responses(
        (status = 200, description = "A signed checkpoint, a tile of hashes or a bundle of entries", content(
            (String = "text/plain"), (Vec<u8> = "application/octet-stream")
        )),
        (status = 404, description = "Not in the log")
    )
)]
pub async fn get(
    State(ctx): State<Ctx>,
    caller: Caller,
    Path(path): Path<String>,
) -> Result<Response> {
    super::may_see_entries(&ctx, &caller)?;
    let unknown = || Error::not_found("there is no such resource of the log");
    let store = &ctx.app.store;
    match path.as_str() {
        "witnessed" => {
            let head = store.witnessed_head(true)?.ok_or_else(unknown)?;
            return Ok(super::typed(NOTE, head.note));
        }
        "seen" => {
            let theirs = crate::app::origin(caller.reader.party().as_str());
            let head = store.watched_head(&theirs)?.ok_or_else(unknown)?;
            return Ok(super::typed(NOTE, head.note));
        }
        _ => {}
    }
    let bytes = match Resource::parse(&path).ok_or_else(unknown)? {
        Resource::Checkpoint => {
            let head = store.head()?;
            if head.note.is_empty() {
                return Err(unknown());
            }
            return Ok(super::typed(NOTE, head.note));
        }
        Resource::Tile(tile) => {
            let hashes = store.tile(tile.level(), tile.index(), tile.width());
            hashes.map_err(|_| unknown())?.concat()
        }
        Resource::Entries { index, width } => {
            let from = index.checked_mul(256).ok_or_else(unknown)?;
            let entries = store.entries(from, from.saturating_add(u64::from(width)))?;
            if entries.len() != usize::from(width) {
                return Err(unknown());
            }
            let mut bundle = Vec::new();
            for entry in &entries {
                push_entry(&mut bundle, entry).map_err(Error::internal)?;
            }
            bundle
        }
    };
    Ok(super::typed("application/octet-stream", bytes))
}

const NOTE: &str = "text/plain; charset=utf-8";
