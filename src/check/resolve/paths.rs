//! Files that a flow names: beside it, in its project, or shipped.

use crate::check::resolve::modules::Modules;
use crate::source::{ReadError, library};
use std::path::{Component, Path, PathBuf};
impl Modules<'_> {
    /// Where the project lies: its data goes before what ships.
    pub(crate) fn set_root(&mut self, root: &Path) {
        self.root = Some(root.to_path_buf());
    }

    /// The text of a file named in a flow: the project's, the one beside the flow, or one that ships, which has no path
    /// of its own. The path is as people name it.
    pub(crate) fn text_beside(&self, folder: &Path, name: &str) -> Result<(Option<PathBuf>, String), ReadError> {
        let root = self.root.as_deref().unwrap_or(Path::new(""));
        let of_project = [PathBuf::from(name), Path::new("data").join(name)];
        let of_flow = [folder.join(name), folder.join("data").join(name)];
        for shown in of_project.into_iter().filter(|_| self.root.is_some()).chain(of_flow) {
            match self.files.read(&root.join(&shown)) {
                Ok(text) => return Ok((Some(shown), text)),
                Err(ReadError::Missing) => {}
                Err(e) => return Err(e),
            }
        }
        let shipped = self.files.shipped(&format!("{}/{name}", library::DATA_FOLDER));
        shipped.or_else(|| library::data(name).map(str::to_owned)).map(|text| (None, text)).ok_or(ReadError::Missing)
    }
}

/// Whether a path that a flow names leads down from its folder, and to nothing hidden: flows may come from others.
pub(crate) fn leads_down(path: &Path) -> bool {
    path.components().all(|c| matches!(c, Component::Normal(part) if !part.to_string_lossy().starts_with('.')))
}
