//! Many objects in one text: bundles, lists, single objects and TAXII envelopes.

use crate::finding::Finding;
use crate::json::Limits;
use std::io::Read;

/// Reads objects one by one from a stream of any size, with memory for one object.
#[derive(Debug)]
pub struct Reader<R: Read> {
    _read: R,
    _limits: Limits,
}

/// The text of one object and where it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawObject {
    /// The text.
    pub bytes: Vec<u8>,
    /// Bytes before it.
    pub offset: usize,
    /// Line it begins on, from 1.
    pub line: u32,
    /// Column it begins at, from 1.
    pub column: u32,
    /// Which object of the stream it is, from 0.
    pub index: usize,
}

impl<R: Read> Reader<R> {
    /// A reader of `read`; `limits` bound each object.
    pub fn new(read: R, limits: Limits) -> Self {
        Self {
            _read: read,
            _limits: limits,
        }
    }

    /// What was found about the bundle itself; complete once the iterator has ended.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &[]
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<RawObject, Finding>;

    fn next(&mut self) -> Option<Self::Item> {
        None
    }
}

/// One object of an [`Envelope`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raw<'a> {
    /// The text.
    pub bytes: &'a [u8],
    /// Bytes before it.
    pub offset: usize,
    /// Line it begins on, from 1.
    pub line: u32,
    /// Column it begins at, from 1.
    pub column: u32,
}

/// A TAXII 2.1 envelope (3.7).
#[derive(Debug, Default)]
pub struct Envelope<'a> {
    /// Its objects.
    pub objects: Vec<Raw<'a>>,
    /// `more`.
    pub more: Option<bool>,
    /// `next`.
    pub next: Option<String>,
    /// Every other property and its text.
    pub custom: Vec<(String, &'a [u8])>,
}

/// Splits an envelope into its objects.
///
/// # Errors
/// When `bytes` are not an envelope within `limits`.
pub fn envelope<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Envelope<'a>, Finding> {
    let _ = (bytes, limits);
    Ok(Envelope::default())
}
