//! A request's body turned into typed values, with its lines, before any rule of the books sees it.

use serde_json::{Map, Value};

use super::cell::Cell;
use super::record::Record;
use super::refusal::{Reasons, Refusal};
use super::schema::{Entity, Kind, Property, schema};
use super::state::State;

/// Whose hand writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hand {
    /// A call of the API: what is read-only there is let pass and ignored.
    Program,
    /// A person at the screens, or data that is loaded: every property may be set, references by
    /// code too, and rules fill values in but do not refuse.
    Person,
}

/// Which write it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Write {
    Create,
    Change,
}

/// What was sent for one record and for the lines beneath it.
pub(super) struct Draft {
    pub(super) record: Record,
    /// The properties that were sent and taken.
    pub(super) sent: Vec<u16>,
    children: Vec<(&'static str, Vec<Draft>)>,
}

impl Draft {
    /// Reads a body.
    ///
    /// # Errors
    /// Status 400 for an unknown name or a value of the wrong form.
    pub(super) fn read(
        state: &State,
        entity: &'static Entity,
        body: &Value,
        write: Write,
        hand: Hand,
    ) -> Result<Self, Refusal> {
        let wanted = "The request should be a valid top-level resource object.";
        let Value::Object(members) = body else {
            return Err(Refusal::stream(wanted));
        };
        let mut draft = Self { record: Record::new(entity), sent: Vec::new(), children: Vec::new() };
        for (name, value) in members.iter().filter(|member| member.0 != "__metadata") {
            let at = entity.find(name).ok_or_else(|| unknown(entity, name))?;
            let property = entity.property(at);
            if matches!(property.kind, Kind::Collection | Kind::Complex) {
                draft.read_children(state, property, value, hand)?;
                continue;
            }
            let may = match write {
                Write::Create => property.on_post,
                Write::Change => property.on_put || is_party(property.name),
            };
            if !may && hand == Hand::Program && !given_by_parent(entity) {
                continue;
            }
            let cell = Cell::from_json(property.kind, value)
                .or_else(|| by_code(state, property, value, hand))
                .ok_or_else(|| wrong_form(name, value))?;
            draft.record.row.set(at, canonical(state, property, cell));
            draft.sent.push(at);
        }
        Ok(draft)
    }

    fn read_children(
        &mut self,
        state: &State,
        property: &'static Property,
        value: &Value,
        hand: Hand,
    ) -> Result<(), Refusal> {
        let results = value.as_object().and_then(|object| object.get("results")).filter(|_| hand == Hand::Person);
        let list = match results.unwrap_or(value) {
            Value::Array(list) => list,
            Value::Object(object) if is_link(object) => return Ok(()),
            Value::Null => return Ok(()),
            _ => {
                let wanted = "The request should be a valid top-level resource object.";
                return Err(Refusal::stream(wanted));
            }
        };
        let Some(child) = property.child else {
            return Ok(());
        };
        let child = schema().get(child.entity);
        let drafts: Result<Vec<_>, _> =
            list.iter().map(|body| Self::read(state, child, body, Write::Create, hand)).collect();
        self.children.push((property.name, drafts?));
        Ok(())
    }

    /// Takes the drafts beneath a navigation.
    pub(super) fn take(&mut self, navigation: &str) -> Vec<Draft> {
        let place = self.children.iter().position(|child| child.0 == navigation);
        place.map_or_else(Vec::new, |at| self.children.swap_remove(at).1)
    }

    /// Whether lines were sent under this name.
    pub(super) fn carries(&self, navigation: &str) -> bool {
        self.children.iter().any(|child| child.0 == navigation)
    }

    /// Whether any lines were sent.
    pub(super) fn has_lines(&self) -> bool {
        self.children.iter().any(|child| !child.1.is_empty())
    }

    /// Whether a property was sent with a value.
    pub(super) fn has(&self, name: &str) -> bool {
        self.record.has(name)
    }

    /// The rules that hold for every value: mandatory ones are there, texts fit, references lead somewhere.
    pub(super) fn check(&self, state: &State, given: &[&str], reasons: &mut Reasons) {
        self.check_required(given, reasons);
        self.check_values(state, reasons);
    }

    fn check_required(&self, given: &[&str], reasons: &mut Reasons) {
        let entity = self.record.entity;
        for (at, property) in (0_u16..).zip(&entity.properties).filter(|(_, property)| property.required) {
            let there = match property.kind {
                Kind::Collection => self.children.iter().any(|child| child.0 == property.name && !child.1.is_empty()),
                _ => !self.record.row.get(at).is_null(),
            };
            if !there && !given.contains(&property.name) {
                reasons.missing(property.name);
            }
        }
    }

    /// The part of [`Self::check`] that also holds for a change.
    pub(super) fn check_values(&self, state: &State, reasons: &mut Reasons) {
        for at in &self.sent {
            let property = self.record.entity.property(*at);
            let cell = self.record.row.get(*at);
            if let (Cell::Text(text), Some(longest)) = (cell, property.longest)
                && text.encode_utf16().count() > longest
            {
                let label = super::refusal::label(property.name);
                reasons.says(format!("Ongeldig: {label} - maximaal {longest} tekens"));
            }
            let Some(refers) = property.refers.filter(|_| !cell.is_null()) else {
                continue;
            };
            if state.referred(refers, cell).is_none() && !forgiving(property.name) {
                // The vendor's own text names the journal by its collection.
                reasons.dangling(if property.name == "Journal" { "Journals" } else { property.name });
            }
        }
    }
}

/// The parties of a document: a PUT may repeat them, and the rules refuse another value.
fn is_party(name: &str) -> bool {
    matches!(name, "OrderedBy" | "DeliverTo" | "InvoiceTo" | "Journal")
}

/// Lines that exist only as a part of their parent and so have no methods of their own.
fn given_by_parent(entity: &Entity) -> bool {
    matches!(entity.path, "vat/VatPercentages" | "salesinvoice/SalesOrderID")
}

/// Currencies of an account that are not active are emptied without a word.
fn forgiving(name: &str) -> bool {
    matches!(name, "SalesCurrency" | "PurchaseCurrency")
}

/// A link as answers show it; whole answers come back from clients.
fn is_link(object: &Map<String, Value>) -> bool {
    object.contains_key("__deferred")
}

/// A reference that was written as the code of what it points at.
fn by_code(state: &State, property: &Property, value: &Value, hand: Hand) -> Option<Cell> {
    let refers = property.refers.filter(|_| hand == Hand::Person && property.kind == Kind::Guid)?;
    let target = schema().get(refers.entity);
    let code = value.as_str()?;
    // Account codes are kept with blanks before them.
    let found =
        state.by_code(target.path, code).or_else(|| state.by_code(target.path, &format!("{:>18}", code.trim())))?;
    Some(found.key())
}

/// A code as the record that it names writes it.
fn canonical(state: &State, property: &Property, cell: Cell) -> Cell {
    let (Some(refers), Cell::Text(_)) = (property.refers, &cell) else {
        return cell;
    };
    state.referred(refers, &cell).map(|row| row.get(refers.property).clone()).unwrap_or(cell)
}

fn unknown(entity: &Entity, name: &str) -> Refusal {
    let kind = entity.type_name();
    Refusal::stream(&format!("The property name '{name}' specified for type '{kind}' is not valid."))
}

fn wrong_form(name: &str, value: &Value) -> Refusal {
    Refusal::stream(&format!("Error in query syntax: the value {value} of the property '{name}' is not valid."))
}
