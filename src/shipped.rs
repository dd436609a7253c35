//! What ships, read when flowc was built: each declaration in a compact form, taken out when it is first looked at.
//!
//! `build.rs` writes it, of the same parser and the same types; [`crate::source::library`] lists the files.

use crate::source::FileId;
use crate::syntax::ast::Decl;
use std::sync::OnceLock;

/// A declaration that ships.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Form<'a> {
    /// The word that opens it.
    pub keyword: &'a str,
    /// Its name.
    pub name: &'a str,
    /// All of it.
    pub decl: &'a [u8],
}

/// The declarations of a file that ships, in their order.
pub fn outline(file: FileId) -> &'static [Form<'static>] {
    static FILES: OnceLock<Vec<Vec<Form<'static>>>> = OnceLock::new();
    let files = FILES.get_or_init(|| {
        let bytes: &'static [u8] = include_bytes!(concat!(env!("OUT_DIR"), "/shipped.bin"));
        postcard::from_bytes(bytes).expect("what the build has written")
    });
    file.place().and_then(|place| files.get(place)).map_or(&[], Vec::as_slice)
}

/// A declaration, from its form.
pub fn declaration(form: &[u8]) -> Decl {
    postcard::from_bytes(form).expect("what the build has written")
}

/// The project that holds the tests of the default flows: each file of `flows/tests` by its path there, and its text.
pub static TESTS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/tests.rs"));
