//! Messages by their words.

use wa_store::{Hit, SearchOrder, SearchQuery};

use super::{Call, Perform, call::page, narrow::Narrow};
use crate::{
    api::{FoundView, HitView, Search},
    failure::{Cause, Failure},
    view::Surroundings,
};

impl Perform for Search {
    async fn perform(self, call: &Call<'_>) -> Result<FoundView, Failure> {
        let page = call.archive().search(query(&self, call).await?).await?;
        let messages = page.hits.iter().map(|hit| &hit.message);
        call.note_read(messages.clone()).await?;
        let known = Surroundings::look_up(messages, &call.archive()).await?;
        Ok(FoundView {
            hits: page.hits.iter().map(|hit| view(hit, &known)).collect(),
            cursor: page.cursor.as_ref().map(ToString::to_string),
        })
    }
}

async fn query(search: &Search, call: &Call<'_>) -> Result<SearchQuery, Failure> {
    let mut query = SearchQuery::new(search.query.as_str());
    let narrow = Narrow {
        chat: search.chat.as_deref(),
        from: search.from.as_deref(),
        kind: search.kind.as_deref(),
        from_me: search.from_me,
        after: search.after.as_deref(),
        before: search.before.as_deref(),
    };
    query.filter = narrow.filter(call).await?;
    if search.ranked {
        query.order = SearchOrder::Ranked;
    }
    query.limit = page(search.limit, 20);
    if let Some(cursor) = &search.cursor {
        query.cursor = Some(cursor.parse().map_err(|_| {
            Failure::new(Cause::Usage, format!("{cursor:?} is no cursor"))
                .remedy("copy it from the end of the page before")
        })?);
    }
    Ok(query)
}

fn view(hit: &Hit, known: &Surroundings) -> HitView {
    let message = known.view(&hit.message);
    let text = message.text.as_deref().unwrap_or_default();
    HitView {
        snippet: hit.snippet.marked(text, "", ""),
        excerpt: (hit.snippet.excerpt.start, hit.snippet.excerpt.end),
        highlights: hit.snippet.highlights.iter().map(|h| (h.start, h.end)).collect(),
        rank: hit.rank,
        message,
    }
}
