//! Packages, good ones and changed ones, by the library and by the program.

mod fixture;
mod good;
mod tamper;
mod tsa;
mod tsp;
