//! Memory whose address fits the disk's blocks, so that it can be written without being copied.

/// What direct writes ask for in address, length and offset. 4 KiB fits every disk and file system met so far.
pub(super) const ALIGN: usize = 4096;

/// Octets of one buffer: the disk is busy for longer than a request costs, and a few of them are little memory.
pub(super) const CHUNK: usize = 1 << 20;

/// [`CHUNK`] octets at an aligned address.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    start: usize,
}

impl Buffer {
    pub(super) fn new() -> Self {
        let bytes = vec![0; CHUNK + ALIGN];
        let start = bytes.as_ptr().align_offset(ALIGN);
        Self {
            // `align_offset` may say that it does not know; unaligned memory only costs the direct write
            start: if start < ALIGN { start } else { 0 },
            bytes,
        }
    }

    pub(super) fn first(&self, len: usize) -> &[u8] {
        self.bytes
            .get(self.start..)
            .and_then(|bytes| bytes.get(..len))
            .unwrap_or_default()
    }

    /// The part from `from` to `to`.
    pub(super) fn room(&mut self, from: usize, to: usize) -> &mut [u8] {
        self.bytes
            .get_mut(self.start..)
            .and_then(|bytes| bytes.get_mut(from..to))
            .unwrap_or_default()
    }
}
