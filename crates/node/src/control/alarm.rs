//! Alarms: what is wrong with a log or a receipt, with the evidence, and who took note of it.

use comity_access::Role;
use comity_store::{Admin, Alarm};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ControlError, Output};
use crate::app::App;
use crate::clock::micros_to_text;

/// What to do with alarms.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alarms {
    /// All, as rows, newest first.
    List {
        /// Only those nobody has acknowledged.
        open: bool,
    },
    /// One, with both heads.
    Show(i64),
    /// An officer has taken note of it: exchange goes on.
    Acknowledge {
        /// Its number.
        id: i64,
        /// What was found out, in the officer's words.
        remark: String,
    },
}

pub(super) fn execute(
    app: &App,
    actor: &str,
    command: Alarms,
    output: &mut dyn Output,
) -> Result<Value, ControlError> {
    match command {
        Alarms::List { open } => {
            let alarms = app.store.alarms(open)?;
            for alarm in &alarms {
                output.row(row(alarm))?;
            }
            let open = alarms.iter().filter(|it| it.acknowledged.is_none()).count();
            Ok(json!({ "alarms": alarms.len(), "open": open }))
        }
        Alarms::Show(id) => {
            let alarm = find(app, id)?;
            let mut shown = row(&alarm);
            if let Some(members) = shown.as_object_mut() {
                members.insert("kept".to_owned(), json!(alarm.raised.kept));
                members.insert("shown".to_owned(), json!(alarm.raised.shown));
            }
            Ok(shown)
        }
        Alarms::Acknowledge { id, remark } => {
            may_acknowledge(app, actor)?;
            let alarm = find(app, id)?;
            if let Some(at) = alarm.acknowledged {
                let by = alarm.acknowledged_by.unwrap_or_default();
                return Err(ControlError::usage(format!(
                    "alarm {id} was acknowledged by `{by}` at {}",
                    micros_to_text(at)
                )));
            }
            app.administer_blocking(actor, Admin::AcknowledgeAlarm { id, remark })?;
            Ok(row(&find(app, id)?))
        }
    }
}

/// Who may use the directory may do it, as everything; of the accounts, officers.
pub(super) fn may_acknowledge(app: &App, actor: &str) -> Result<(), ControlError> {
    match app.reader(actor) {
        Some(reader) if reader.role() != Role::Officer => {
            Err(ControlError::forbidden("an officer acknowledges an alarm"))
        }
        _ => Ok(()),
    }
}

fn find(app: &App, id: i64) -> Result<Alarm, ControlError> {
    app.store.alarm(id)?.ok_or_else(|| {
        ControlError::not_found("alarm", &id.to_string()).help("`comity alarms list` shows them")
    })
}

fn row(alarm: &Alarm) -> Value {
    json!({
        "alarm": alarm.id,
        "kind": alarm.raised.kind,
        "peer": alarm.raised.peer,
        "log": alarm.raised.origin,
        "source": alarm.raised.source,
        "time": micros_to_text(alarm.time),
        "entry": alarm.entry_index,
        "pauses": alarm.raised.pauses,
        "detail": alarm.raised.detail,
        "state": if alarm.acknowledged.is_some() { "acknowledged" } else { "open" },
        "acknowledged": alarm.acknowledged.map(micros_to_text),
        "acknowledged_by": alarm.acknowledged_by,
        "remark": alarm.remark,
    })
}
