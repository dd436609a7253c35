//! What ships inside the binary: the standard library and the default flows, by module name.

/// Module, path as people see it, text.
pub type Embedded = (&'static str, &'static str, &'static str);

/// Files of the standard library and the default flows. A test holds this list to the folders.
pub static LIBRARY: &[Embedded] = &[];

/// The files of a module, `exact` or `flows.orders`.
pub fn module(name: &str) -> impl Iterator<Item = &'static Embedded> {
    LIBRARY.iter().filter(move |(module, _, _)| *module == name)
}

/// The names of all modules that ship.
pub fn modules() -> Vec<&'static str> {
    let mut names: Vec<&str> = LIBRARY.iter().map(|(module, _, _)| *module).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// A data file that ships with the default flows.
pub fn data(name: &str) -> Option<&'static str> {
    DATA.iter().find(|(path, _)| *path == name).map(|(_, text)| *text)
}

/// Data of the default flows by name.
static DATA: &[(&str, &str)] = &[];
