//! Whether the books are open today for what the project books in.

use super::ailment::Ailment;
use super::codes::{connections_of, table, today};
use crate::engine::pass::context::Shared;
use crate::ir::{EntityId, Program, Type};
use crate::master::Use;
use jiff::civil::Date;

/// Periods of today that are closed for a code that the project names, or that are not there.
pub(super) async fn closed(shared: &Shared, uses: &[Use], reached: &impl Fn(&str) -> bool) -> Vec<Ailment> {
    let program = &shared.project.program;
    let mut told = Vec::new();
    for status in ids(program) {
        let Some(closes) = &program.entity(status).closes else { continue };
        let Type::Code(of) = *program.entity(status).get(closes.of).ty.present() else { continue };
        let named: Vec<&Use> = uses.iter().filter(|used| used.entity == of).collect();
        if named.is_empty() {
            continue;
        }
        for connection in connections_of(program, status).filter(|name| reached(name)) {
            told.extend(in_connection(shared, &connection, status, &named).await);
        }
    }
    told
}

fn ids(program: &Program) -> impl Iterator<Item = EntityId> {
    (0..program.entities.len()).map(EntityId::from)
}

async fn in_connection(shared: &Shared, connection: &str, status: EntityId, named: &[&Use]) -> Vec<Ailment> {
    let program = &shared.project.program;
    let schema = program.entity(status);
    let (Some(day), Some(closes)) = (today(shared, connection), &schema.closes) else { return Vec::new() };
    let periods = match periods_of(shared, connection, &schema.connector, day).await {
        Ok(periods) => periods,
        Err(ailment) => return vec![ailment],
    };
    let said = |message: String, used: &Use| Ailment {
        kind: "period",
        system: connection.to_owned(),
        message,
        help: "open it there, or correct the dates of the periods: what is dated today would be refused".to_owned(),
        span: Some(used.span),
    };
    if periods.is_empty() {
        let first = named.first().map(|used| said(format!("the books have no period for {day}"), used));
        return first.into_iter().collect();
    }
    let fields = [closes.of, closes.year, closes.number, closes.by];
    let rows = match table(shared, connection, status, fields.to_vec(), None).await {
        Ok(rows) => rows,
        Err(ailment) => return vec![ailment],
    };
    let mut told = Vec::new();
    for row in rows.records(&fields) {
        let [of, year, number, by] = row[..] else { continue };
        let is_now = periods.iter().any(|(y, n)| *y == year && *n == number);
        if !is_now || *by != *closes.value {
            continue;
        }
        for used in named.iter().filter(|used| of.is_empty() || used.code.trim() == of) {
            let entity = program.entity(used.entity).full_name();
            told.push(said(format!("the period {number} of {year} is closed for {entity} `{}`", used.code), used));
        }
    }
    told.dedup();
    told
}

/// The periods of a system that a day lies in, each by year and number.
async fn periods_of(
    shared: &Shared,
    connection: &str,
    connector: &str,
    day: Date,
) -> Result<Vec<(String, String)>, Ailment> {
    let program = &shared.project.program;
    let mut found = Vec::new();
    for id in ids(program).filter(|id| *program.entity(*id).connector == *connector) {
        let Some(period) = program.entity(id).period else { continue };
        let fields = [period.year, period.number, period.from, period.to];
        let rows = table(shared, connection, id, fields.to_vec(), None).await?;
        for row in rows.records(&fields) {
            let [year, number, from, to] = row[..] else { continue };
            let date = |text: &str| text.parse::<Date>().ok();
            if date(from).is_some_and(|from| from <= day) && date(to).is_some_and(|to| day <= to) {
                found.push((year.to_owned(), number.to_owned()));
            }
        }
    }
    Ok(found)
}
