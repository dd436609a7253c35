//! Earlier copies: by link, by the keys that the document fills, or the record itself; and what is done with one.

use super::search::Search;
use crate::eval::code::{ChangeCode, HeaderCode, KeyCode, MappingCode, Run, VerbCode};
use crate::eval::decode::NO_SLOT;
use crate::eval::draft::{KeyTried, OnSourceChange};
use crate::eval::failure::{Failure, Halt, note};
use crate::eval::making::Role;
use crate::eval::query::LinkNeed;
use crate::eval::value::{Record, Value, same, show};
use crate::ir::{EntityId, FieldId};
use crate::source::Span;
use std::sync::Arc;

/// What is known of an earlier copy.
pub(crate) enum Resolved<'r> {
    /// There is none.
    None,
    /// There was one of ours, and it is gone.
    Gone,
    /// One of its keys is that of a draft that is not written yet.
    After(u32),
    /// Its keys wait for what the target answers to that draft.
    Later(u32),
    /// It is there.
    Found { id: &'r str, ours: bool, row: &'r Record<'r> },
    /// The record that the flow reads.
    Itself { id: &'r str, row: &'r Record<'r> },
}

impl<'r> Resolved<'r> {
    pub(crate) fn found(&self) -> Option<&'r Record<'r>> {
        match self {
            Self::Found { row, .. } | Self::Itself { row, .. } => Some(row),
            Self::None | Self::Gone | Self::After(_) | Self::Later(_) => None,
        }
    }

    pub(crate) fn id(&self) -> Option<&'r str> {
        match self {
            Self::Found { id, .. } | Self::Itself { id, .. } => Some(id),
            Self::None | Self::Gone | Self::After(_) | Self::Later(_) => None,
        }
    }
}

impl HeaderCode {
    /// Nothing is created.
    pub(crate) fn only_updates(&self) -> bool {
        matches!(self.verb, VerbCode::Update | VerbCode::Delete(_))
    }

