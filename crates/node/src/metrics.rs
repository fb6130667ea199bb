//! What the node counts, in Prometheus' text format at `/metrics`. Names end in their unit.

use std::time::Duration;

use prometheus::{
    Encoder as _, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};

/// All metrics of one node; its own registry, so that several nodes can live in one process.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    /// Requests by route and status class.
    pub requests_total: IntCounterVec,
    /// Time to answer, by route.
    pub request_seconds: prometheus::HistogramVec,
    /// Transactions the sequencer committed.
    pub batches_total: IntCounter,
    /// Transactions that failed.
    pub batches_failed_total: IntCounter,
    /// Operations committed.
    pub operations_total: IntCounter,
    /// Time of one transaction.
    pub batch_seconds: Histogram,
    /// Objects taken in, by outcome.
    pub objects_total: IntCounterVec,
    /// Records kept back over TAXII from readers of other parties who would not have learnt the label.
    pub records_kept_back_total: IntCounter,
    /// Failed log-ins.
    pub authentication_failures_total: IntCounter,
    /// Entries of the log.
    pub log_entries: IntGauge,
    /// Entries a follower has still to read.
    pub follower_lag_entries: IntGaugeVec,
    /// Deliveries by peer and state.
    pub deliveries_total: IntCounterVec,
    /// Receipts of peers kept, by event.
    pub receipts_total: IntCounterVec,
    /// Receipts that did not come in time.
    pub receipts_expired_total: IntCounter,
    /// Open connections.
    pub connections_open: IntGauge,
    /// Entries under the newest head that a quorum of witnesses cosigned.
    pub log_witnessed_entries: IntGauge,
    /// Heads submitted to witnesses, by witness and outcome.
    pub witness_requests_total: IntCounterVec,
    /// Alarms that nobody has acknowledged, by kind.
    pub alarms_open: IntGaugeVec,
    /// 1 while something erased may still be found in the files.
    pub erasure_pending: IntGauge,
    /// Disclosures that could not be logged.
    pub disclosures_lost_total: IntCounter,
    /// 1 while the last transaction found no space left.
    pub register_full: IntGauge,
    /// 1 when no write is taken any more: the node is about to end.
    pub register_failed: IntGauge,
}

impl Metrics {
    /// Registers every metric.
    ///
    /// # Errors
    /// Only when two metrics have one name, which a test excludes.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new_custom(Some("comity".to_owned()), None)?;
        let counter = |name: &str, help: &str| -> Result<IntCounter, prometheus::Error> {
            let metric = IntCounter::new(name, help)?;
            registry.register(Box::new(metric.clone()))?;
            Ok(metric)
        };
        let counters =
            |name: &str, help: &str, labels: &[&str]| -> Result<IntCounterVec, prometheus::Error> {
                let metric = IntCounterVec::new(Opts::new(name, help), labels)?;
                registry.register(Box::new(metric.clone()))?;
                Ok(metric)
            };
        let gauge = |name: &str, help: &str| -> Result<IntGauge, prometheus::Error> {
            let metric = IntGauge::new(name, help)?;
            registry.register(Box::new(metric.clone()))?;
            Ok(metric)
        };
        let batch_seconds = Histogram::with_opts(
            HistogramOpts::new("batch_seconds", "time of one transaction of the sequencer")
                .buckets(BUCKETS.to_vec()),
        )?;
        registry.register(Box::new(batch_seconds.clone()))?;
        let request_seconds = prometheus::HistogramVec::new(
            HistogramOpts::new("request_seconds", "time to answer a request")
                .buckets(BUCKETS.to_vec()),
            &["route"],
        )?;
        registry.register(Box::new(request_seconds.clone()))?;
        let follower_lag_entries = IntGaugeVec::new(
            Opts::new(
                "follower_lag_entries",
                "log entries a follower has still to read",
            ),
            &["follower"],
        )?;
        registry.register(Box::new(follower_lag_entries.clone()))?;
        let alarms_open = IntGaugeVec::new(
            Opts::new("alarms_open", "alarms that nobody has acknowledged"),
            &["kind"],
        )?;
        registry.register(Box::new(alarms_open.clone()))?;
        Ok(Self {
            requests_total: counters("requests_total", "requests answered", &["route", "status"])?,
            request_seconds,
            batches_total: counter("batches_total", "transactions committed by the sequencer")?,
            batches_failed_total: counter("batches_failed_total", "transactions that failed")?,
            operations_total: counter("operations_total", "operations committed")?,
            batch_seconds,
            objects_total: counters("objects_total", "objects taken in", &["outcome"])?,
            records_kept_back_total: counter(
                "records_kept_back_total",
                "records kept back over TAXII whose label stands beside the object only",
            )?,
            authentication_failures_total: counter(
                "authentication_failures_total",
                "failed log-ins",
            )?,
            log_entries: gauge("log_entries", "entries of the transparency log")?,
            follower_lag_entries,
            deliveries_total: counters(
                "deliveries_total",
                "records handed to peers",
                &["peer", "state"],
            )?,
            receipts_total: counters("receipts_total", "receipts of peers kept", &["event"])?,
            receipts_expired_total: counter(
                "receipts_expired_total",
                "receipts that did not come in the agreed time",
            )?,
            connections_open: gauge("connections_open", "open connections")?,
            log_witnessed_entries: gauge(
                "log_witnessed_entries",
                "entries under the newest head that a quorum of witnesses cosigned",
            )?,
            witness_requests_total: counters(
                "witness_requests_total",
                "heads submitted to witnesses",
                &["witness", "outcome"],
            )?,
            alarms_open,
            disclosures_lost_total: counter(
                "disclosures_lost_total",
                "disclosures of TLP:GREEN or TLP:CLEAR that are in the log lines only",
            )?,
            register_full: gauge(
                "register_full",
                "1 while the last transaction found no space left",
            )?,
            register_failed: gauge("register_failed", "1 when no write is taken any more")?,
            erasure_pending: gauge(
                "erasure_pending",
                "1 while something erased may still be found in the files",
            )?,
            registry,
        })
    }

    /// One transaction of the sequencer is on disk.
    pub fn batch_committed(&self, operations: usize, took: Duration) {
        self.batches_total.inc();
        self.operations_total.inc_by(operations as u64);
        self.batch_seconds.observe(took.as_secs_f64());
    }

    /// One transaction of the sequencer failed.
    pub fn batch_failed(&self) {
        self.batches_failed_total.inc();
    }

    /// The text Prometheus scrapes.
    ///
    /// # Errors
    /// When a metric cannot be written, which its own types exclude.
    pub fn text(&self) -> Result<String, prometheus::Error> {
        let mut buffer = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut buffer)?;
        Ok(String::from_utf8_lossy(&buffer).into_owned())
    }
}

const BUCKETS: &[f64] = &[
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0,
];

#[cfg(test)]
mod tests {
    #[test]
    fn all_metrics_register_under_different_names() {
        let metrics = super::Metrics::new().unwrap();
        metrics.batch_committed(3, std::time::Duration::from_millis(4));
        assert!(
            metrics
                .text()
                .unwrap()
                .contains("comity_operations_total 3")
        );
    }
}
