//! The project's store, for a command: found with its key, waited for where somebody has it for a moment.

use super::Trouble;
use super::screen::Screen;
use super::secrets::PRIVATE_FOLDER;
use crate::store::{Embedded, Key, Store, StoreError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The store of a project, in its private folder.
const STORE_FILE: &str = "store.redb";
/// What has the store for as long as it takes; everything else looks at it for a moment.
const LASTING: [&str; 2] = ["run", "login"];
/// How long a command waits for one that looks at the store for a moment.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it looks whether that one has ended.
const LOOK: Duration = Duration::from_millis(20);

/// Where the store is.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Stored {
    /// The store, instead of the project's .flowc/store.redb.
    #[arg(long, value_name = "PATH")]
    pub(crate) store: Option<PathBuf>,
}

/// The project's store, or the one that is named, for this command.
pub(crate) fn of(root: &Path, named: Option<&Path>, command: &str) -> Result<Arc<dyn Store>, Trouble> {
    let folder = root.join(PRIVATE_FOLDER);
    std::fs::create_dir_all(&folder).map_err(|e| {
        let said = format!("the folder {} can't be made: {e}. It keeps the store and its key", folder.display());
        Trouble::Unreachable(said)
    })?;
    let own = folder.join(STORE_FILE);
    let path = named.map_or_else(|| own.clone(), Path::to_path_buf);
    if let Some(missing) = missing_folder(&path) {
        let (store, folder) = (path.display(), missing.display());
        return Err(Trouble::Unreachable(format!(
            "the folder {folder} of the store {store} is not there: make it, attach its disk, or name another store with --store"
        )));
    }
    let key = Key::find(&folder, &[&path, &own])?;
    if named.is_some() && !path.exists() {
        Screen::tell(&format!("the store {} is new", path.display()));
    }
    let store = open(&path, &key, command)?;
    if let Some(upgraded) = store.upgraded() {
        Screen::tell(&format!(
            "the store {} has been brought from format {} to {}; as it was it lies in {}",
            path.display(),
            upgraded.from,
            upgraded.to,
            upgraded.backup
        ));
    }
    Ok(Arc::new(store))
}

/// Whether there is a store to look at: one is named, or the project has one.
pub(crate) fn is_there(root: &Path, named: Option<&Path>) -> bool {
    named.is_some() || root.join(PRIVATE_FOLDER).join(STORE_FILE).exists()
}

/// The folder of a path that has one which is not there.
fn missing_folder(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty())?;
    (!folder.is_dir()).then(|| folder.to_path_buf())
}

/// Opens the store; whoever looks at it for a moment is waited for.
fn open(path: &Path, key: &Key, command: &str) -> Result<Embedded, StoreError> {
    let began = Instant::now();
    loop {
        match Embedded::open_for(path, key, command) {
            Err(StoreError::InUse { owner, .. })
                if owner.as_ref().is_none_or(|owner| !LASTING.contains(&&*owner.command))
                    && began.elapsed() < PATIENCE =>
            {
                std::thread::sleep(LOOK);
            }
            opened => return opened,
        }
    }
}