    /// Looks for an earlier copy: the link first, then all keys at once, so that one round asks for them.
    pub(crate) fn resolve<'r>(
        &'r self,
        run: &mut Run<'r>,
        mapping: &MappingCode,
        args: &'r [Value<'r>],
        role: Role,
    ) -> Result<(Resolved<'r>, Vec<KeyTried>), Halt> {
        if let VerbCode::CreateUnless(_) = self.verb
            && self.keys.is_empty()
        {
            return Ok((Resolved::None, Vec::new()));
        }
        if self.keys.iter().any(|key| matches!(key, KeyCode::Itself)) {
            return self.itself(run, mapping.target, args).map(|found| (found, Vec::new()));
        }
        let (mut linked, mut gone) = (false, false);
        for (entity, key) in self.sources(run, args, role)? {
            linked = true;
            match self.by_link(run, mapping, entity, key)? {
                Resolved::None => {}
                Resolved::Found { row, .. } if !self.accepts(run, row)? => {}
                // It may have been merged into another copy, which has the key.
                Resolved::Gone if matches!(self.verb, VerbCode::Upsert) => gone = true,
                found => return Ok((found, Vec::new())),
            }
        }
        let mut search = Search::default();
        let mut halted = None;
        let mut empty = Vec::new();
        for key in &self.keys {
            if let KeyCode::By(fields) = key {
                match search.by(run, mapping, fields, self.span) {
                    Ok(None) => {}
                    Ok(Some(field)) => empty.push(field),
                    Err(halt) => note(&mut halted, halt)?,
                }
            }
        }
        if let Some(halt) = halted {
            return Err(halt);
        }
        // The link of the flow's own record does not stand in for a key that the header names.
        let named = self.keys.iter().any(|key| matches!(key, KeyCode::Linked(..)));
        if !search.has_tried && search.after.is_none() && (!linked || (!empty.is_empty() && !named)) {
            return Err(self.no_key(run, mapping.target, &empty));
        }
        let mut rows = Vec::with_capacity(search.rows.len());
        for (id, row) in search.rows {
            if self.accepts(run, row)? {
                rows.push((id, row));
            }
        }
        let resolved = self.one(run, mapping.target, rows)?;
        let resolved = match (resolved, search.after) {
            (Resolved::None, Some(after)) => Resolved::After(after),
            (Resolved::None, None) if gone => Resolved::Gone,
            (resolved, _) => resolved,
        };
        Ok((resolved, search.tried))
    }

    /// Whether a copy is one: `was` is that copy while it is asked.
    fn accepts<'r>(&'r self, run: &mut Run<'r>, row: &'r Record<'r>) -> Result<bool, Halt> {
        let Some(cond) = &self.accept else { return Ok(true) };
        let before = run.making.last().map(|making| (making.found, making.resolved)).unwrap_or_default();
        see(run, (Some(row), true));
        let holds = cond.holds(run);
        see(run, before);
        holds
    }

    fn no_key(&self, run: &Run<'_>, target: EntityId, empty: &[FieldId]) -> Halt {
        let schema = run.compiled.program.entity(target);
        let names: Vec<&str> = empty.iter().map(|f| &*schema.get(*f).name).collect();
        let what = if names.is_empty() {
            "what it is linked to is empty".to_owned()
        } else {
            format!("{} {} empty", names.join(" and "), if names.len() == 1 { "is" } else { "are" })
        };
        let reason = format!("nobody can tell whether this {} is there already: {what}", schema.name);
        Halt::fail(Failure::new(reason, self.span))
    }

    /// The record that the flow reads; where that is another kind of record, the one of its own kind that the mapping is
    /// given. What is only being made is known behind its write.
    fn itself<'r>(&self, run: &mut Run<'r>, target: EntityId, args: &'r [Value<'r>]) -> Result<Resolved<'r>, Halt> {
        let mut own = None;
        for arg in args {
            let of_target = |n: u32| run.drafts.get(n as usize).filter(|made| made.draft.entity == target);
            match arg {
                Value::Record(record) if record.entity == target => own = own.or(Some(*record)),
                Value::Draft(n) if let Some(made) = of_target(*n) => match made.found {
                    Some(record) => own = own.or(Some(record)),
                    None => return Err(Halt::Later(*n)),
                },
                _ => {}
            }
        }
        let Some(row) = run.source.filter(|source| source.entity == target).or(own) else {
            return Err(run.broken_promise("`itself` where no record is read", self.span));
        };
        match run.identity(Value::Record(row), row.entity, self.span)? {
            Some((_, id)) => Ok(Resolved::Itself { id, row }),
            None => Err(Halt::fail(Failure::new("the record has no key, so it can't be updated", self.span))),
        }
    }

    /// The records that this document is a copy of, by its header or by its place in the flow.
    fn sources<'r>(
        &self,
        run: &mut Run<'r>,
        args: &'r [Value<'r>],
        role: Role,
    ) -> Result<Vec<(EntityId, &'r str)>, Halt> {
        let mut sources = Vec::new();
        for key in &self.keys {
            if let KeyCode::Linked(to, entity) = key {
                let to = to.eval(run)?;
                sources.extend(run.identity(to, *entity, self.span)?);
            }
        }
        if role == Role::Top && sources.is_empty() {
            sources.extend(own_record(run, args, self.span)?);
        }
        Ok(sources)
    }

    /// What the draft is linked to, once it is written.
    pub(crate) fn source<'r>(
        &self,
        run: &mut Run<'r>,
        args: &'r [Value<'r>],
        role: Role,
    ) -> Result<Option<(EntityId, &'r str)>, Halt> {
        if self.keys.iter().any(|key| matches!(key, KeyCode::Itself)) {
            return Ok(None);
        }
        Ok(self.sources(run, args, role)?.first().copied())
    }

    fn by_link<'r>(
        &self,
        run: &mut Run<'r>,
        mapping: &MappingCode,
        entity: EntityId,
        key: &'r str,
    ) -> Result<Resolved<'r>, Halt> {
        // What creates knows its own links; what only changes takes those of any mapping, from either end.
        let name = match self.verb {
            VerbCode::CreateOnce | VerbCode::Upsert | VerbCode::CreateUnless(_) => {
                Some(Arc::clone(&run.compiled.program.mapping(mapping.id).name))
            }
            VerbCode::Update | VerbCode::Delete(_) => None,
        };
        let target = mapping.target;
        let ids = run.linked(LinkNeed { mapping: name, entity, key: key.into(), other: target }, self.span)?;
        match ids.as_slice() {
            [] => Ok(Resolved::None),
            [id] => {
                let row = run.row_of(run.compiled.connection_of(run.flow, mapping.id), target, id, self.span)?;
                Ok(row.map_or(Resolved::Gone, |row| Resolved::Found { id, ours: true, row }))
            }
            _ => {
                let name = &run.compiled.program.entity(target).name;
                let reason = format!("the record is linked to more than one {name}: {}", ids.join(", "));
                Err(Halt::fail(Failure::new(reason, self.span)))
            }
        }
    }

    /// One of the copies that were found.
    fn one<'r>(
        &self,
        run: &mut Run<'r>,
        target: EntityId,
        rows: Vec<(&'r str, &'r Record<'r>)>,
    ) -> Result<Resolved<'r>, Halt> {
        let mut rows = rows;
        for (field, wanted) in &self.prefer {
            if rows.len() < 2 {
                break;
            }
            let wanted = wanted.eval(run)?;
            let mut agreeing = Vec::with_capacity(rows.len());
            for (id, row) in &rows {
                if agrees(run.field(Value::Record(row), target, *field, self.span)?, wanted) {
                    agreeing.push((*id, *row));
                }
            }
            if !agreeing.is_empty() {
                rows = agreeing;
            }
        }
        if let (2.., Some(field)) = (rows.len(), self.prefer_newest) {
            let mut dated = Vec::with_capacity(rows.len());
            for (id, row) in rows {
                dated.push((moment(run.field(Value::Record(row), target, field, self.span)?), (id, row)));
            }
            let newest = dated.iter().filter_map(|(moment, _)| *moment).max();
            rows = dated.into_iter().filter(|(moment, _)| *moment == newest).map(|(_, row)| row).collect();
        }
        match rows.as_slice() {
            [] => Ok(Resolved::None),
            [(id, row)] => Ok(Resolved::Found { id, ours: false, row }),
            _ => {
                let name = &run.compiled.program.entity(target).name;
                let ids = self.named(run, target, &rows)?;
                let reason = format!(
                    "more than one {name} in {} has this key ({}): merge them, or say with `prefer` which is meant",
                    run.connection(target),
                    ids.join(", ")
                );
                Err(Halt::fail(Failure::new(reason, self.span)))
            }
        }
    }

    /// Copies by what people call them, as far as they are called something.
    fn named<'r>(
        &self,
        run: &mut Run<'r>,
        target: EntityId,
        rows: &[(&'r str, &'r Record<'r>)],
    ) -> Result<Vec<String>, Halt> {
        let code = run.compiled.program.entity(target).code;
        let mut names = Vec::with_capacity(rows.len());
        for (id, row) in rows {
            let name = match code.filter(|code| run.compiled.layouts.slot(target, *code) != NO_SLOT) {
                Some(code) => run.field(Value::Record(row), target, code, self.span)?,
                None => Value::Absent,
            };
            names.push(match name {
                Value::Absent => (*id).to_owned(),
                name => show(name).trim().to_owned(),
            });
        }
        Ok(names)
    }

    /// What happens when the source of this document has changed.
    pub(crate) fn on_change(&self, run: &mut Run<'_>) -> Result<OnSourceChange, Halt> {
        Ok(match &self.on_change {
            // Without a copy no other mapping has anything to follow.
            ChangeCode::Alert => OnSourceChange::Alert,
            ChangeCode::Ignore => OnSourceChange::Ignore,
            // Without a copy there is nothing that the condition could look at.
            ChangeCode::Update(Some(cond), alert) if run.updating() => match (cond.holds(run)?, alert) {
                (true, _) => OnSourceChange::Update,
                (_, true) => OnSourceChange::Alert,
                (_, false) => OnSourceChange::Ignore,
            },
            ChangeCode::Update(..) => OnSourceChange::Update,
            ChangeCode::Write(then) => match (run.updating(), then) {
                (true, then) => match then.eval(run)? {
                    Value::Draft(n) => OnSourceChange::Write(n as usize),
                    // It makes nothing of this record.
                    _ => OnSourceChange::Alert,
                },
                (false, _) => OnSourceChange::Alert,
            },
        })
    }
}

