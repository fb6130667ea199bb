//! A witness's life: open, listen, stop at a signal.

use std::path::Path;
use std::sync::Arc;

use super::config::WitnessConfig;
use super::service::Service;
use super::{Witness, WitnessError};
use crate::clock::SystemClock;
use crate::http::Port;
use crate::http::tls::{self, Files};
use crate::lifecycle::{ADDRESS_FILE, Ended, Signals, tell_systemd};

/// Serves until a signal. `say` gets the lines for the person who started it.
///
/// # Errors
/// When it cannot start.
pub fn run(dir: &Path, config: &WitnessConfig, say: &dyn Fn(&str)) -> Result<Ended, WitnessError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(crate::limits::BLOCKING_THREADS_MAX)
        .enable_all()
        .build()
        .map_err(|source| WitnessError::System {
            what: "start the runtime",
            source,
        })?;
    let witness = Witness::open(dir, &config.name, Arc::new(SystemClock::new()), None)?;
    let service = Service::new(witness, config.requests_per_second)
        .map_err(|error| WitnessError::Internal(error.to_string()))?;
    let ended = runtime.block_on(live(dir, config, service, say));
    runtime.shutdown_background();
    ended
}

/// Opens the port a witness is configured for.
///
/// # Errors
/// TLS, the address.
pub async fn open_port(dir: &Path, config: &WitnessConfig) -> Result<Port, WitnessError> {
    let tls = if config.insecure_http {
        None
    } else {
        let files = Files {
            certificate: config.tls_certificate.as_deref(),
            key: config.tls_key.as_deref(),
            client_authorities: None,
        };
        let names = tls::names(config.listen.ip(), config.public_url.as_deref());
        Some(tls::load_files(dir, &files, &names).map_err(crate::http::ServeError::from)?)
    };
    Ok(Port::open(config.listen, tls).await?)
}

async fn live(
    dir: &Path,
    config: &WitnessConfig,
    service: Service,
    say: &dyn Fn(&str),
) -> Result<Ended, WitnessError> {
    let system = |what| move |source| WitnessError::System { what, source };
    let mut signals = Signals::new().map_err(system("wait for signals"))?;
    let port = open_port(dir, config).await?;
    let fingerprint = port.fingerprint();
    let listening = port.serve(service);
    let address = dir.join(ADDRESS_FILE);
    let staged = dir.join("address.new");
    std::fs::write(&staged, format!("{}\n", listening.url()))
        .and_then(|()| std::fs::rename(&staged, &address))
        .map_err(system("write the file `address`"))?;
    say(&format!("listening on {}", listening.url()));
    if let Some(fingerprint) = fingerprint {
        say(&format!(
            "certificate sha-256 {}",
            crate::http::context::hex(fingerprint)
        ));
    }
    tell_systemd(&[sd_notify::NotifyState::Ready]);
    let name = signals.next().await;
    say(&format!("{name}: stopping"));
    tell_systemd(&[sd_notify::NotifyState::Stopping]);
    let _gone = std::fs::remove_file(&address);
    tokio::select! {
        () = listening.stop() => Ok(Ended::Softly),
        _ = signals.next() => Ok(Ended::Hard),
    }
}
