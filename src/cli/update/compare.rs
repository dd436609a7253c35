//! The project with the defaults of its lock and with those that ship now: its tests and the records of its log through both.

use crate::check;
use crate::cli::{Trouble, runtime, store};
use crate::source::{Disk, Severity, Shipping};
use crate::testing::{Outcome, Snapshots, Suite, Tested, Turned};
use crate::workspace::{Compared, Defaults, LOCK_FILE};
use jiff::Timestamp;
use std::path::Path;

/// What came of it.
pub(super) enum Beside {
    /// All is told.
    Whole(Compared, Turned),
    /// There is only one side: why, and the tests that fail on it.
    OneSide(String, Vec<Tested>),
}

impl Beside {
    /// Whether tests of the project fail that did not.
    pub(super) fn breaks_tests(&self) -> bool {
        matches!(self, Self::Whole(_, turned) if !turned.failing.is_empty())
    }
}

/// Evaluates both sides; the log is that of the project's store, or of the one that is named.
pub(super) fn beside(root: &Path, before: &Defaults, named: Option<&Path>) -> Result<Beside, Trouble> {
    let now = Suite::open(&Disk, root.to_path_buf(), &[], false).map_err(|_| Trouble::Unsound)?;
    let mut snapshots = Snapshots::new(&Disk, root.to_path_buf(), false);
    let texts = match before.texts(root).map_err(Trouble::Misuse)? {
        Ok(texts) => texts,
        Err(why) => return Ok(Beside::OneSide(why, failing(&now, &mut snapshots))),
    };
    let files = Shipping { files: &Disk, texts: texts.instead() };
    let then = match Suite::open(&files, root.to_path_buf(), &[], false) {
        Ok(then) => then,
        Err(checked) => {
            let first = checked.diagnostics.iter().find(|d| d.severity == Severity::Error);
            let said = first.map_or_else(String::new, |d| {
                format!(": {} {} ({})", d.code.id, d.message, checked.sources.place(d.span))
            });
            let why = format!(
                "with the defaults of flowc {} this flowc finds mistakes in the project as it is now{said}",
                before.flowc
            );
            return Ok(Beside::OneSide(why, failing(&now, &mut snapshots)));
        }
    };
    let mut compared = Compared::default();
    let turned = now.compare(&then, &mut snapshots, &mut compared);
    if store::is_there(root, named) {
        let store = store::of(root, named, "update")?;
        let (one, other) = (now.workspace(), then.workspace());
        runtime()?.block_on(one.compare_log(other, store.as_ref(), Timestamp::now(), &mut compared))?;
    }
    Ok(Beside::Whole(compared, turned))
}

/// That mistakes of a project come of the defaults of now alone, where that is known.
pub(super) fn was_sound(root: &Path) -> Result<Option<String>, Trouble> {
    let Some(before) = Defaults::locked(root).map_err(Trouble::Misuse)? else { return Ok(None) };
    let Ok(texts) = before.texts(root).map_err(Trouble::Misuse)? else { return Ok(None) };
    let files = Shipping { files: &Disk, texts: texts.instead() };
    let checked = check::check_project(&files, root, &[]);
    let (flowc, now) = (&before.flowc, env!("CARGO_PKG_VERSION"));
    Ok(checked.is_sound().then(|| {
        format!(
            "the project goes with the defaults of flowc {flowc}, which {LOCK_FILE} holds, and not with those of this one ({now}): \
             mend it, then run `flowc update` again; until then run it with flowc {flowc}"
        )
    }))
}

fn failing(suite: &Suite<'_>, snapshots: &mut Snapshots<'_>) -> Vec<Tested> {
    let tests = 0..suite.workspace().program().tests.len();
    let all = tests.flat_map(|number| suite.run(number, snapshots));
    all.filter(|test| !matches!(test.outcome, Outcome::Passed)).collect()
}
