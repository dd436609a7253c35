//! Steps of mappings and parts: values that get names, fields that are filled, checks.

use crate::eval::code::{Assign, RequiredCode, Run, StepCode, StepKindCode, WhenCode};
use crate::eval::failure::{Failure, Halt};
use crate::eval::value::{Value, show};
use crate::eval::wire::left_out;
use crate::ir::{EntityId, FieldId};
use crate::source::Span;

impl RequiredCode {
    /// Whether the field may be as it is; `it` is the record in question.
    pub(crate) fn check<'r>(
        &self,
        run: &mut Run<'r>,
        entity: EntityId,
        value: Value<'r>,
        place: Span,
    ) -> Result<(), Halt> {
        let wanted = match &self.cond {
            None => true,
            Some(cond) => cond.holds(run)?,
        };
        // A document without a line is none.
        let filled = !left_out(&value) && !matches!(value, Value::List([]));
        if wanted == filled || !wanted && !self.or_absent {
            return Ok(());
        }
        let schema = run.compiled.program.entity(entity);
        let name = &schema.get(self.field).name;
        let reason = if wanted {
            format!("`{name}` is empty, and a new {} needs it", schema.name)
        } else {
            format!("`{name}` is {}, and must be empty in this {}", show(value), schema.name)
        };
        Err(Halt::fail(Failure::new(reason, place)).within(name))
    }
}

impl<'r> Run<'r> {
    /// The value of a field that is filled in this case; none in the other.
    pub(crate) fn assigned(&mut self, assign: &Assign, step: &StepCode) -> Result<Option<Value<'r>>, Halt> {
        match &assign.when {
            // Of a copy that no link makes ours it must be known whose it is.
            WhenCode::Create if self.updating() && !(assign.identity && self.is_strange()) => return Ok(None),
            WhenCode::Update(_) if !self.updating() => return Ok(None),
            WhenCode::Always | WhenCode::Create | WhenCode::Update(None) => {}
            WhenCode::Update(Some(cond)) => {
                if !cond.holds(self)? {
                    return Ok(None);
                }
            }
        }
        let mark = self.tell_from();
        let value = assign.value.eval(self).map_err(|halt| halt.within(&assign.name))?;
        self.told_field(mark, &assign.name, value, (step.span, &step.displaced));
        Ok(Some(value))
    }

    /// A step that fills nothing.
    pub(crate) fn step(&mut self, step: &StepCode) -> Result<(), Halt> {
        match &step.kind {
            StepKindCode::Let(local, value) => {
                let mark = self.tell_from();
                let value = value.eval(self);
                self.told_local(mark, *local);
                let needed = match &value {
                    Err(Halt::Needs) => Some(Halt::Needs),
                    _ => None,
                };
                self.bind(*local, value)?;
                needed.map_or(Ok(()), Err)
            }
            StepKindCode::Check(cond, text) => {
                if cond.holds(self)? {
                    return Ok(());
                }
                let reason = show(text.eval(self)?);
                Err(Halt::fail(Failure::new(reason, step.span)))
            }
            StepKindCode::Alert(cond, text) => {
                if !cond.holds(self)? {
                    let text = show(text.eval(self)?);
                    self.alert(text, step.span);
                }
                Ok(())
            }
            StepKindCode::Assign(_) => Err(self.broken_promise("a field where none is filled", step.span)),
        }
    }

    /// Fills a field of the document in the making.
    pub(crate) fn fill(&mut self, field: FieldId, value: Value<'r>) {
        if let Some(making) = self.making.last_mut() {
            making.fill(field, value);
        }
    }

    /// As [`Self::fill`], by the step of that number.
    pub(crate) fn fill_step(&mut self, n: usize, assign: &Assign, value: Value<'r>) {
        let Some(making) = self.making.last_mut() else { return };
        match *assign.path {
            [field] if assign.again => making.fill(field, value),
            // Nothing else fills it.
            [field] => making.values.push((field, value)),
            _ => {}
        }
        making.filled.push((n, value));
    }
}
