//! Randomness as a parameter: the one place of the node that asks the system for random bytes.

use std::sync::Arc;

/// Fills a buffer with unpredictable bytes; fails only if the system has none to give.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `buffer` whole.
    ///
    /// # Errors
    /// When the system's source cannot be read.
    fn fill(&self, buffer: &mut [u8]) -> std::io::Result<()>;
}

/// A random source shared by all parts of a node.
pub type SharedEntropy = Arc<dyn Entropy>;

/// The operating system's random source.
#[derive(Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the edge where randomness enters the node"
    )]
    fn fill(&self, buffer: &mut [u8]) -> std::io::Result<()> {
        getrandom::fill(buffer).map_err(std::io::Error::other)
    }
}

/// `N` fresh random bytes.
///
/// # Errors
/// When the source cannot be read.
pub fn bytes<const N: usize>(entropy: &dyn Entropy) -> std::io::Result<[u8; N]> {
    let mut buffer = [0; N];
    entropy.fill(&mut buffer)?;
    Ok(buffer)
}

/// A fresh random UUID (version 4), as TAXII wants for collections and statuses (section 2, `identifier`).
///
/// # Errors
/// When the source cannot be read.
pub fn uuid_v4(entropy: &dyn Entropy) -> std::io::Result<uuid::Uuid> {
    Ok(uuid::Builder::from_random_bytes(bytes::<16>(entropy)?).into_uuid())
}
