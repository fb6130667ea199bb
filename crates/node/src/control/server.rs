//! The node's side of the control socket.

use std::cell::RefCell;
use std::io::{BufReader, BufWriter, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use tokio::net::UnixListener;

use super::wire::{self, Ask, Tell};
use super::{ControlError, Output, execute};
use crate::app::App;

/// The socket's name in a data directory.
pub const SOCKET_NAME: &str = "control.sock";

/// Opens the control socket of `dir`, for its owner only. The caller holds the directory's lock, so a socket that is
/// there already is what a killed node left.
///
/// # Errors
/// When the system refuses.
pub fn bind(dir: &Path) -> std::io::Result<UnixListener> {
    let path = dir.join(SOCKET_NAME);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let (address, _folder) = address(dir)?;
    let listener = UnixListener::bind(address)?;
    // between these two lines the directory's own mode (0700) keeps others out
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// The path to bind or connect to. The system takes 107 octets; a longer one is reached through the open folder.
pub(super) fn address(dir: &Path) -> std::io::Result<(PathBuf, Option<std::fs::File>)> {
    const SYSTEM_MAX: usize = 107;
    let path = dir.join(SOCKET_NAME);
    if path.as_os_str().len() <= SYSTEM_MAX {
        return Ok((path, None));
    }
    let folder = std::fs::File::open(dir)?;
    Ok((
        PathBuf::from(format!(
            "/proc/self/fd/{}/{SOCKET_NAME}",
            folder.as_raw_fd()
        )),
        Some(folder),
    ))
}

/// Answers commands until it is dropped; one that runs then is finished.
pub async fn serve(app: Arc<App>, listener: UnixListener) {
    let owner = std::fs::metadata(app.config.dir.join(SOCKET_NAME))
        .map(|data| data.uid())
        .ok();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "the control socket took no connection");
                continue;
            }
        };
        let user = stream.peer_cred().map(|cred| cred.uid()).ok();
        if user.is_none() || (user != owner && user != Some(0)) {
            tracing::warn!(?user, "a stranger at the control socket was turned away");
            continue;
        }
        let Ok(stream) = stream.into_std() else {
            continue;
        };
        let app = Arc::clone(&app);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = converse(&app, stream) {
                tracing::debug!(%error, "a caller at the control socket went away");
            }
        });
    }
}

fn converse(app: &Arc<App>, stream: UnixStream) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    let mut lines = BufReader::with_capacity(BUFFER_BYTES, stream.try_clone()?);
    let Some(Ask::Request {
        actor,
        command,
        items,
    }) = wire::read(&mut lines)?
    else {
        return Ok(());
    };
    let mut answer = Answer {
        stream: BufWriter::with_capacity(BUFFER_BYTES, stream),
    };
    let cut = RefCell::new(None);
    let mut input = std::iter::from_fn(|| {
        if !items {
            return None;
        }
        match wire::read(&mut lines) {
            Ok(Some(Ask::Item(item))) => Some(item),
            Ok(Some(Ask::End)) => None,
            // what was taken so far stands, but the caller must not take it for the whole
            Ok(_) => {
                cut.replace(Some("the input ended early".to_owned()));
                None
            }
            Err(error) => {
                cut.replace(Some(format!("the input cannot be read: {error}")));
                None
            }
        }
    })
    .fuse();
    let result = execute(app, &actor, *command, &mut input, &mut answer);
    let last = match (result, cut.take()) {
        (Ok(_), Some(reason)) => Tell::Failed(ControlError::usage(reason)),
        (Ok(value), None) => Tell::Done(value),
        (Err(error), _) => Tell::Failed(error),
    };
    wire::write(&mut answer.stream, &last)?;
    answer.stream.flush()
}

const BUFFER_BYTES: usize = 64 << 10;

struct Answer {
    stream: BufWriter<UnixStream>,
}

impl Answer {
    fn tell(&mut self, tell: &Tell) -> Result<(), ControlError> {
        wire::write(&mut self.stream, tell).map_err(ControlError::internal)
    }
}

impl Output for Answer {
    fn row(&mut self, row: Value) -> Result<(), ControlError> {
        self.tell(&Tell::Row(row))
    }

    fn text(&mut self, text: String) -> Result<(), ControlError> {
        self.tell(&Tell::Text(text))
    }

    fn progress(&mut self, stage: &str, done: u64, total: u64) {
        // progress is for the eyes: sent at once, and no reason to stop
        let _gone = self.tell(&Tell::Progress {
            stage: stage.to_owned(),
            done,
            total,
        });
        let _gone = self.stream.flush();
    }
}
