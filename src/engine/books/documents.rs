//! The documents of one flow within some days, each with what its source says, and what is due and has none.

use super::allot::allot;
use super::days::Days;
use super::figures::{Asked, Kept, Reader};
use super::gather::{Gather, Source, Standing};
use super::report::{Document, Left, Missing};
use super::why::{Case, why};
use crate::connector::{One, Position, Presence, Raw, Scan, Unreadable};
use crate::engine::error::PassError;
use crate::engine::pass::context::Pass;
use crate::engine::pass::view::Look;
use crate::eval::{Action, Draft, Evaluated, WriteSet};
use crate::ir::{EntityId, MappingId, Stop};
use crate::limits;
use crate::store::{RecordFilter, RecordRow, State, Target};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::Value;
use std::sync::Arc;

/// What is found of one flow.
#[derive(Default)]
pub(super) struct Found {
    pub(super) documents: Vec<Document>,
    pub(super) missing: Vec<Missing>,
    pub(super) left: Vec<Left>,
}

/// Where the document of a record stands.
enum Place {
    /// In these days: its entity and key, and what it says.
    Here(EntityId, Arc<str>, Kept),
    /// There is none, and it may be due in these days.
    Nowhere,
    /// In other days, where nobody asks for it.
    Elsewhere,
}

/// The comparison of one flow.
pub(super) struct Comparison<'a> {
    pub(super) pass: &'a Pass,
    pub(super) reader: Reader<'a>,
    pub(super) days: Days,
    pub(super) gather: Gather<'a>,
    pub(super) found: Found,
}

