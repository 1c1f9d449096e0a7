//! `privacy`: who sees what of this account, and may do what.

use serde_json::{Map, Value, json};
use wa_bridge::api::{
    PrivacyAudience as Audience, PrivacyGet, PrivacySet, PrivacySetting as Setting,
};

use crate::{
    args::{PrivacyAudience, PrivacyCommand, PrivacySetArguments, PrivacySetting},
    failure::Failure,
    session::Session,
};

pub(crate) async fn run(command: &PrivacyCommand, session: &Session<'_>) -> Result<(), Failure> {
    match command {
        PrivacyCommand::Show => show(session).await,
        PrivacyCommand::Set(arguments) => set(arguments, session).await,
    }
}

async fn show(session: &Session<'_>) -> Result<(), Failure> {
    let output = session.output;
    let mut view = Map::new();
    let mut lines = String::new();
    for told in session.call(PrivacyGet {}).await? {
        let name = word(told.setting);
        let shown = wa_bridge::foreign::plain(&told.value, " ");
        lines.push_str(&format!("{}  {shown}\n", output.dim(&format!("{name:>13}"))));
        view.insert(name, Value::String(told.value));
    }
    output.result(&view, &lines)
}

async fn set(arguments: &PrivacySetArguments, session: &Session<'_>) -> Result<(), Failure> {
    let change =
        PrivacySet { setting: setting(arguments.setting), value: audience(arguments.value) };
    let view = session.call(change).await?;
    let (name, value) = (word(view.setting), view.value);
    session.output.result(&json!({ "setting": name, "value": value }), &format!("{name}: {value}"))
}

/// A setting as it is typed.
fn word(setting: Setting) -> String {
    match serde_json::to_value(setting) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}

const fn setting(setting: PrivacySetting) -> Setting {
    match setting {
        PrivacySetting::Groups => Setting::Groups,
        PrivacySetting::LastSeen => Setting::LastSeen,
        PrivacySetting::About => Setting::About,
        PrivacySetting::Picture => Setting::Picture,
        PrivacySetting::ReadReceipts => Setting::ReadReceipts,
        PrivacySetting::Online => Setting::Online,
        PrivacySetting::Calls => Setting::Calls,
        PrivacySetting::Messages => Setting::Messages,
        PrivacySetting::Defense => Setting::Defense,
        PrivacySetting::Stickers => Setting::Stickers,
    }
}

const fn audience(audience: PrivacyAudience) -> Audience {
    match audience {
        PrivacyAudience::Everybody => Audience::Everybody,
        PrivacyAudience::Contacts => Audience::Contacts,
        PrivacyAudience::ContactsExcept => Audience::ContactsExcept,
        PrivacyAudience::Nobody => Audience::Nobody,
        PrivacyAudience::AsLastSeen => Audience::AsLastSeen,
        PrivacyAudience::Known => Audience::Known,
        PrivacyAudience::On => Audience::On,
        PrivacyAudience::Off => Audience::Off,
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn what_is_typed_and_what_is_told_are_the_same_words() {
        for typed in PrivacySetting::value_variants() {
            let name = typed.to_possible_value().unwrap();
            assert_eq!(word(setting(*typed)), name.get_name());
        }
        for typed in PrivacyAudience::value_variants() {
            let name = typed.to_possible_value().unwrap();
            assert_eq!(serde_json::to_value(audience(*typed)).unwrap(), name.get_name());
        }
    }
}