/// What `was` is from now on, and whether that is settled.
fn see<'r>(run: &mut Run<'r>, (found, resolved): (Option<&'r Record<'r>>, bool)) {
    if let Some(making) = run.making.last_mut() {
        (making.found, making.resolved) = (found, resolved);
    }
}

/// The record that the flow reads; without a flow the first that the mapping is given.
fn own_record<'r>(run: &mut Run<'r>, args: &'r [Value<'r>], place: Span) -> Result<Option<(EntityId, &'r str)>, Halt> {
    let first = args.iter().find_map(|arg| match arg {
        Value::Record(record) => Some(*record),
        _ => None,
    });
    match run.source.or(first) {
        Some(record) => run.identity(Value::Record(record), record.entity, place),
        None => Ok(None),
    }
}

fn agrees(has: Value<'_>, wanted: Value<'_>) -> bool {
    match (has, wanted) {
        (Value::Text(a), Value::Text(b)) => a.trim().eq_ignore_ascii_case(b.trim()),
        (a, b) => same(a, b),
    }
}

/// When a record is from; none where it does not say so.
fn moment(value: Value<'_>) -> Option<jiff::Timestamp> {
    match value {
        Value::Instant(t) => Some(t),
        Value::Date(d) => jiff::tz::Offset::UTC.to_timestamp(d.at(0, 0, 0, 0)).ok(),
        _ => None,
    }
}
