//! Packages, good ones and changed ones, by the library and by the program.

mod custody;
mod fixture;
mod good;
mod hostile;
mod program;
mod tamper;
mod tsa;
mod tsp;
