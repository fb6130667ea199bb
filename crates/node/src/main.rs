//! The binary `comity`; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    comity_node::cmd::main(std::env::args_os())
}
