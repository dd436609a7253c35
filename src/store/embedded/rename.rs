//! Another name for a flow or a connection, in every table that says it.

use super::tables::{
    BUDGETS, COUNTS, INTENTS, LINKS, LOG_OF, POSITIONS, RECORDS, TOKENS, Trouble, decode, open_value, seal_value,
};
use super::write::{put_attempt, put_link, put_record, remove_link, take_attempt, take_record};
use crate::store::rows::{AttemptId, Intent, Link};
use crate::store::seal::Seal;
use crate::store::{StoreError, watched};
use redb::{ReadableTable as _, WriteTransaction};

/// A flow: position, records, open intents, log.
pub(super) fn flow(t: &WriteTransaction, seal: &Seal, old: &str, new: &str) -> Result<(), Trouble> {
    let taken = t.open_table(POSITIONS)?.get(new)?.is_some() || !keys_of(t, new)?.is_empty();
    if taken || old == new {
        return Err(StoreError::Taken { name: new.to_owned() }.into());
    }
    {
        let mut positions = t.open_table(POSITIONS)?;
        for (old, new) in [(old.to_owned(), new.to_owned()), (watched(old), watched(new))] {
            let position = positions.remove(&*old)?.map(|value| value.value().to_owned());
            if let Some(position) = position {
                positions.insert(&*new, position.as_str())?;
            }
        }
    }
    for key in keys_of(t, old)? {
        if let Some(mut row) = take_record(t, seal, old, &key)? {
            new.clone_into(&mut row.flow);
            put_record(t, seal, &row)?;
        }
    }
    t.open_table(COUNTS)?.retain(|(flow, _), _| flow != old)?;
    intents(t, seal, |intent| {
        let its = intent.flow == old;
        if its {
            new.clone_into(&mut intent.flow);
        }
        its
    })?;
    let mut entries = Vec::new();
    for row in t.open_table(LOG_OF)?.range((old, "", i64::MIN, 0)..)? {
        let row = row?;
        let (flow, _, at, number) = row.0.value();
        if flow != old {
            break;
        }
        entries.push(AttemptId { at, number });
    }
    for id in entries {
        if let Some(mut entry) = take_attempt(t, seal, id)? {
            new.clone_into(&mut entry.flow);
            put_attempt(t, seal, id, &entry)?;
        }
    }
    Ok(())
}

fn keys_of(t: &WriteTransaction, flow: &str) -> Result<Vec<String>, Trouble> {
    let mut keys = Vec::new();
    for row in t.open_table(RECORDS)?.range((flow, "")..)? {
        let row = row?;
        let (its, key) = row.0.value();
        if its != flow {
            break;
        }
        keys.push(key.to_owned());
    }
    Ok(keys)
}

/// A connection: links from and to it, targets of records, open intents, tokens, budget. What was remembered of its
/// keys is asked again.
pub(super) fn connection(t: &WriteTransaction, seal: &Seal, old: &str, new: &str) -> Result<(), Trouble> {
    let all = links(t)?;
    let taken = t.open_table(TOKENS)?.get(new)?.is_some()
        || all.iter().any(|link| link.source.connection == new || link.target.connection == new);
    if taken || old == new {
        return Err(StoreError::Taken { name: new.to_owned() }.into());
    }
    let renamed = |name: &mut String| {
        let its = name == old;
        if its {
            new.clone_into(name);
        }
        its
    };
    for mut link in all {
        let before = link.source.clone();
        let from = renamed(&mut link.source.connection);
        let to = renamed(&mut link.target.connection);
        if from || to {
            remove_link(t, &before)?;
            put_link(t, &link)?;
        }
    }
    for (flow, key) in all_records(t)? {
        let row = take_record(t, seal, &flow, &key)?;
        if let Some(mut row) = row {
            if let Some(target) = &mut row.target {
                renamed(&mut target.connection);
            }
            put_record(t, seal, &row)?;
        }
    }
    intents(t, seal, |intent| renamed(&mut intent.connection))?;
    for table in [TOKENS, BUDGETS] {
        let mut table = t.open_table(table)?;
        let value = table.remove(old)?.map(|value| value.value().to_vec());
        if let Some(value) = value {
            table.insert(new, value.as_slice())?;
        }
    }
    Ok(())
}

fn links(t: &WriteTransaction) -> Result<Vec<Link>, Trouble> {
    t.open_table(LINKS)?.iter()?.map(|row| decode("links", row?.1.value())).collect()
}

fn all_records(t: &WriteTransaction) -> Result<Vec<(String, String)>, Trouble> {
    let table = t.open_table(RECORDS)?;
    let keys = table.iter()?.map(|row| {
        let row = row?;
        let (flow, key) = row.0.value();
        Ok((flow.to_owned(), key.to_owned()))
    });
    keys.collect()
}

/// Changes the open intents that `change` says it changed.
fn intents(t: &WriteTransaction, seal: &Seal, change: impl Fn(&mut Intent) -> bool) -> Result<(), Trouble> {
    let mut table = t.open_table(INTENTS)?;
    let all: Vec<Intent> =
        table.iter()?.map(|row| open_value(seal, "intents", row?.1.value())).collect::<Result<_, Trouble>>()?;
    for mut intent in all {
        if change(&mut intent) {
            table.insert(intent.id.as_str(), seal_value(seal, "intents", &intent).as_slice())?;
        }
    }
    Ok(())
}
