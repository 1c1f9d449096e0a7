//! The server's switches (`abt`), and what a client that knew some of them is told. Knows nothing of
//! what they switch.

use wa_proto::{Node, OwnedNode};

use super::Server;

/// The switches, in the order in which they were set.
#[derive(Debug)]
pub(crate) struct Properties {
    set: Vec<(String, String)>,
}

impl Default for Properties {
    fn default() -> Self {
        let set = [("10518", "0"), ("9666", "0"), ("14303", "0")];
        Self { set: set.map(|(code, value)| (code.to_owned(), value.to_owned())).to_vec() }
    }
}

impl Server {
    /// Sets a switch.
    pub(crate) fn set_property(&mut self, code: &str, value: &str) {
        self.properties.set.push((code.to_owned(), value.to_owned()));
    }

    /// `<props>`: what was set since the state with the hash that the client names.
    pub(super) fn properties(&self, asked: Option<&Node<'_>>) -> OwnedNode {
        let set = &self.properties.set;
        let known = asked.and_then(|props| props.attrs.text("hash"));
        let known = known.and_then(|hash| hash.strip_prefix("sim-")?.parse::<usize>().ok());
        let known = known.filter(|known| *known <= set.len());
        let news = set.iter().skip(known.unwrap_or(0)).map(|(code, value)| {
            Node::new("prop").attr("config_code", code.clone()).attr("config_value", value.clone())
        });
        Node::new("props")
            .attr("protocol", "1")
            .attr("hash", format!("sim-{}", set.len()))
            .attr("refresh", "86400")
            .attr_opt("delta_update", known.map(|_| "true"))
            .children(news)
    }
}
