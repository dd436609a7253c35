//! Whether the codes that a project names are there, may be used, and mean what the rows beside them say.

use super::cells::{rate, same};
use super::table::{Held, Row, Table};
use super::uses::{Use, Whence};
use crate::ir::{Const, Entity, Grows, Pattern, Program, Type};
use crate::source::{Diagnostic, codes};
use jiff::civil::Date;

/// Codes that a help lists before it only counts them.
const LISTED_MAX: usize = 20;

/// What is wrong with these codes, by these rows. With a day it is told, too, what may no longer be used by then.
pub fn judge(
    program: &Program,
    uses: &[Use],
    held: &Held,
    today: Option<Date>,
    near: fn(&str, &[&str]) -> Option<String>,
) -> Vec<Diagnostic> {
    let mut told = Vec::new();
    for used in uses {
        let tables = held.tables.iter().filter(|table| table.entity == used.entity);
        for table in tables {
            let judge = Judge { program, schema: program.entity(used.entity), table, used, today };
            match table.row(judge.schema, &used.code) {
                None => told.push(judge.missing(near)),
                Some(row) => {
                    told.extend(judge.unusable(row));
                    told.extend(judge.other_kind(row));
                    told.extend(judge.other_rate(row));
                }
            }
        }
    }
    told
}

/// One use of a code, looked at.
struct Judge<'a> {
    program: &'a Program,
    schema: &'a Entity,
    table: &'a Table,
    used: &'a Use,
    today: Option<Date>,
}

impl Judge<'_> {
    fn missing(&self, near: fn(&str, &[&str]) -> Option<String>) -> Diagnostic {
        let Use { code, span, .. } = self.used;
        let entity = self.schema.full_name();
        let message = format!("{entity} `{code}` is not in {}", self.table.connection);
        let d = Diagnostic::new(&codes::CODE_MISSING, *span, message).label("no such code there");
        if !self.table.whole {
            return d.help(format!("make it there, or name another one{}", self.how()));
        }
        let all: Vec<&str> = self.table.codes().collect();
        let there = listed(&all);
        match near(code, &all) {
            Some(near) => d.help(format!("did you mean \"{near}\"? There are {there}{}", self.how())),
            None if all.is_empty() => d.help(format!("it has none at all: make it there{}", self.how())),
            None => d.help(format!("there are {there}{}", self.how())),
        }
    }

    /// How the project says another one.
    fn how(&self) -> String {
        match &self.used.whence {
            Whence::Setting(module, name, false) => {
                format!("; the default is asked by `{module}`: answer it, `settings for {module} {{ {name} = \"…\" }}`")
            }
            Whence::Row(table, _) => match &self.program.lookup(*table).grows {
                Grows::Adapted => format!(
                    "; a row with the same cells in `adapt lookup {} {{ … }}` of project.flow takes its place",
                    self.program.lookup(*table).name
                ),
                Grows::Here | Grows::Csv(_) => String::new(),
            },
            Whence::Setting(_, _, true) | Whence::Line => String::new(),
        }
    }

    /// It is blocked, or its time is over.
    fn unusable(&self, row: &Row) -> Option<Diagnostic> {
        let usable = self.schema.usable;
        let says = |field| self.table.cell(row, field);
        let blocked = usable.blocked.filter(|field| says(*field) == Some("yes"));
        let inactive = usable.active.filter(|field| says(*field) == Some("no"));
        let over = usable.until.filter(|field| {
            let last = says(*field).and_then(|text| text.parse::<Date>().ok());
            last.zip(self.today).is_some_and(|(last, today)| last < today)
        });
        let field = blocked.or(inactive).or(over)?;
        let (name, value) = (&self.schema.get(field).name, says(field).unwrap_or_default());
        let entity = self.schema.full_name();
        let message =
            format!("{entity} `{}` of {} may not be used: its {name} is {value}", row.code, self.table.connection);
        let d = Diagnostic::new(&codes::CODE_BLOCKED, self.used.span, message)
            .label("not to be used")
            .help(format!("free it there, or name another one{}", self.how()));
        Some(related(d, row))
    }

    /// A field takes records of some kinds, and it is none of these.
    fn other_kind(&self, row: &Row) -> Option<Diagnostic> {
        for (entity, field) in &self.used.fields {
            let owner = self.program.entity(*entity);
            let field = owner.get(*field);
            let Some((by, kinds)) = &field.of else { continue };
            let is_code = matches!(field.ty.present(), Type::Code(of) | Type::Record(of) if *of == self.used.entity);
            let Some(kind) = self.schema.field(by).and_then(|by| self.table.cell(row, by)) else { continue };
            if !is_code || kinds.iter().any(|one| **one == *kind) {
                continue;
            }
            let wanted: Vec<String> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
            let message = format!(
                "{} `{}` has the {by} `{kind}`, and {}.{} takes {}",
                self.schema.full_name(),
                row.code,
                owner.full_name(),
                field.name,
                wanted.join(" or ")
            );
            let d = Diagnostic::new(&codes::CODE_KIND, self.used.span, message)
                .label("of another kind")
                .help(format!("name one of that {by}{}", self.how()));
            return Some(related(d, row));
        }
        None
    }

    /// A row of a table says a rate, a country or the kind of the amount beside a code of a tax that has another.
    fn other_rate(&self, row: &Row) -> Option<Diagnostic> {
        let (Whence::Row(table, n), Some(tax)) = (&self.used.whence, &self.schema.tax) else { return None };
        let table = self.program.lookup(*table);
        let says = |field| self.table.cell(row, field).filter(|cell| !cell.is_empty());
        let included = says(tax.by).map(|by| *by == *tax.included);
        for ((name, ty), cell) in table.keys.iter().zip(&table.rows[*n].cells) {
            let Pattern::OneOf(values) = cell else { continue };
            let other = values.iter().find_map(|value| match (ty.present(), value) {
                (Type::Percent, Const::Number(wanted)) => {
                    let has = says(tax.rate)?;
                    (!same(rate(has)?, *wanted)).then(|| (format!("{}%", wanted.normalize()), has.to_owned()))
                }
                (Type::Country, Const::Text(wanted)) => {
                    let has = says(tax.country?)?;
                    (*has != **wanted).then(|| (wanted.to_string(), has.to_owned()))
                }
                // The words of the language for what an amount is.
                (Type::Enum(_), Const::Text(wanted)) => match (&**wanted, included?) {
                    ("net", true) => Some((wanted.to_string(), "amounts that include the tax".to_owned())),
                    ("gross", false) => Some((wanted.to_string(), "amounts without the tax".to_owned())),
                    _ => None,
                },
                _ => None,
            });
            if let Some((wanted, has)) = other {
                let message = format!(
                    "the row is for {name} {wanted}, and {} `{}` of {} is for {has}",
                    self.schema.full_name(),
                    row.code,
                    self.table.connection
                );
                let d = Diagnostic::new(&codes::CODE_RATE, self.used.span, message)
                    .label("another tax than the row says")
                    .help(format!(
                        "name the code of that {name}, or correct the one in {}{}",
                        self.table.connection,
                        self.how()
                    ));
                return Some(related(d, row));
            }
        }
        None
    }
}

fn related(d: Diagnostic, row: &Row) -> Diagnostic {
    match row.span {
        Some(span) => d.related(span, "the code, as it was pulled"),
        None => d,
    }
}

/// `"1", "2" and 3 more`
fn listed(all: &[&str]) -> String {
    let shown: Vec<String> = all.iter().take(LISTED_MAX).map(|code| format!("\"{code}\"")).collect();
    let more = all.len().saturating_sub(shown.len());
    let shown = shown.join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}
