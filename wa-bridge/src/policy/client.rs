//! What single assistants may do: the sections `[client.NAME]` of the policy.
//!
//! A section has the policy's own keys; what it leaves out is as in the whole policy. Whatever it
//! says, it holds together with the whole policy, so it can only take something away.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use toml::{Table, Value};

use super::{Files, Pace, Policy, Taint, folder::AllowedFolder};
use crate::{Caller, ClientName, Frontend, clients::UNNAMED};

/// The key of the sections.
const KEY: &str = "client";

/// Checks the shape of the sections, and leaves them for [`sections`]: a section is a change of the
/// whole policy, and can be understood only with all of it.
pub(super) fn later<'de, D: Deserializer<'de>>(
    file: D,
) -> Result<BTreeMap<String, Policy>, D::Error> {
    BTreeMap::<String, Table>::deserialize(file).map(|_| BTreeMap::new())
}

/// The policy of each assistant that has a section, by its name.
///
/// # Errors
/// Which section is wrong, and what is.
pub(super) fn sections(text: &str) -> Result<BTreeMap<String, Policy>, String> {
    let mut file: Table = toml::from_str(text).map_err(|error| error.to_string())?;
    let Some(Value::Table(written)) = file.remove(KEY) else { return Ok(BTreeMap::new()) };
    let mut policies = BTreeMap::new();
    for (name, section) in written {
        let wrong = |what: String| format!("[{KEY}.{name}]: {what}");
        if name != UNNAMED {
            name.parse::<ClientName>().map_err(|error| wrong(error.to_string()))?;
        }
        let Value::Table(section) = section else { return Err(wrong("it is no section".into())) };
        if section.contains_key(KEY) {
            return Err(wrong(format!("there are no sections {KEY} in it")));
        }
        let changed = Value::Table(with(file.clone(), section));
        let policy = Policy::deserialize(changed).map_err(|error| wrong(error.to_string()))?;
        policy.check().map_err(wrong)?;
        policies.insert(name, policy);
    }
    Ok(policies)
}

/// A file in which a section's keys take the place of its own.
fn with(mut file: Table, section: Table) -> Table {
    for (key, value) in section {
        let value = match (file.remove(&key), value) {
            (Some(Value::Table(old)), Value::Table(new)) => Value::Table(with(old, new)),
            (_, value) => value,
        };
        file.insert(key, value);
    }
    file
}

impl Policy {
    /// The policy as it holds for a caller, with what they forbid themselves.
    #[must_use]
    pub fn for_caller(&self, caller: &Caller) -> Self {
        let mut policy = match (caller.frontend, &caller.client) {
            (Frontend::Person, _) => self.clone(),
            (Frontend::Assistant, Some(client)) => {
                self.clients.get(client.as_str()).map_or_else(|| self.clone(), |own| self.meet(own))
            }
            (Frontend::Assistant, None) => self.of_nobody(),
        };
        policy.clients.clear();
        policy.tightened(&caller.tightening)
    }

    /// The policy of an assistant that proved nothing: the strictest of all, so that nobody gains
    /// by keeping their token to themselves.
    fn of_nobody(&self) -> Self {
        self.clients.values().fold(self.clone(), |policy, client| policy.meet(client))
    }

    /// What both policies allow.
    #[must_use]
    pub fn meet(&self, other: &Self) -> Self {
        // Every part is named: one that is added has to be thought of here.
        let Self { read_only, confirm, confirm_in_chat, taint, read, write, files, pace, clients } =
            self;
        Self {
            read_only: *read_only || other.read_only,
            confirm: confirm.meet(&other.confirm),
            confirm_in_chat: *confirm_in_chat && other.confirm_in_chat,
            taint: match (*taint, other.taint) {
                (Taint::Off, Taint::Off) => Taint::Off,
                _ => Taint::Confirm,
            },
            read: read.meet(&other.read),
            write: write.meet(&other.write),
            files: files.meet(&other.files),
            pace: pace.meet(&other.pace),
            clients: clients.clone(),
        }
    }
}

