//! Finds messages by words, the newest first: `WA_DB_KEY=… search DATABASE WORDS…`.

#![expect(clippy::print_stdout, reason = "it is what a search does")]

use wa_store::SearchQuery;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let store = wa_examples::open().await?;
    let words = std::env::args().skip(2).collect::<Vec<_>>().join(" ");
    let mut query = SearchQuery::new(words);
    loop {
        let page = store.search(&query).await?;
        for hit in &page.hits {
            let text = hit.message.text.as_deref().unwrap_or_default();
            println!("{}  {}", hit.message.key.sender, hit.snippet.marked(text, "[", "]"));
        }
        query.cursor = page.cursor;
        if query.cursor.is_none() {
            break;
        }
    }
    Ok(store.close().await?)
}
