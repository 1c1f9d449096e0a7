//! The privacy settings by name: what there is, and which values each takes.
//!
//! Knows nothing of where they are kept.

use std::collections::BTreeMap;

/// Something that the user lets be seen or done, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PrivacyKind {
    /// Who may add the user to groups.
    GroupAdd,
    /// Who sees when the user was there last.
    LastSeen,
    /// Who sees the "about" text.
    About,
    /// Who sees the picture.
    Picture,
    /// Whether others learn what the user read, and the user what they read.
    ReadReceipts,
    /// Who sees that the user is there.
    Online,
    /// Who may call the user.
    Calls,
    /// Who may write to the user.
    Messages,
    /// Whether the account is protected more strictly.
    Defense,
    /// Who may use the user's stickers.
    Stickers,
}

impl PrivacyKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::GroupAdd,
        Self::LastSeen,
        Self::About,
        Self::Picture,
        Self::ReadReceipts,
        Self::Online,
        Self::Calls,
        Self::Messages,
        Self::Defense,
        Self::Stickers,
    ];

    /// Its name at the server.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GroupAdd => "groupadd",
            Self::LastSeen => "last",
            Self::About => "status",
            Self::Picture => "profile",
            Self::ReadReceipts => "readreceipts",
            Self::Online => "online",
            Self::Calls => "calladd",
            Self::Messages => "messages",
            Self::Defense => "defense",
            Self::Stickers => "stickers",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether a value has a meaning for it. Values without a name here are left to the server.
    pub fn takes(self, value: &PrivacyValue) -> bool {
        use PrivacyValue as Value;
        let values: &[Value] = match self {
            Self::GroupAdd | Self::LastSeen | Self::About | Self::Picture | Self::Stickers => {
                &[Value::All, Value::Contacts, Value::ContactsExcept, Value::Nobody]
            }
            Self::ReadReceipts => &[Value::All, Value::Nobody],
            Self::Online => &[Value::All, Value::MatchLastSeen],
            Self::Calls => &[Value::All, Value::Known, Value::Contacts],
            Self::Messages => &[Value::All, Value::Known, Value::Contacts],
            Self::Defense => &[Value::On, Value::Off],
        };
        values.contains(value) || matches!(value, Value::Other(_))
    }
}

/// To whom it applies.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PrivacyValue {
    /// Everybody.
    All,
    /// The user's contacts.
    Contacts,
    /// The user's contacts but those on a list.
    ContactsExcept,
    /// Nobody.
    Nobody,
    /// Those who see when the user was there last.
    MatchLastSeen,
    /// Those whom the user knows.
    Known,
    /// On.
    On,
    /// Off.
    Off,
    /// A value this version has no name for.
    Other(String),
}

impl PrivacyValue {
    /// Its name at the server.
    pub fn as_str(&self) -> &str {
        match self {
            Self::All => "all",
            Self::Contacts => "contacts",
            Self::ContactsExcept => "contact_blacklist",
            Self::Nobody => "none",
            Self::MatchLastSeen => "match_last_seen",
            Self::Known => "known",
            Self::On => "on_standard",
            Self::Off => "off",
            Self::Other(name) => name,
        }
    }

    pub(super) fn from_name(name: &str) -> Self {
        match name {
            "all" => Self::All,
            "contacts" => Self::Contacts,
            "contact_blacklist" => Self::ContactsExcept,
            "none" => Self::Nobody,
            "match_last_seen" => Self::MatchLastSeen,
            "known" => Self::Known,
            "on_standard" => Self::On,
            "off" => Self::Off,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// The settings that are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrivacySettings(BTreeMap<PrivacyKind, PrivacyValue>);

impl PrivacySettings {
    /// To whom something applies; `None` if the server never said.
    pub fn of(&self, kind: PrivacyKind) -> Option<&PrivacyValue> {
        self.0.get(&kind)
    }

    /// All that are known.
    pub fn iter(&self) -> impl Iterator<Item = (PrivacyKind, &PrivacyValue)> {
        self.0.iter().map(|(kind, value)| (*kind, value))
    }

    pub(super) fn put(&mut self, kind: PrivacyKind, value: PrivacyValue) {
        self.0.insert(kind, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for kind in PrivacyKind::ALL {
            assert_eq!(PrivacyKind::from_name(kind.as_str()), Some(kind));
        }
        for name in ["all", "contacts", "contact_blacklist", "none", "novelty"] {
            assert_eq!(PrivacyValue::from_name(name).as_str(), name);
        }
    }

    #[test]
    fn each_kind_has_values_of_its_own() {
        assert!(PrivacyKind::ReadReceipts.takes(&PrivacyValue::Nobody));
        assert!(!PrivacyKind::ReadReceipts.takes(&PrivacyValue::Contacts));
        assert!(!PrivacyKind::Online.takes(&PrivacyValue::Nobody));
        assert!(PrivacyKind::Online.takes(&PrivacyValue::Other("novelty".into())));
    }
}
