//! Defaults that are others than those that a project was made with: what each command says of it.

use super::Trouble;
use super::screen::Screen;
use crate::workspace::{Defaults, LOCK_FILE};
use std::path::Path;

/// What to say where the defaults are others than those that the project was made with. Those of now are digested only where
/// there is a lock to hold them against.
pub(crate) fn moved(root: &Path, now: impl FnOnce() -> Defaults) -> Result<Option<String>, Trouble> {
    let Some(before) = Defaults::locked(root).map_err(Trouble::Misuse)? else { return Ok(None) };
    let moved = now().since(&before);
    // What `flowc update` would refuse is said as it says it.
    if !moved.is_nothing()
        && let Err(why) = before.texts(root)
    {
        return Ok(Some(why));
    }
    let files = moved.changed.iter().chain(&moved.gone).cloned().collect::<Vec<_>>().join(", ");
    Ok((!moved.is_nothing()).then(|| {
        format!(
            "the defaults are others than those that {LOCK_FILE} holds ({files}): `flowc update --dry-run` shows what that changes, `flowc update` takes them over"
        )
    }))
}

/// Tells it as a warning, where what comes next only looks.
pub(crate) fn warn(root: &Path, now: impl FnOnce() -> Defaults) -> Result<(), Trouble> {
    if let Some(moved) = moved(root, now)? {
        Screen::tell(&format!("warning: {moved}"));
    }
    Ok(())
}
