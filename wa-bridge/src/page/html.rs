//! The page as it looks. Everything that others wrote is escaped, here and only here.

use crate::{api::DraftView, failure::Failure, foreign};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;\
    padding:0 1rem;color:#111;background:#fff}\
    section{border:1px solid #ccc;border-radius:.5rem;padding:1rem;margin:1rem 0}\
    h2{font-size:1.1rem;margin:0}pre{white-space:pre-wrap;overflow-wrap:anywhere;\
    background:#f4f4f4;padding:.75rem;border-radius:.25rem;font:inherit}\
    small{color:#555}.said{border-left:.25rem solid #2a7;padding-left:.75rem}\
    .said.bad{border-color:#c33}button{font:inherit;padding:.4rem 1.2rem;margin-right:.5rem}\
    input{font:inherit;padding:.4rem;width:100%;box-sizing:border-box;margin:.5rem 0}\
    @media(prefers-color-scheme:dark){body{color:#eee;background:#161616}\
    section{border-color:#444}pre{background:#262626}small{color:#aaa}}";

/// What whoever has not shown the token gets to see.
pub(super) fn entrance(why: Option<&str>) -> String {
    let why = why.map(|why| format!("<p class=\"said bad\">{}</p>", escaped(why)));
    page(
        "Messages that wait",
        "",
        &format!(
            "{}<p>An assistant wants to send something, and you decide. Show first that it is you: \
             the token is in the file whose name ends with <code>-token</code> in the \
             configuration folder.</p>\
             <form method=\"post\"><label>Token<input type=\"password\" name=\"token\" required \
             autofocus autocomplete=\"current-password\"></label><button>Show</button></form>",
            why.unwrap_or_default()
        ),
    )
}

/// The messages that wait, each with its buttons.
pub(super) fn drafts(
    profile: &str,
    drafts: &[DraftView],
    visit: &str,
    said: Option<Result<String, Failure>>,
) -> String {
    let said = match said {
        None => String::new(),
        Some(Ok(said)) => format!("<p class=\"said\">{}</p>", escaped(&said)),
        Some(Err(failure)) => {
            format!("<p class=\"said bad\">{}</p>", escaped(&failure.to_string()))
        }
    };
    let list: String = drafts.iter().map(|draft| one(draft, visit)).collect();
    let list = if list.is_empty() { "<p>Nothing waits.</p>".to_owned() } else { list };
    let visit = escaped(visit);
    page(
        &format!("Messages that wait ({profile})"),
        "",
        &format!(
            "{said}{list}<form method=\"post\"><input type=\"hidden\" name=\"visit\" \
             value=\"{visit}\"><button>Look again</button></form>"
        ),
    )
}

/// A message that waits. What the person reads is the draft's own text, and all of it.
fn one(draft: &DraftView, visit: &str) -> String {
    let DraftView { id, shown, created_at, digest, .. } = draft;
    let [id, created_at, digest, visit] = [id, created_at, digest, visit].map(escaped);
    let shown = markup(shown);
    format!(
        "<section><pre>{shown}</pre><small>at {created_at}</small>\
         <form method=\"post\"><input type=\"hidden\" name=\"visit\" value=\"{visit}\">\
         <input type=\"hidden\" name=\"draft\" value=\"{id}\">\
         <input type=\"hidden\" name=\"digest\" value=\"{digest}\">\
         <p><button name=\"button\" value=\"send\">Send</button>\
         <button name=\"button\" value=\"drop\">Drop</button></p></form></section>"
    )
}

/// A page; `head` is markup of the process's own.
pub(crate) fn page(title: &str, head: &str, body: &str) -> String {
    let title = escaped(title);
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>{STYLE}</style>{head}</head><body><h1>{title}</h1>{body}</body></html>"
    )
}

/// A text on one line, without what hides or reorders it, as HTML.
pub(crate) fn escaped(text: &str) -> String {
    markup(&foreign::plain(text, " "))
}

/// A text as HTML.
pub(crate) fn markup(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_is_text_and_never_markup() {
        assert_eq!(
            escaped("<img src=x onerror='a(\"b\")'>&\u{202e}\n"),
            "&lt;img src=x onerror=&#39;a(&quot;b&quot;)&#39;&gt;&amp; "
        );
    }
}
