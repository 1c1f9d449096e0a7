//! Who asks for a call.

use std::time::Duration;

use crate::policy::Tightening;

/// Who asks for a call, and what they forbid themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Caller {
    /// On whose behalf.
    pub frontend: Frontend,
    /// The frontend's own name, for the audit.
    pub name: String,
    /// What the frontend forbids itself besides the policy.
    pub tightening: Tightening,
    /// How long a call may take.
    pub time_limit: Duration,
}

/// On whose behalf a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frontend {
    /// A person at their own terminal, or a script of theirs. What they type is what they mean, and
    /// the files they name are theirs to send.
    Person,
    /// An assistant, or anything that does not say otherwise: it may have been talked into it.
    Assistant,
}

impl Frontend {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Assistant => "assistant",
        }
    }
}

impl Caller {
    /// A person, by the name of the program they use.
    pub fn person(name: impl Into<String>) -> Self {
        Self::new(Frontend::Person, name)
    }

    /// An assistant, by the name of its program.
    pub fn assistant(name: impl Into<String>) -> Self {
        Self::new(Frontend::Assistant, name)
    }

    fn new(frontend: Frontend, name: impl Into<String>) -> Self {
        let name: String = name.into();
        Self {
            frontend,
            // A name is for the audit; nobody needs a long one, or one of several lines.
            name: name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect(),
            tightening: Tightening::default(),
            time_limit: DEFAULT_TIME,
        }
    }

    /// What is put down in the audit.
    pub fn label(&self) -> String {
        format!("{}: {}", self.frontend.as_str(), self.name)
    }
}

/// The longest name of a frontend, in characters.
const MAX_NAME: usize = 60;

/// How long a call may take unless its caller says otherwise.
const DEFAULT_TIME: Duration = Duration::from_secs(60);
