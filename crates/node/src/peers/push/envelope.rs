//! One envelope on its way to a peer, with the proofs beside its records.

use comity_store::{ReadError, Record, Seq};

use super::Target;
use crate::app::App;
use crate::handling::SidecarItem;
use crate::peers::client::{Answer, ClientError};
use crate::peers::delivery::write_beside;
use crate::peers::head::Telling;
use crate::proof::Prover;

/// One record of an envelope, for its peer's answer.
pub(super) struct Sent {
    pub(super) seq: Seq,
    pub(super) id: String,
    pub(super) version_key: String,
    /// It went before, and the disclosure is noted.
    pub(super) tried: bool,
}

#[derive(Default)]
pub(super) struct Envelope {
    pub(super) records: Vec<Sent>,
    pub(super) objects: Vec<u8>,
    pub(super) sidecar: Vec<SidecarItem>,
}

impl Envelope {
    /// Adds a record as `object`, the form in which the peer may have it.
    pub(super) fn add(&mut self, line: SidecarItem, record: Record, object: &[u8], tried: bool) {
        if !self.objects.is_empty() {
            self.objects.push(b',');
        }
        self.objects.extend_from_slice(object);
        self.sidecar.push(line);
        self.records.push(Sent {
            seq: record.seq,
            id: record.id,
            version_key: record.version_key,
            tried,
        });
    }

    /// With proofs under `prover`'s head for a Comity node that knows `known` entries of our log.
    pub(super) fn body(
        &self,
        prover: Option<&mut Prover>,
        known: Option<u64>,
    ) -> Result<Vec<u8>, ReadError> {
        let mut body = Vec::with_capacity(self.objects.len() + 64);
        body.extend_from_slice(b"{\"objects\":[");
        body.extend_from_slice(&self.objects);
        body.push(b']');
        if let Some(prover) = prover {
            write_beside(&mut body, &mut self.sidecar.clone(), prover, known)?;
        }
        body.push(b'}');
        Ok(body)
    }
}

/// What a line of the sidecar takes at most, octets, in a log of the largest size: label, entry, path.
pub(super) const LINE_BYTES_MAX: usize = 1_024 + comity_ledger::tree::PROOF_HASHES_MAX * 48;

/// Posts with proofs, under a head that continues what the peer knows.
pub(super) async fn post_proved(
    app: &App,
    target: &Target,
    url: &str,
    envelope: &Envelope,
) -> Result<Answer, ClientError> {
    let mut telling = Telling::default();
    loop {
        let known = telling.known(app, &target.peer.key);
        let mut prover = Prover::new(&app.store).map_err(unread)?;
        let body = envelope.body(Some(&mut prover), known).map_err(unread)?;
        match target.client.post_taxii(url, body, telling.told).await {
            Err(error) if telling.again(app, &target.peer.key, &error) => {}
            Ok(answer) => {
                app.exchange.acknowledge(&target.peer.key, prover.size());
                return Ok(answer);
            }
            Err(error) => return Err(error),
        }
    }
}

pub(super) fn unread(error: ReadError) -> ClientError {
    ClientError::Unreachable {
        url: "the own register".to_owned(),
        text: error.to_string(),
    }
}