impl Comparison<'_> {
    /// What changed in the source since the days began, and documents of these days whose records did not.
    pub(super) async fn whole(&mut self) -> Result<(), PassError> {
        let flow = self.pass.flow();
        let scan = Scan {
            entity: self.pass.entity(flow.source),
            fields: self.pass.fields(flow.source),
            filter: self.pass.evaluator().filter(self.pass.flow),
            since: Some(self.days.read_from(self.reader.zone)?),
            only: Vec::new(),
        };
        let source = self.pass.source()?;
        let mut position = source.resumed(&scan, Position::default(), true);
        loop {
            self.pass.go_on()?;
            let page = source.scan(&scan, &position).await?;
            self.unreadable(page.unreadable);
            self.page(page.records).await?;
            if page.last || page.next == position {
                break;
            }
            position = page.next;
        }
        self.booked_before().await
    }

    /// Documents that the store knows of, and whose records have not changed since the days began or are in no list.
    async fn booked_before(&mut self) -> Result<(), PassError> {
        let first = self.days.made_from(self.reader.zone)?;
        let mut filter = RecordFilter { flow: Some(self.pass.flow().name.to_string()), ..RecordFilter::default() };
        loop {
            let page = self.pass.store().records(&filter).await?;
            let rows = page.rows.into_iter().filter(|row| row.first >= first && !self.gather.seen.contains(&row.key));
            let rows: Vec<(RecordRow, EntityId, Arc<str>)> = rows.filter_map(|row| self.targeted(row)).collect();
            for some in rows.chunks(limits::AGAIN_PAGE_MAX) {
                self.pass.go_on()?;
                self.in_these_days(some).await?;
            }
            match page.next {
                Some(next) => filter.after = Some(next),
                None => return Ok(()),
            }
        }
    }

    fn targeted(&self, row: RecordRow) -> Option<(RecordRow, EntityId, Arc<str>)> {
        let target = row.target.as_ref()?;
        let program = self.pass.program();
        let of = |top: &MappingId| program.mapping(*top).target;
        let entity = self.gather.tops.iter().map(of).find(|of| program.entity(*of).full_name() == target.entity)?;
        let id = Arc::from(&*target.id);
        Some((row, entity, id))
    }

    async fn in_these_days(&mut self, rows: &[(RecordRow, EntityId, Arc<str>)]) -> Result<(), PassError> {
        self.gather.ask_rows(rows.iter().map(|(_, entity, id)| (*entity, Arc::clone(id)))).await?;
        let mut wanted = Vec::new();
        for (row, entity, id) in rows {
            match self.gather.standing(*entity, id) {
                Standing::There(document) => match self.reader.kept(self.pass.program().entity(*entity), &document) {
                    Ok(kept) if !self.days.hold(kept.day) => {}
                    Ok(kept) => wanted.push((row, *entity, id, Ok(kept))),
                    Err(why) => wanted.push((row, *entity, id, Err(why))),
                },
                Standing::Gone => {}
                Standing::Unknown(why) => self.miss(&row.key, format!("its document {id} cannot be read: {why}"), None),
            }
        }
        let keys: Vec<String> = wanted.iter().map(|(row, ..)| row.key.clone()).collect();
        self.by_key(&keys).await?;
        for (row, entity, id, kept) in wanted {
            if self.gather.seen.contains(&row.key) {
                continue;
            }
            self.gather.seen.insert(row.key.clone());
            match (self.address(row).await?, kept) {
                (Presence::Found(raw), _) => {
                    self.gather.seen.remove(&row.key);
                    self.page(vec![raw]).await?;
                }
                (Presence::Gone(how), Ok(kept)) => self.orphan(row, (entity, id), &kept, &how).await?,
                (Presence::Gone(_), Err(why)) => {
                    self.miss(&row.key, format!("its document {id} cannot be read: {why}"), None);
                }
                (Presence::Unreadable(row), _) => self.unreadable(vec![row]),
            }
        }
        Ok(())
    }

    /// Reads records of the source by their keys, where a list takes them.
    async fn by_key(&mut self, keys: &[String]) -> Result<(), PassError> {
        let entity = self.pass.entity(self.pass.flow().source);
        if keys.is_empty() || entity.is_below_another() || entity.route.is_none() {
            return Ok(());
        }
        let fields = self.pass.fields(self.pass.flow().source);
        let scan = Scan { entity, fields, filter: Vec::new(), since: None, only: keys.to_vec() };
        let mut position = Position::default();
        loop {
            let page = self.pass.source()?.scan(&scan, &position).await?;
            self.page(page.records).await?;
            if page.last || page.next == position {
                return Ok(());
            }
            position = page.next;
        }
    }

    async fn address(&self, row: &RecordRow) -> Result<Presence, PassError> {
        let source = self.pass.flow().source;
        let one = One {
            entity: self.pass.entity(source),
            id: row.key.clone(),
            fields: self.pass.fields(source),
            parts: row.parts.clone(),
        };
        Ok(match self.pass.source()?.read(&one).await? {
            Presence::Found(raw) => Presence::Found(raw.completed(&one.entity, &one.parts)),
            other => other,
        })
    }

    /// Looks at records that have not come before: what is known of their documents, what the flow makes of them now.
    async fn page(&mut self, records: Vec<Raw>) -> Result<(), PassError> {
        let now = self.pass.source()?.now();
        self.pass.memory().turn_page(now);
        let (sources, nameless) = self.gather.sources(records).await?;
        for _ in 0..nameless {
            self.miss("?", format!("a record of {} shows no key", self.pass.flow().connection), None);
        }
        let linked = sources.iter().filter_map(|source| source.linked.clone());
        let credited = sources.iter().filter_map(|source| self.gather.credited(&source.row));
        self.gather.ask_rows(linked.chain(credited).collect::<Vec<_>>().into_iter()).await?;
        let mut of_these_days = Vec::new();
        for source in &sources {
            match self.place_of(source) {
                Place::Here(entity, id, kept) => of_these_days.push((source, Some((entity, id, kept)))),
                Place::Nowhere => of_these_days.push((source, None)),
                Place::Elsewhere => {}
            }
        }
        let wanted: Vec<&Source> = of_these_days.iter().map(|(source, _)| *source).collect();
        let outcomes = self.gather.evaluated(&wanted, Look::ToCompare).await?;
        let mut afresh = Vec::new();
        for ((source, kept), outcome) in of_these_days.iter().zip(outcomes) {
            if let Some(reason) = self.judge(source, kept.as_ref(), outcome).await? {
                afresh.push((*source, reason));
            }
        }
        let wanted: Vec<&Source> = afresh.iter().map(|(source, _)| *source).collect();
        let outcomes = self.gather.evaluated(&wanted, Look::Afresh).await?;
        for ((source, reason), outcome) in afresh.into_iter().zip(outcomes) {
            self.judge_afresh(source, reason, outcome).await?;
        }
        Ok(())
    }

    /// Whether a record may have a document of these days, and which. One that cannot be read is told, and of no days.
    fn place_of(&mut self, source: &Source) -> Place {
        let program = self.reader.program;
        if let Some((entity, id)) = &source.linked {
            let schema = program.entity(*entity);
            let told = match self.gather.standing(*entity, id) {
                Standing::There(row) => match self.reader.kept(schema, &row) {
                    Ok(kept) if self.days.hold(kept.day) => return Place::Here(*entity, Arc::clone(id), kept),
                    Ok(_) => return Place::Elsewhere,
                    Err(why) => why,
                },
                Standing::Gone => return self.may_be_due(source),
                Standing::Unknown(why) => why,
            };
            self.miss(&source.key, format!("its document {id} cannot be read: {told}"), None);
            return Place::Elsewhere;
        }
        self.may_be_due(source)
    }

    /// Whether a record without a document may get one of these days: none is dated before its record.
    fn may_be_due(&self, source: &Source) -> Place {
        let schema = self.reader.program.entity(self.pass.flow().source);
        let day = self.reader.day(schema, &source.row);
        let may = day.is_none_or(|day| day <= self.days.to.tomorrow().unwrap_or(Date::MAX));
        if may { Place::Nowhere } else { Place::Elsewhere }
    }

    /// What becomes of a record: a document, something missing, or neither. Why it is to be evaluated as if nothing had been
    /// made of it, where its document is gone.
    async fn judge(
        &mut self,
        source: &Source,
        kept: Option<&(EntityId, Arc<str>, Kept)>,
        outcome: Evaluated,
    ) -> Result<Option<String>, PassError> {
        let (reason, is_due) = match outcome {
            Evaluated::WriteSet(unit) => match self.top(&unit) {
                Some(draft) => match &draft.action {
                    Action::Found { id, row, .. } | Action::Itself { id, row } => {
                        let (id, row) = (Arc::clone(id), Arc::clone(row));
                        self.drafted(source, (draft, &id, &row), None).await?;
                        return Ok(None);
                    }
                    Action::Leave(_, why, _) if kept.is_none() => return Ok(Some(why.clone())),
                    Action::Create | Action::After(_) if kept.is_none() => {
                        self.due(source, Some(draft), None);
                        return Ok(None);
                    }
                    Action::Create | Action::After(_) => {
                        ("the flow books it as something else by now".to_owned(), true)
                    }
                    Action::Leave(_, why, _) => (why.clone(), false),
                    Action::Delete { .. } => ("it is to be taken out".to_owned(), false),
                },
                None => ("its flow writes no document of it".to_owned(), false),
            },
            Evaluated::Filtered => ("its flow does not take it any more".to_owned(), false),
            Evaluated::Stopped(Stop::Skip, failure, _) => (failure.reason, false),
            Evaluated::Stopped(Stop::Fail | Stop::Wait, failure, _) => (failure.reason, true),
            Evaluated::Needs(needs) => (self.gather.refusal(&needs), true),
        };
        match kept {
            Some((entity, id, kept)) => {
                if !is_due {
                    self.leave(&source.key, reason.clone());
                }
                self.stands(source, (*entity, id, kept), reason).await?;
            }
            None if is_due => self.due(source, None, Some(reason)),
            None => {}
        }
        Ok(None)
    }

    /// A record whose document is gone: due if it would be booked now. Another document of it, by its reference, counts.
    async fn judge_afresh(&mut self, source: &Source, reason: String, outcome: Evaluated) -> Result<(), PassError> {
        match outcome {
            Evaluated::WriteSet(unit) => match self.top(&unit) {
                Some(draft) => match &draft.action {
                    Action::Found { id, row, .. } | Action::Itself { id, row } => {
                        let (id, row) = (Arc::clone(id), Arc::clone(row));
                        self.drafted(source, (draft, &id, &row), Some(reason)).await
                    }
                    Action::Create | Action::After(_) => {
                        self.due(source, Some(draft), Some(reason));
                        Ok(())
                    }
                    Action::Leave(..) | Action::Delete { .. } => Ok(()),
                },
                None => Ok(()),
            },
            Evaluated::Filtered | Evaluated::Stopped(Stop::Skip, ..) => Ok(()),
            Evaluated::Stopped(Stop::Fail | Stop::Wait, ..) | Evaluated::Needs(_) => {
                self.due(source, None, Some(reason));
                Ok(())
            }
        }
    }

    /// The draft of the document itself among all that is written for a record.
    fn top<'u>(&self, unit: &'u WriteSet) -> Option<&'u Draft> {
        unit.drafts.iter().find(|draft| draft.follows.is_none() && self.gather.tops.contains(&draft.made.mapping))
    }

    /// A document that is there, and what the flow makes of its record now.
    async fn drafted(
        &mut self,
        source: &Source,
        (draft, id, row): (&Draft, &Arc<str>, &str),
        reason: Option<String>,
    ) -> Result<(), PassError> {
        let schema = self.reader.program.entity(draft.entity);
        // What was found for the flow may lack what is compared: the row that is asked for by its key has it.
        self.gather.ask_rows(std::iter::once((draft.entity, Arc::clone(id)))).await?;
        let row = match self.gather.standing(draft.entity, id) {
            Standing::There(row) => row,
            Standing::Gone | Standing::Unknown(_) => serde_json::from_str(row).unwrap_or_default(),
        };
        let kept = match self.reader.kept(schema, &row) {
            Ok(kept) if self.days.hold(kept.day) => kept,
            Ok(_) => return Ok(()),
            Err(why) => {
                self.miss(&source.key, format!("its document {id} cannot be read: {why}"), None);
                return Ok(());
            }
        };
        let sign =
            draft.balance.as_ref().map_or(Decimal::ONE, |due| self.reader.sign(schema, &filled(draft), due.amount));
        let shares = draft.shares.iter().map(|share| {
            let amount = share.amount * sign;
            crate::eval::Share { amount, ..share.clone() }
        });
        let asked = self.asked(&source.row);
        self.compare(source, (draft.entity, id, &kept), &asked, (Some(&shares.collect::<Vec<_>>()), reason)).await
    }

    /// A document that stands though nothing is drafted for its record now, and why.
    async fn stands(
        &mut self,
        source: &Source,
        document: (EntityId, &Arc<str>, &Kept),
        reason: String,
    ) -> Result<(), PassError> {
        let asked = self.asked(&source.row);
        self.compare(source, document, &asked, (None, Some(reason))).await
    }

    /// A document whose record is gone from the source.
    async fn orphan(
        &mut self,
        row: &RecordRow,
        (entity, id): (EntityId, &Arc<str>),
        kept: &Kept,
        how: &str,
    ) -> Result<(), PassError> {
        let attempts = self.pass.store().attempts(&row.flow, &row.key, 1, self.pass.source()?.now()).await?;
        let raw: Value = attempts.last().and_then(|last| serde_json::from_str(&last.raw).ok()).unwrap_or_default();
        let asked = Asked { total: Some(Decimal::ZERO), currency: kept.currency.clone(), ..self.asked(&raw) };
        let reason = format!("it is no longer in {} ({how})", self.pass.flow().connection);
        let source = Source {
            key: row.key.as_str().into(),
            raw: Arc::from(""),
            row: raw,
            before: Some(row.clone()),
            now: row.first,
            linked: None,
        };
        self.compare(&source, (entity, id, kept), &asked, (None, Some(reason))).await
    }

    async fn compare(
        &mut self,
        source: &Source,
        (entity, id, kept): (EntityId, &Arc<str>, &Kept),
        asked: &Asked,
        (shares, reason): (Option<&[crate::eval::Share]>, Option<String>),
    ) -> Result<(), PassError> {
        let Some(total) = asked.total else {
            self.miss(&source.key, "its source shows no total that can be read".to_owned(), Some(kept.day));
            return Ok(());
        };
        let schema = self.reader.program.entity(entity);
        let sides = allot(total, shares, kept.total, &kept.lines);
        let currencies = [asked.currency.clone(), kept.currency.clone()];
        let agrees = currencies[0] == currencies[1] && sides.values().all(|sides| sides.shop == sides.ledger);
        let booked = shares.map(|shares| shares.iter().map(|share| share.amount).sum());
        let why = if agrees {
            String::new()
        } else {
            why(self.pass, &Case { source, schema, id, kept, total, currency: &asked.currency, booked, reason }).await?
        };
        let connection = self.pass.connection_of(entity).to_string();
        self.found.documents.push(Document {
            id: self.pass.label(&source.key),
            target: Target { connection, entity: schema.full_name(), id: id.to_string() },
            number: kept.number.clone(),
            day: kept.day,
            country: asked.country.clone(),
            method: asked.method.clone(),
            currencies,
            sides,
            why,
        });
        Ok(())
    }

    /// What a source record says, with what the record that it credits says.
    fn asked(&self, row: &Value) -> Asked {
        let program = self.reader.program;
        let of = self.gather.credited(row).and_then(|(entity, id)| match self.gather.standing(entity, &id) {
            Standing::There(row) => Some((program.entity(entity), row)),
            Standing::Gone | Standing::Unknown(_) => None,
        });
        let of = of.as_ref().map(|(entity, row)| (*entity, row));
        self.reader.asked(program.entity(self.pass.flow().source), row, of)
    }

    /// A record that is due and has no document, if it would be of these days.
    fn due(&mut self, source: &Source, draft: Option<&Draft>, reason: Option<String>) {
        let program = self.reader.program;
        let asked = self.asked(&source.row);
        let drafted = draft.and_then(|draft| self.reader.day(program.entity(draft.entity), &filled(draft)));
        let day = drafted.or(asked.day);
        if day.is_some_and(|day| !self.days.hold(day)) {
            return;
        }
        let before = source.before.as_ref();
        if let Some(left) = before.filter(|row| row.state == State::Skipped && row.left_out) {
            return self
                .leave(&source.key, left.reason.clone().unwrap_or_else(|| "a person has left it out".to_owned()));
        }
        let open = before.filter(|row| matches!(row.state, State::Parked | State::Waiting));
        let told = open.and_then(|row| row.reason.clone());
        let reason = told.or(reason).unwrap_or_else(|| match before {
            None => "no run has looked at it yet".to_owned(),
            Some(_) => "no run has booked it since it changed".to_owned(),
        });
        self.found.missing.push(Missing {
            id: self.pass.label(&source.key),
            reason,
            day,
            shop: asked.total,
            currency: asked.currency,
        });
    }

    fn miss(&mut self, key: &str, reason: String, day: Option<Date>) {
        let (id, currency) = (self.pass.label(key), String::new());
        self.found.missing.push(Missing { id, reason, day, shop: None, currency });
    }

    fn leave(&mut self, key: &str, reason: String) {
        self.found.left.push(Left { id: self.pass.label(key), reason });
    }

    /// Rows of the source that nobody can read may be due.
    fn unreadable(&mut self, rows: Vec<Unreadable>) {
        for row in rows {
            let key = row.key.filter(|key| !key.is_empty());
            if key.as_ref().is_none_or(|key| self.gather.seen.insert(key.clone())) {
                let reason = format!("it cannot be read in {}: {}", self.pass.flow().connection, row.why);
                self.miss(key.as_deref().unwrap_or("?"), reason, None);
            }
        }
    }
}

/// The fields of a draft as a row would show them, those of its parts left out.
fn filled(draft: &Draft) -> Value {
    let single = draft.fields.iter().filter_map(|field| match &*field.path {
        [name] => Some((name.to_string(), serde_json::from_str(&field.json).ok()?)),
        _ => None,
    });
    Value::Object(single.collect())
}
