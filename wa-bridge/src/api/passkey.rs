//! Linking where WhatsApp demands a passkey: the person's part of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operation;

/// Gives WhatsApp what the passkey signed; for a person only.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeyAnswer {
    /// What the helper shows as its answer; or the credential as JSON.
    pub answer: String,
}
operation!(PasskeyAnswer => PasskeyView, "account/passkey", Link,
    "Gives WhatsApp what the passkey signed, where a link demands one; for a person only.");

// What was signed is a secret until it is used.
impl std::fmt::Debug for PasskeyAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasskeyAnswer(…)")
    }
}

/// Tells whether the phone shows the same code as this device; for a person only.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeyCompared {
    /// Whether it does; if not, nothing is linked.
    pub same: bool,
}
operation!(PasskeyCompared => PasskeyView, "account/passkey-compared", Link,
    "Tells whether the phone shows the same code as this device; for a person only.");

/// It was taken; the link goes on.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct PasskeyView {}
