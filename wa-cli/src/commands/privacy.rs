//! `privacy`: who sees what of this account, and may do what.

use clap::ValueEnum;
use serde_json::{Map, Value, json};
use wa_client::{PrivacyKind, PrivacyValue};

use crate::{
    args::{GlobalArguments, PrivacyAudience, PrivacyCommand, PrivacySetArguments, PrivacySetting},
    failure::{Cause, Failure},
    output::Output,
    session,
};

pub(crate) async fn run(
    command: &PrivacyCommand,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        PrivacyCommand::Show => show(global, output).await,
        PrivacyCommand::Set(arguments) => set(arguments, global, output).await,
    }
}

async fn show(global: &GlobalArguments, output: &Output) -> Result<(), Failure> {
    let settings = session::with(global, async |session, _| {
        session.begin().await?;
        let privacy = session.client.privacy();
        session.ask(privacy.settings()).await
    });
    let settings = settings.await?;
    let mut view = Map::new();
    let mut lines = String::new();
    for setting in PrivacySetting::value_variants() {
        if let Some(value) = settings.of(kind(*setting)) {
            let (name, value) = (name(setting), told(value));
            lines.push_str(&format!("{}  {value}\n", output.dim(&format!("{name:>13}"))));
            view.insert(name, Value::String(value));
        }
    }
    Ok(output.result(&view, &lines)?)
}

async fn set(
    arguments: &PrivacySetArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let (kind, value) = (kind(arguments.setting), audience(arguments.value));
    let (name, told) = (name(&arguments.setting), name(&arguments.value));
    if !kind.takes(&value) {
        return Err(Failure::new(Cause::Usage, format!("{name} cannot be {told}"))
            .remedy("see: wa-cli privacy set --help"));
    }
    session::with(global, async |session, _| {
        session.begin().await?;
        let privacy = session.client.privacy();
        session.ask(privacy.set(kind, value)).await
    })
    .await?;
    let view = json!({ "setting": name, "value": told });
    Ok(output.result(&view, &format!("{name}: {told}"))?)
}

/// A value as it is typed.
fn name(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// A value the server told, as it is typed.
fn told(value: &PrivacyValue) -> String {
    let mut known = PrivacyAudience::value_variants().iter();
    let known = known.find(|known| audience(**known) == *value).map(name);
    known.unwrap_or_else(|| value.as_str().to_owned())
}

const fn kind(setting: PrivacySetting) -> PrivacyKind {
    match setting {
        PrivacySetting::Groups => PrivacyKind::GroupAdd,
        PrivacySetting::LastSeen => PrivacyKind::LastSeen,
        PrivacySetting::About => PrivacyKind::About,
        PrivacySetting::Picture => PrivacyKind::Picture,
        PrivacySetting::ReadReceipts => PrivacyKind::ReadReceipts,
        PrivacySetting::Online => PrivacyKind::Online,
        PrivacySetting::Calls => PrivacyKind::Calls,
        PrivacySetting::Messages => PrivacyKind::Messages,
        PrivacySetting::Defense => PrivacyKind::Defense,
        PrivacySetting::Stickers => PrivacyKind::Stickers,
    }
}

const fn audience(value: PrivacyAudience) -> PrivacyValue {
    match value {
        PrivacyAudience::Everybody => PrivacyValue::All,
        PrivacyAudience::Contacts => PrivacyValue::Contacts,
        PrivacyAudience::ContactsExcept => PrivacyValue::ContactsExcept,
        PrivacyAudience::Nobody => PrivacyValue::Nobody,
        PrivacyAudience::AsLastSeen => PrivacyValue::MatchLastSeen,
        PrivacyAudience::Known => PrivacyValue::Known,
        PrivacyAudience::On => PrivacyValue::On,
        PrivacyAudience::Off => PrivacyValue::Off,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_told_as_it_is_typed() {
        for value in PrivacyAudience::value_variants() {
            assert_eq!(told(&audience(*value)), name(value));
        }
        assert_eq!(told(&PrivacyValue::Other("strange".into())), "strange");
    }
}
