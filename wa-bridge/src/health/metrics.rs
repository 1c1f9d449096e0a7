//! What is counted, in the text format of Prometheus (0.0.4).

use std::fmt::Write;

use crate::{api::StatusView, service::Counts};

/// The format's name.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How the account stands and what was counted, as text.
pub(super) fn text(status: &StatusView, counts: &Counts) -> String {
    let mut text = Text(String::new());
    text.gauge("wa_linked", "Whether a device is linked.", status.account.is_some().into());
    text.gauge("wa_connected", "Whether there is a connection.", status.connected.into());
    text.gauge("wa_caught_up", "Whether all that waited was received.", status.caught_up.into());
    text.gauge("wa_problem", "Whether only a person can mend it.", status.problem.is_some().into());
    text.gauge(
        "wa_restricted",
        "Whether WhatsApp restricts the account.",
        status.restriction.is_some().into(),
    );
    if let Some(seconds) = status.silent_for {
        text.gauge("wa_silent_seconds", "Seconds since the server last told something.", seconds);
    }
    text.gauge("wa_messages", "Messages in the archive.", status.messages);
    text.gauge("wa_chats", "Chats in the archive.", status.chats);
    text.gauge("wa_database_bytes", "The size of the database.", status.database_bytes);
    text.gauge("wa_outbox_pending", "Messages that are still to be sent.", status.outbox_pending);
    text.gauge("wa_placeholders", "Messages that could not be read yet.", status.unreadable);
    text.gauge("wa_drafts", "Messages that wait for a person to agree.", status.drafts);
    let health = &status.health;
    let failures = health.failed_tasks.iter().map(|task| task.failures).sum::<u64>();
    text.head("wa_task_failures_total", "Failures of background tasks since the start.", "counter");
    text.line("wa_task_failures_total", failures);
    text.head("wa_unreadable_total", "What the server sent that could not be read.", "counter");
    for (kind, count) in [("frame", health.unreadable_frames), ("entry", health.unreadable_entries)]
    {
        text.line(&format!("wa_unreadable_total{{kind=\"{kind}\"}}"), count);
    }
    text.head("wa_sends_total", "Messages that were let go since the start.", "counter");
    text.line("wa_sends_total", counts.sends);
    text.head("wa_refusals_total", "Calls that the policy refused since the start.", "counter");
    for (cause, count) in
        [("forbidden", counts.forbidden), ("paced", counts.paced), ("unconfirmed", counts.drafted)]
    {
        text.line(&format!("wa_refusals_total{{cause=\"{cause}\"}}"), count);
    }
    text.0
}

struct Text(String);

impl Text {
    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, help, "gauge");
        self.line(name, value);
    }

    fn head(&mut self, name: &str, help: &str, kind: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, value: u64) {
        let _ = writeln!(self.0, "{name} {value}");
    }
}
