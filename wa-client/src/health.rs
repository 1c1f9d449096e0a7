//! How the client is doing, at this moment.
//!
//! Owns the snapshot that a frontend shows. Knows nothing of how it is shown.

use crate::{Client, State, TaskHealth};

/// How the client is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// How far the connection has come.
    pub state: State,
    /// The background tasks, in the order of their names.
    pub tasks: Vec<TaskHealth>,
}

impl Client {
    /// How this client is doing, without asking anybody.
    pub fn health(&self) -> Health {
        let inner = self.inner();
        Health { state: inner.state(), tasks: inner.tasks.health() }
    }
}
