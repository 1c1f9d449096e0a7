//! `key`: where the database key is, and whether a passphrase opens it.

use serde_json::json;
use wa_bridge::{BridgeOptions, KeyPlace, KeySource, Passphrase, Profile, move_key};

use crate::{
    args::{GlobalArguments, KeyCommand},
    failure::{Cause, Failure},
    output::Output,
    passphrase, session,
};

/// Works beside whoever owns the account: the key itself stays the same.
pub(crate) async fn run(
    command: &KeyCommand,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let (options, profile) = session::profile(global)?;
    let command = command.clone();
    // It waits for somebody who types.
    let changed = tokio::task::spawn_blocking(move || change(&command, &options, &profile)).await;
    let place = changed
        .map_err(|error| Failure::new(Cause::Failed, format!("it was stopped: {error}")))??;
    output.result(&json!({ "key": place }), &format!("the database key is in {place}"))
}

fn change(
    command: &KeyCommand,
    options: &BridgeOptions,
    profile: &Profile,
) -> Result<String, Failure> {
    let source = KeySource::new(options.key_file.as_deref(), &options.environment)
        .with_passphrase(options.passphrase.clone());
    if let KeyCommand::Where = command {
        return Ok(source.place(profile));
    }
    if options.key_file.is_some() {
        return Err(Failure::new(Cause::Usage, "a key file that is named stays where it is")
            .remedy("leave --key-file out: this changes the profile's own key"));
    }
    let key = source.load(profile)?.ok_or_else(|| {
        Failure::new(Cause::NotLinked, "there is no database key yet").remedy("run: wa-cli link")
    })?;
    match command {
        KeyCommand::Where => {}
        KeyCommand::Passphrase { new_passphrase_file } => {
            let chosen = match new_passphrase_file {
                Some(file) => Passphrase::new(Some(file), &options.environment)
                    .read(&profile.sealed_key_file())?,
                None => Some(passphrase::choose()?),
            };
            let chosen = chosen.ok_or_else(|| Failure::new(Cause::Usage, "there is none"))?;
            move_key(profile, &key, KeyPlace::Sealed(&chosen))?;
        }
        KeyCommand::File => move_key(profile, &key, KeyPlace::File)?,
        KeyCommand::Keyring => move_key(profile, &key, KeyPlace::Keyring)?,
    }
    Ok(source.place(profile))
}
