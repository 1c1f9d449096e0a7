//! How a command ends when it does not succeed: a code for scripts, one line for people.

use std::process::ExitCode;

use serde::Serialize;
pub(crate) use wa_bridge::{Cause, Failure};
use wa_bridge::{ChatKind, api::CandidateView, foreign, remedy};

/// A failure in `--json`.
#[derive(Serialize)]
pub(crate) struct FailureView<'a> {
    #[serde(flatten)]
    failure: &'a Failure,
    exit_code: u8,
}

impl<'a> FailureView<'a> {
    pub(crate) fn new(failure: &'a Failure) -> Self {
        Self { failure, exit_code: exit_code(failure.cause) }
    }
}

/// The process's exit code.
pub(crate) const fn exit_code(cause: Cause) -> u8 {
    match cause {
        Cause::Usage | Cause::Ambiguous => 2,
        Cause::Cancelled | Cause::ConfirmationRequired => 3,
        Cause::NotLinked => 4,
        Cause::Offline | Cause::TimedOut | Cause::Queued | Cause::Paced => 5,
        Cause::Locked | Cause::Version => 6,
        Cause::Interrupted => 130,
        _ => 1,
    }
}

/// The code for the shell.
pub(crate) fn to_exit_code(failure: &Failure) -> ExitCode {
    ExitCode::from(exit_code(failure.cause))
}

/// The line for a person.
pub(crate) fn line(failure: &Failure) -> String {
    format!("wa-cli: {failure}")
}

/// The same in the words of the command line: with the commands that help, and with the numbers by
/// which one of several is chosen.
pub(crate) fn in_own_words(mut failure: Failure) -> Failure {
    if !failure.candidates.is_empty() {
        let candidates = failure.candidates.iter().enumerate();
        let list: Vec<_> = candidates.map(|(i, it)| numbered(i + 1, it)).collect();
        failure.message = format!("{}: {}", failure.message, list.join(", "));
        return failure.remedy("choose with --pick N, or write the number");
    }
    let own = failure.remedy.as_deref().and_then(own_remedy).map(str::to_owned);
    failure.remedy = own.or(failure.remedy);
    failure
}

fn numbered(number: usize, candidate: &CandidateView) -> String {
    let address = candidate.phone.as_deref().unwrap_or(&candidate.jid);
    let name = foreign::plain(&candidate.name, " ");
    let who = match &candidate.saved_as {
        Some(saved) => format!("{} who calls themself {name:?}", foreign::plain(saved, " ")),
        None if candidate.kind != ChatKind::Person => {
            format!("{} {name:?}", candidate.kind.as_str())
        }
        None if candidate.self_chosen => format!("~{name} (not in the address book)"),
        None => name,
    };
    format!("{number}) {who} {address}")
}

fn own_remedy(told: &str) -> Option<&'static str> {
    Some(match told {
        remedy::MESSAGE_ID | remedy::FILE | remedy::POLL => "see: wa-cli messages CHAT --ids",
        remedy::CHATS => "see: wa-cli chats",
        remedy::GROUPS => "see: wa-cli groups list",
        remedy::CHANNELS => "see: wa-cli channels list",
        remedy::LABELS => "see: wa-cli labels",
        remedy::PEOPLE => {
            "write the phone number with its country code, or see: wa-cli chats, wa-cli contacts"
        }
        remedy::EMOJI => "write one emoji, such as 👍, or --remove to take a reaction back",
        remedy::PRIVACY => "see: wa-cli privacy set --help",
        remedy::GROUP_SETTING => "use: wa-cli groups settings GROUP --disappearing TIME",
        remedy::TIME => "try again, or give more --timeout",
        remedy::TEXT => "write it after the recipient, or '-' to read it from standard input",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line_and_one_object() {
        let failure =
            Failure::new(Cause::NotLinked, "no device\nis linked").remedy("run: wa-cli link");
        assert_eq!(line(&failure), "wa-cli: no device is linked; run: wa-cli link");
        assert_eq!(
            serde_json::to_string(&FailureView::new(&failure)).unwrap(),
            r#"{"code":"not_linked","message":"no device is linked","remedy":"run: wa-cli link","exit_code":4}"#
        );
    }

    #[test]
    fn several_are_numbered_as_pick_counts_them() {
        let json = r#"{"code":"ambiguous","message":"\"Anna\" fits several","candidates":[
            {"jid":"1@lid","kind":"person","name":"Anna\u202e B.","self_chosen":false,
                "phone":"+447700900101"},
            {"jid":"2@lid","kind":"person","name":"Anna","self_chosen":true,"phone":null},
            {"jid":"3@lid","kind":"person","name":"Anna","self_chosen":true,"phone":null,
                "saved_as":"Mallory"},
            {"jid":"4@g.us","kind":"group","name":"Anna","self_chosen":true,"phone":null}]}"#;
        let failure = in_own_words(serde_json::from_str(json).unwrap());
        assert_eq!(
            line(&failure),
            "wa-cli: \"Anna\" fits several: 1) Anna B. +447700900101, 2) ~Anna (not in the \
             address book) 2@lid, 3) Mallory who calls themself \"Anna\" 3@lid, 4) group \"Anna\" 4@g.us; \
             choose with --pick N, or write the number"
        );
        assert_eq!(exit_code(failure.cause), 2);
    }
}
