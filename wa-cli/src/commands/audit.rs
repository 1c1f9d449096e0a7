//! `audit`: what was done in the account's name, and who asked for it.

use jiff::tz::TimeZone;
use wa_bridge::{
    api::{Audit, AuditView},
    foreign,
};

use crate::{
    args::AuditArguments, failure::Failure, output::Output, session::Session, view::shown_time,
};

pub(crate) async fn run(arguments: &AuditArguments, session: &Session<'_>) -> Result<(), Failure> {
    let (output, zone) = (session.output, TimeZone::system());
    let limit = u32::try_from(arguments.limit).ok();
    let views = session.call(Audit { limit, before: arguments.before }).await?;
    if views.is_empty() {
        output.note("nothing was done yet");
    }
    let lines: String = views.iter().map(|view| line(view, output, &zone)).collect();
    output.result(&views, &lines)
}

fn line(view: &AuditView, output: &Output, zone: &TimeZone) -> String {
    let at = output.dim(&shown_time(&view.at, zone));
    let caller = foreign::plain(&view.caller, " ");
    let about = [&view.chat, &view.detail].into_iter().flatten();
    let about: String = about.map(|it| format!("  {}", foreign::plain(it, " "))).collect();
    format!("{at}  {}  {}  {caller}{about}\n", view.call, output.bold(&view.outcome))
}
