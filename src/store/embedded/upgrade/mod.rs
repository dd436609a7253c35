//! A file of an older format becomes one of today's, step by step, and stays beside it as it was.
//!
//! The file says its format. All steps and the new number are one transaction: who dies before its end has changed
//! nothing, and the next opening begins anew. Before it the whole file is copied to `store.redb.format1`.
//!
//! A new format is a new file here, `three.rs`: it changes what is stored, as JSON, never as today's rows, which will be
//! others tomorrow; and a line in [`STEPS`].

mod two;

use super::open::{builder, format_of};
use super::tables::{META, Trouble, create_all};
use crate::store::disk::{beside, draft_of, keep_names, trouble};
use crate::store::{Upgraded, seal::Seal};
use redb::{Database, WriteTransaction};
use std::path::{Path, PathBuf};

/// What makes of the file of one format that of the next.
type Step = fn(&WriteTransaction, &Seal) -> Result<(), Trouble>;

/// The steps: the first makes format 2 of format 1.
const STEPS: [Step; 1] = [two::step];

/// Version of the whole file; a newer one is refused.
pub(super) const FORMAT: u32 = 2;

const _: () = assert!(STEPS.len() + 1 == FORMAT as usize, "a format is a step more than the one before");

/// Brings a file to today's format, where it is of an older one, and keeps it as it was.
pub(super) fn of_file(
    database: Database,
    path: &Path,
    seal: &Seal,
    format: u32,
) -> Result<(Database, Option<Upgraded>), Trouble> {
    if format == FORMAT {
        return Ok((database, None));
    }
    // A file that is copied while it is open says of itself that it was not closed.
    drop(database);
    let backup = keep_copy(path, format)?;
    let database = builder().open(path)?;
    perform(&database, seal, format_of(&database)?)?;
    Ok((database, Some(Upgraded { from: format, to: FORMAT, backup: backup.display().to_string() })))
}

/// All steps from this format to today's, or none of them.
pub(super) fn perform(database: &Database, seal: &Seal, format: u32) -> Result<(), Trouble> {
    let done = usize::try_from(format).ok().and_then(|format| format.checked_sub(1));
    let steps = done.and_then(|done| STEPS.get(done..)).ok_or(Trouble::Value("meta"))?;
    if steps.is_empty() {
        return Ok(());
    }
    let transaction = database.begin_write()?;
    create_all(&transaction)?;
    for step in steps {
        step(&transaction, seal)?;
    }
    transaction.open_table(META)?.insert("format", FORMAT.to_be_bytes().as_slice())?;
    transaction.commit()?;
    Ok(())
}

/// The file as it is, under a name that tells its format. It comes into being whole; one of an earlier try is replaced:
/// the file has had its format ever since, so it holds more.
fn keep_copy(path: &Path, format: u32) -> Result<PathBuf, Trouble> {
    let backup = beside(path, &format!("format{format}"));
    let draft = draft_of(&backup);
    let copied = std::fs::copy(path, &draft)
        .and_then(|_| std::fs::File::open(&draft)?.sync_all())
        .and_then(|()| std::fs::rename(&draft, &backup))
        .and_then(|()| keep_names(&backup));
    if copied.is_err() {
        // Half a copy is worth nothing, and may be what fills the disk.
        let _ = std::fs::remove_file(&draft);
    }
    copied.map_err(|e| Trouble::Refused(trouble(&backup, &e)))?;
    Ok(backup)
}
