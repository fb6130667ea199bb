//! Many objects in one text: bundles (clause 8), lists, single objects and TAXII envelopes.
//!
//! The text is only cut into objects here, by brackets and quotes; each piece is read strictly by [`crate::validate`].

mod beside;
mod envelope;
mod extent;
mod reader;
mod seen;
mod stream;

pub use beside::beside;
pub use envelope::{Envelope, Raw, envelope};
pub use reader::{RawObject, Reader};
pub use seen::Seen;
