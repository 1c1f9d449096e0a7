//! `audit`: what was done in the account's name, and who asked for it.

use jiff::tz::TimeZone;
use wa_bridge::{
    api::{Audit, AuditProofView, AuditVerify, AuditView},
    foreign,
};

use crate::{
    args::{AuditArguments, AuditCommand, VerifyArguments},
    failure::{Cause, Failure},
    output::Output,
    session::Session,
    view::shown_time,
};

pub(crate) async fn run(arguments: &AuditArguments, session: &Session<'_>) -> Result<(), Failure> {
    if let Some(AuditCommand::Verify(arguments)) = &arguments.command {
        return verify(arguments, session).await;
    }
    let (output, zone) = (session.output, TimeZone::system());
    let limit = u32::try_from(arguments.limit).ok();
    let views = session.call(Audit { limit, before: arguments.before }).await?;
    if views.is_empty() {
        output.note("nothing was done yet");
    }
    let lines: String = views.iter().map(|view| line(view, output, &zone)).collect();
    output.result(&views, &lines)
}

async fn verify(arguments: &VerifyArguments, session: &Session<'_>) -> Result<(), Failure> {
    let proof = session.call(AuditVerify { kept: arguments.holds.clone() }).await?;
    match &proof.problem {
        Some(problem) => {
            Err(Failure::new(Cause::Failed, format!("the audit is not whole: {problem}"))
                .remedy("somebody has written to the database past this program; see who can"))
        }
        None => session.output.result(&proof, &shown(&proof)),
    }
}

fn shown(proof: &AuditProofView) -> String {
    let mut lines = format!("{} entries hold together\n", proof.entries);
    if proof.unchained > 0 {
        lines
            .push_str(&format!("    {} older ones were written without hashes\n", proof.unchained));
    }
    if let Some(taken) = &proof.taken_out {
        lines.push_str(&format!(
            "    those up to {} ({}) were taken out by age\n",
            taken.seq, taken.at
        ));
    }
    if let (Some(newest), Some(hash)) = (proof.newest, &proof.hash) {
        lines.push_str(&format!("    entry {newest} has the hash {hash}\n"));
        lines.push_str(
            "    keep it elsewhere: `audit verify --holds HASH` tells if the end is cut off\n",
        );
    }
    lines
}

fn line(view: &AuditView, output: &Output, zone: &TimeZone) -> String {
    let at = output.dim(&shown_time(&view.at, zone));
    let caller = foreign::plain(&view.caller, " ");
    let about = [&view.chat, &view.detail].into_iter().flatten();
    let about: String = about.map(|it| format!("  {}", foreign::plain(it, " "))).collect();
    format!("{at}  {}  {}  {caller}{about}\n", view.call, output.bold(&view.outcome))
}
