//! Prints the page that says who may do what in Hub-Lib: `make policies`.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    io::stdout().write_all(e2e::page().as_bytes())
}
