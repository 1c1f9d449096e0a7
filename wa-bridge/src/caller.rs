//! Who asks for a call.
//!
//! A caller is made of what was proven (a token), or by the process that owns the account for its own
//! calls; never of what a request says of itself.

use std::time::Duration;

use crate::{ClientName, policy::Tightening};

/// Who asks for a call, and what they forbid themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Caller {
    /// On whose behalf.
    pub frontend: Frontend,
    /// The frontend's own name, for the audit.
    pub name: String,
    /// The assistant that was let in and showed its token; nothing for a person, and for an
    /// assistant that proved nothing.
    pub client: Option<ClientName>,
    /// What the frontend forbids itself besides the policy.
    pub tightening: Tightening,
    /// How long a call may take.
    pub time_limit: Duration,
    /// Whether it is a program of this user that puts questions to the person itself, and may say
    /// that they agreed.
    pub(crate) asks_person: bool,
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

    /// An assistant that was not let in under a name, by what its program calls itself.
    pub fn assistant(name: impl Into<String>) -> Self {
        Self::new(Frontend::Assistant, name)
    }

    /// An assistant that was let in under this name.
    pub fn client(name: ClientName) -> Self {
        Self { client: Some(name.clone()), ..Self::new(Frontend::Assistant, name.as_str()) }
    }

    fn new(frontend: Frontend, name: impl Into<String>) -> Self {
        let name: String = name.into();
        Self {
            frontend,
            // A name is for the audit; nobody needs a long one, or one of several lines.
            name: name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect(),
            client: None,
            tightening: Tightening::default(),
            time_limit: DEFAULT_TIME,
            asks_person: true,
        }
    }

    /// What the audit calls it. Only what was proven is a `person` or a `client`; the name after
    /// `assistant` is what the program says of itself.
    pub fn label(&self) -> String {
        match &self.client {
            Some(client) => format!("client: {client}"),
            None => format!("{}: {}", self.frontend.as_str(), self.name),
        }
    }

    /// By what something is counted that a caller has so much of. Whoever proved no name shares with
    /// all who did not: names that cost nothing would be taken by the dozen.
    pub(crate) fn account(&self) -> String {
        match (&self.client, self.frontend) {
            (Some(_), _) => self.label(),
            (None, frontend) => frontend.as_str().to_owned(),
        }
    }

    /// An assistant, by how it was labelled when it asked.
    pub(crate) fn assistant_labelled(label: &str) -> Self {
        let client = label.strip_prefix("client: ").and_then(|name| name.parse().ok());
        client.map_or_else(|| Self::assistant(label), Self::client)
    }
}

/// The longest name of a frontend, in characters.
const MAX_NAME: usize = 60;

/// How long a call may take unless its caller says otherwise.
const DEFAULT_TIME: Duration = Duration::from_secs(60);
