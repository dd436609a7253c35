//! The folder of a project: the one that is named, or the nearest one upwards.

use super::{Global, Trouble};
use std::path::{Path, PathBuf};

/// The file that makes a folder a project.
pub(crate) const PROJECT_FILE: &str = "project.flow";

/// The project's folder, as people name it from where they stand.
pub(crate) fn folder(global: &Global) -> Result<PathBuf, Trouble> {
    if let Some(said) = &global.project {
        if said.join(PROJECT_FILE).is_file() {
            return Ok(said.clone());
        }
        return Err(Trouble::Misuse(format!(
            "{} holds no {PROJECT_FILE}: name the folder of a project, or make one with `flowc new {}`",
            said.display(),
            said.display()
        )));
    }
    let here =
        std::env::current_dir().map_err(|e| Trouble::Misuse(format!("the current folder can't be read: {e}")))?;
    nearest(&here).map(|found| shorter(&here, found)).ok_or_else(|| {
        Trouble::Misuse(format!(
            "neither this folder nor any above it holds a {PROJECT_FILE}: go to a project, name one with `--project DIR`, \
             or make one with `flowc new DIR`"
        ))
    })
}

fn nearest(here: &Path) -> Option<&Path> {
    here.ancestors().find(|folder| folder.join(PROJECT_FILE).is_file())
}

/// `.` for where one stands, `..` upwards: places in messages stay short and can be opened.
fn shorter(here: &Path, found: &Path) -> PathBuf {
    let up = here.strip_prefix(found).map_or(0, |below| below.components().count());
    if up == 0 { PathBuf::from(".") } else { (0..up).map(|_| "..").collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_folder_upwards_is_the_project() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let below = root.path().join("maps/more");
        std::fs::create_dir_all(&below).expect("folders");
        assert_eq!(nearest(&below).filter(|p| p.starts_with(root.path())), None);
        std::fs::write(root.path().join(PROJECT_FILE), "edition 2026\n").expect("a project file");
        assert_eq!(nearest(&below), Some(root.path()));
        assert_eq!(shorter(&below, root.path()), PathBuf::from("../.."));
        assert_eq!(shorter(root.path(), root.path()), PathBuf::from("."));
    }
}
