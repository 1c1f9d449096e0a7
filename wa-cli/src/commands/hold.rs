//! `hold` and `release`: stopping what assistants send, and letting it go on.

use wa_bridge::api::{Hold, HoldView, Release};

use crate::{failure::Failure, session::Session};

pub(crate) async fn hold(session: &Session<'_>) -> Result<(), Failure> {
    let view = session.call(Hold {}).await?;
    let since = view.held_since.as_deref().unwrap_or("now");
    let text = format!(
        "nothing of assistants leaves any more, since {since}{}; to end this: wa-cli release",
        waiting(&view)
    );
    session.output.result(&view, &text)
}

pub(crate) async fn release(session: &Session<'_>) -> Result<(), Failure> {
    let view = session.call(Release {}).await?;
    let text = format!("assistants may send again{}", waiting(&view));
    session.output.result(&view, &text)
}

fn waiting(view: &HoldView) -> String {
    match view.waiting {
        0 => String::new(),
        1 => " (1 message waits in the outbox)".to_owned(),
        count => format!(" ({count} messages wait in the outbox)"),
    }
}
