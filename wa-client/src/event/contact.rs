//! What people change of what they show, as events. Texts and addresses have no `Debug`.

use std::fmt;

use wa_proto::Jid;

/// Somebody, or a group, shows something else than before.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContactEvent {
    /// The "about" text.
    AboutChanged {
        /// Whose, by LID where it is known.
        user: Jid,
        /// The text.
        about: String,
        /// When, in seconds since 1970.
        timestamp: Option<u64>,
    },
    /// The picture.
    PictureChanged {
        /// Whose: a person by LID where it is known, or a group.
        of: Jid,
        /// Who changed it, if the server says.
        by: Option<Jid>,
        /// The new picture's id; `None` if it was taken away.
        id: Option<String>,
    },
    /// What a business says of itself.
    BusinessChanged {
        /// Which, by LID where it is known.
        user: Jid,
    },
    /// The timer that their new chats begin with.
    DisappearingTimerChanged {
        /// Whose, by LID where it is known.
        user: Jid,
        /// In seconds; 0 is off.
        seconds: u32,
    },
}

impl fmt::Debug for ContactEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AboutChanged { .. } => "AboutChanged",
            Self::PictureChanged { .. } => "PictureChanged",
            Self::BusinessChanged { .. } => "BusinessChanged",
            Self::DisappearingTimerChanged { .. } => "DisappearingTimerChanged",
        })
    }
}
