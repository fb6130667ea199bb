//! The caller's side: carries a command out here, or asks the node that holds the data directory.

use std::io::{BufReader, BufWriter, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::runtime::Runtime;

use super::server::{SOCKET_NAME, address};
use super::wire::{self, Ask, Item, Tell};
use super::{Command, ControlError, ErrorKind, Output, execute};
use crate::app::{self, App, AppError, Running};
use crate::clock::SystemClock;
use crate::config::{Config, Layer};
use crate::entropy::SystemEntropy;

/// The objects a command brings.
pub type Items = Box<dyn Iterator<Item = Item> + Send>;

/// Carries out `command` on the node in `dir`, running or not.
///
/// # Errors
/// What the act failed with, or why the node cannot be reached.
pub fn call(
    dir: &Path,
    actor: &str,
    command: Command,
    input: Option<Items>,
    output: &mut dyn Output,
) -> Result<Value, ControlError> {
    match reach(dir)? {
        Reached::Node(stream) => ask(dir, stream, actor, command, input, output),
        Reached::Directory(app, running, runtime) => {
            here(app, running, runtime, actor, command, input, output)
        }
    }
}

/// Who carries the command out.
enum Reached {
    /// A node that runs.
    Node(UnixStream),
    /// This process, which holds the directory meanwhile.
    Directory(Arc<App>, Running, Runtime),
}

/// Tries until the node answers or the directory is free: another command may hold it for a moment, and a node that
/// starts or stops does not answer.
fn reach(dir: &Path) -> Result<Reached, ControlError> {
    const TRIES: u32 = 100;
    const PAUSE: Duration = Duration::from_millis(50);
    let mut last = None;
    for _ in 0..TRIES {
        if app::is_running(dir) {
            match address(dir).and_then(|(address, _folder)| UnixStream::connect(address)) {
                Ok(stream) => return Ok(Reached::Node(stream)),
                Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                    return Err(unreachable(dir, &error));
                }
                Err(error) => last = Some(unreachable(dir, &error)),
            }
        } else {
            match open(dir) {
                Err(AppError::Locked(path)) => {
                    last = Some(ControlError::new(
                        ErrorKind::Busy,
                        AppError::Locked(path).to_string(),
                    ))
                }
                opened => {
                    let (app, running, runtime) = opened?;
                    return Ok(Reached::Directory(app, running, runtime));
                }
            }
        }
        std::thread::park_timeout(PAUSE);
    }
    Err(last.unwrap_or_else(|| {
        ControlError::new(ErrorKind::Busy, format!("`{}` is in use", dir.display()))
    }))
}

fn open(dir: &Path) -> Result<(Arc<App>, Running, Runtime), AppError> {
    let config = Config::load(dir, Layer::default())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|source| AppError::System {
            what: "cannot start the runtime",
            source,
        })?;
    let (app, running) = App::open(
        config,
        Arc::new(SystemClock::new()),
        Arc::new(SystemEntropy),
    )?;
    Ok((app, running, runtime))
}

fn unreachable(dir: &Path, error: &std::io::Error) -> ControlError {
    let path = dir.join(SOCKET_NAME);
    let what = format!(
        "the node on `{}` does not answer at `{}`: {error}",
        dir.display(),
        path.display()
    );
    ControlError::new(ErrorKind::Busy, what)
        .help("it may be starting or stopping, or run under another user")
}

/// Carries it out in this process.
fn here(
    app: Arc<App>,
    running: Running,
    runtime: Runtime,
    actor: &str,
    command: Command,
    input: Option<Items>,
    output: &mut dyn Output,
) -> Result<Value, ControlError> {
    let result = {
        // acts that talk to peers find the runtime by its handle
        let _entered = runtime.enter();
        let asked = if command.may_sign() {
            runtime
                .block_on(crate::witnesses::own::check_at_start(&app))
                .map(|_| ())
        } else {
            Ok(())
        };
        let mut input: Items = input.unwrap_or_else(|| Box::new(std::iter::empty()));
        match asked {
            Ok(()) => execute(&app, actor, command, &mut *input, output),
            Err(text) => Err(ControlError::forbidden(text)),
        }
    };
    drop(runtime);
    drop(app);
    running.join();
    result
}

/// Asks the running node.
fn ask(
    dir: &Path,
    stream: UnixStream,
    actor: &str,
    command: Command,
    input: Option<Items>,
    output: &mut dyn Output,
) -> Result<Value, ControlError> {
    let unreachable = |error: std::io::Error| unreachable(dir, &error);
    let mut lines =
        BufReader::with_capacity(BUFFER_BYTES, stream.try_clone().map_err(unreachable)?);
    let mut writer = BufWriter::with_capacity(BUFFER_BYTES, stream);
    let request = Ask::Request {
        actor: actor.to_owned(),
        command: Box::new(command),
        items: input.is_some(),
    };
    wire::write(&mut writer, &request)
        .and_then(|()| writer.flush())
        .map_err(unreachable)?;
    // the items go out beside the answers coming in, so that neither side waits for the other for ever
    let sender = input.map(|input| {
        std::thread::spawn(move || -> std::io::Result<()> {
            for item in input {
                wire::write(&mut writer, &Ask::Item(item))?;
            }
            wire::write(&mut writer, &Ask::End)?;
            writer.flush()
        })
    });
    let result = listen(&mut lines, output)
        .map_err(unreachable)
        .and_then(|result| result);
    if result.is_ok()
        && let Some(sender) = sender
    {
        // an error in there was the node's hanging up, which the answer already told
        let _told = sender.join();
    }
    result
}

const BUFFER_BYTES: usize = 64 << 10;

fn listen(
    lines: &mut BufReader<UnixStream>,
    output: &mut dyn Output,
) -> std::io::Result<Result<Value, ControlError>> {
    loop {
        let told = match wire::read(lines)? {
            Some(Tell::Row(row)) => output.row(row),
            Some(Tell::Text(text)) => output.text(text),
            Some(Tell::Progress { stage, done, total }) => {
                output.progress(&stage, done, total);
                Ok(())
            }
            Some(Tell::Done(value)) => return Ok(Ok(value)),
            Some(Tell::Failed(error)) => return Ok(Err(error)),
            None => {
                return Err(std::io::Error::new(
                    std::io::ErrorKind::UnexpectedEof,
                    "it hung up in the middle",
                ));
            }
        };
        if let Err(error) = told {
            return Ok(Err(error));
        }
    }
}
