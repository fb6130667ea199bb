//! Rules between two objects, for whoever has both: versions of one object (3.5, 3.6) and translations (7.1.1).

mod translations;
mod versions;

pub use translations::translation;
pub use versions::{Facts, succession, successor};
