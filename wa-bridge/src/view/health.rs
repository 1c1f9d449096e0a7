//! How the client is doing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wa_client::{Health, TaskHealth, TaskState};

use crate::moment;

/// How the client is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct HealthView {
    /// What keeps it from its work although it may be connected, in words.
    pub troubles: Vec<String>,
    /// What the server sent since the start that could not be decoded.
    pub unreadable_frames: u64,
    /// Entries of lists from the server since the start that could not be read.
    pub unreadable_entries: u64,
    /// When something was unreadable last (RFC 3339).
    pub last_unreadable: Option<String>,
    /// The background tasks that failed since the start.
    pub failed_tasks: Vec<FailedTaskView>,
}

/// A background task that failed since the start: a defect of this program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct FailedTaskView {
    /// What it is called.
    pub name: String,
    /// How often it failed.
    pub failures: u64,
    /// When it last did (RFC 3339).
    pub last_failure: Option<String>,
    /// Whether it waits to be started again.
    pub restarting: bool,
}

impl HealthView {
    pub(crate) fn new(health: &Health) -> Self {
        let failed = health.tasks.iter().filter(|task| task.panics > 0);
        Self {
            troubles: health.troubles.iter().map(ToString::to_string).collect(),
            unreadable_frames: health.unreadable.frames,
            unreadable_entries: health.unreadable.entries,
            last_unreadable: health.unreadable.last.map(moment::rfc3339),
            failed_tasks: failed.map(FailedTaskView::new).collect(),
        }
    }
}

impl FailedTaskView {
    fn new(task: &TaskHealth) -> Self {
        Self {
            name: task.name.to_owned(),
            failures: task.panics,
            last_failure: task.last_panic.map(moment::rfc3339),
            restarting: task.state == TaskState::Restarting,
        }
    }
}