impl Pace {
    /// The slower of both.
    fn meet(&self, other: &Self) -> Self {
        let Self {
            between_ms,
            per_hour,
            strangers_between_ms,
            strangers_per_hour,
            lookups_per_hour,
            group_changes_per_hour,
            downloads_per_hour,
            read_messages_per_hour,
            read_characters_per_hour,
            patience_seconds,
        } = self;
        Self {
            between_ms: (*between_ms).max(other.between_ms),
            per_hour: (*per_hour).min(other.per_hour),
            strangers_between_ms: (*strangers_between_ms).max(other.strangers_between_ms),
            strangers_per_hour: (*strangers_per_hour).min(other.strangers_per_hour),
            lookups_per_hour: (*lookups_per_hour).min(other.lookups_per_hour),
            group_changes_per_hour: (*group_changes_per_hour).min(other.group_changes_per_hour),
            downloads_per_hour: (*downloads_per_hour).min(other.downloads_per_hour),
            read_messages_per_hour: (*read_messages_per_hour).min(other.read_messages_per_hour),
            read_characters_per_hour: (*read_characters_per_hour)
                .min(other.read_characters_per_hour),
            patience_seconds: (*patience_seconds).min(other.patience_seconds),
        }
    }
}

impl Files {
    /// The files that both allow.
    fn meet(&self, other: &Self) -> Self {
        let Self { send_from, save_to, max_send_mb, keep_downloads_days } = self;
        Self {
            send_from: common(send_from, &other.send_from),
            save_to: common(save_to, &other.save_to),
            max_send_mb: (*max_send_mb).min(other.max_send_mb),
            // It is the account's own folder, whoever asks.
            keep_downloads_days: *keep_downloads_days,
        }
    }
}

/// The folders that lie in a folder of both lists.
fn common(ours: &[AllowedFolder], theirs: &[AllowedFolder]) -> Vec<AllowedFolder> {
    let mut common: Vec<AllowedFolder> = Vec::new();
    for one in ours {
        for other in theirs {
            let inner = match (one.is_within(other), other.is_within(one)) {
                (true, _) => one,
                (_, true) => other,
                _ => continue,
            };
            if !common.contains(inner) {
                common.push(inner.clone());
            }
        }
    }
    common
}

#[cfg(test)]
mod tests {
    use wa_proto::Jid;

    use super::*;
    use crate::policy::{Confirm, Confirmations};

    fn policy(text: &str) -> Policy {
        Policy::parse(text).unwrap()
    }

    fn client(name: &str) -> Caller {
        Caller::client(name.parse().unwrap())
    }

    fn chat(number: &str) -> Jid {
        Jid::phone(number)
    }

    const ANNA: &str = "447700900101";
    const BEN: &str = "447700900102";

    #[test]
    fn a_section_takes_away_and_never_gives() {
        let policy = policy(
            "confirm = 'always'\nread_only = true\nconfirm_in_chat = false\n\
             [write]\nchats = ['+447700900101']\n[pace]\nper_hour = 10\nbetween_ms = 900\n\
             [client.loose]\nconfirm = 'never'\nread_only = false\nconfirm_in_chat = true\n\
             write.chats = ['*']\nread.groups = false\n\
             pace.per_hour = 1000\npace.between_ms = 1",
        );
        let loose = policy.for_caller(&client("loose"));
        assert_eq!((loose.confirm, loose.read_only), (Confirmations::all(Confirm::Always), true));
        assert!(!loose.confirm_in_chat);
        assert_eq!((loose.pace.per_hour, loose.pace.between_ms), (10, 900));
        assert!(loose.write.holds(&chat(ANNA)) && !loose.write.holds(&chat(BEN)));
        assert!(!loose.read.holds(&Jid::group("1203")));
    }

