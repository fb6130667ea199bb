pub mod granular;
pub mod marking;
pub mod pattern;
