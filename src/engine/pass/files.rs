//! Files: what their rows say, and their bytes where something is made of them. Bytes are never kept.

use super::context::Pass;
use crate::connector::{CallError, Connector, File, Raw, Rows};
use crate::engine::error::PassError;
use crate::ir::{Entity, FieldId, Files, Type};
use serde_json::{Map, Value};

/// The rows of files by their addresses: one for each that is there.
pub(crate) async fn rows(
    pass: &Pass,
    (connection, connector): (&str, &dyn Connector),
    schema: &Entity,
    addresses: &[String],
) -> Result<Rows, CallError> {
    let mut rows = Rows::default();
    let Some(fields) = schema.files else { return Ok(rows) };
    let wire = |field: FieldId| schema.get(field).wire.to_string();
    for address in addresses {
        let Some(file) = connector.file(address).await? else { continue };
        let said = [(fields.address, address), (fields.connection, &connection.to_owned()), (fields.hash, &file.hash)];
        let row: Map<String, Value> =
            said.into_iter().map(|(field, text)| (wire(field), text.as_str().into())).collect();
        pass.files.put(&file);
        rows.read.push(Raw(Value::Object(row).to_string().into()));
    }
    Ok(rows)
}

/// The file that a body is to be sent with; `Err` says why it can't be had.
pub(crate) async fn of_body(
    pass: &Pass,
    entity: &Entity,
    body: &str,
) -> Result<Result<Option<File>, String>, PassError> {
    let files = entity.fields.iter().find_map(|field| {
        let Type::Record(part) = field.ty.present() else { return None };
        let part = pass.program().entity(*part);
        part.files.filter(|_| part.is_part()).map(|files| (field, part, files))
    });
    let Some((field, part, Files { address, connection, hash })) = files else { return Ok(Ok(None)) };
    let members: Value = serde_json::from_str(body).unwrap_or_default();
    let said = |of: FieldId| members.get(&*field.wire)?.get(&*part.get(of).wire)?.as_str();
    let (Some(address), Some(connection), Some(hash)) = (said(address), said(connection), said(hash)) else {
        return Ok(Ok(None));
    };
    if let Some(file) = pass.files.take(hash) {
        return Ok(Ok(Some(file)));
    }
    match pass.connector(connection)?.file(address).await {
        Ok(Some(file)) if file.hash == hash => Ok(Ok(Some(file))),
        Ok(_) => Ok(Err(format!("the file for `{}` has changed in {connection} meanwhile: retry", field.name))),
        Err(CallError::Refused { system, reason, .. }) => {
            Ok(Err(format!("{system} does not give the file for `{}`: {reason}", field.name)))
        }
        Err(other) => Err(other.into()),
    }
}