    #[test]
    fn a_section_holds_for_its_assistant_and_for_whoever_shows_no_token() {
        let policy = policy(
            "[client.one]\nread.chats = ['+447700900101']\n[client.two]\nconfirm = 'always'\n\
             [client.unnamed]\nread_only = true",
        );
        let one = policy.for_caller(&client("one"));
        assert!(one.read.holds(&chat(ANNA)) && !one.read.holds(&chat(BEN)));
        assert_eq!((one.confirm, one.read_only), (Confirmations::default(), false));
        let two = policy.for_caller(&client("two"));
        assert!(two.read.holds(&chat(BEN)));
        assert_eq!(two.confirm, Confirmations::all(Confirm::Always));
        let other = policy.for_caller(&client("other"));
        assert_eq!(other, Policy::default());
        let nobody = policy.for_caller(&Caller::assistant("one"));
        assert!(nobody.read.holds(&chat(ANNA)) && !nobody.read.holds(&chat(BEN)));
        assert_eq!((nobody.confirm, nobody.read_only), (Confirmations::all(Confirm::Always), true));
        assert_eq!(policy.for_caller(&Caller::person("wa-cli")), Policy::default());
    }

    #[test]
    fn chats_have_to_be_within_both_lists_however_they_are_named() {
        let policy = policy(
            "[read]\nchats = ['+447700900101', '+447700900102']\n\
             [client.one.read]\nchats = ['447700900101@s.whatsapp.net', '+447700900103']",
        );
        let one = policy.for_caller(&client("one"));
        assert!(one.read.holds(&chat(ANNA)));
        assert!(!one.read.holds(&chat(BEN)) && !one.read.holds(&chat("447700900103")));
    }

    #[cfg(unix)]
    #[test]
    fn files_have_to_be_within_folders_of_both() {
        let root = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let path = root.path().join(name);
            std::fs::create_dir_all(&path).unwrap();
            std::fs::canonicalize(path).unwrap()
        };
        let (all, part, away) = (folder("all"), folder("all/part"), folder("away"));
        let meet = |ours: &[&std::path::PathBuf], theirs: &[&std::path::PathBuf]| {
            let list = |of: &[&std::path::PathBuf]| {
                of.iter().map(|path| AllowedFolder::own(path).unwrap()).collect()
            };
            let ours = Files { send_from: list(ours), max_send_mb: 5, ..Files::default() };
            let theirs = Files { send_from: list(theirs), max_send_mb: 9, ..Files::default() };
            let met = ours.meet(&theirs);
            assert_eq!(met.max_send_mb, 5);
            met.send_from.into_iter().map(std::path::PathBuf::from).collect::<Vec<_>>()
        };
        assert_eq!(meet(&[&all], &[&part]), std::slice::from_ref(&part));
        assert_eq!(meet(&[&part], &[&all, &away]), std::slice::from_ref(&part));
        assert!(meet(&[&all], &[&away]).is_empty());
        std::os::unix::fs::symlink(&away, all.join("link")).unwrap();
        assert!(meet(&[&all], &[&all.join("link")]).is_empty(), "by where it leads");
        assert!(meet(&[&all], &[]).is_empty());
    }

    #[test]
    fn a_section_that_is_not_understood_is_an_error_that_names_it() {
        for (text, named) in [
            ("[client.one]\nreadonly = true", "[client.one]"),
            ("[client.one]\nconfirm = 'sometimes'", "[client.one]"),
            ("[client.One]\nread_only = true", "[client.One]"),
            ("[client.one.client.two]\nread_only = true", "[client.one]"),
            ("[client]\none = 1", "one"),
            ("client = 1", "client"),
            ("[client.one.read]\nchats = ['']", "[client.one]"),
        ] {
            let error = Policy::parse(text).unwrap_err();
            assert!(error.contains(named), "{text}: {error}");
        }
    }
}
