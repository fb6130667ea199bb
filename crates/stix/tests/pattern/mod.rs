mod errors;
mod explain;
mod properties;
mod spec;
mod strategy;
