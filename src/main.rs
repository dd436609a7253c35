//! The binary: all else is the library's.
fn main() -> std::process::ExitCode {
    flowc::cli::main()
}
