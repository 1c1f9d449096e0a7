//! The command that owns the account for all others.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

/// `serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wa-cli serve
  wa-cli serve --http 127.0.0.1:8089
  curl http://127.0.0.1:8089/readyz
  curl -H \"Authorization: Bearer $(cat TOKEN-FILE)\" http://127.0.0.1:8089/metrics

Without the token there are /healthz (it serves) and /readyz (it is linked and connected); with it
there are /metrics, the calls under /v1, as /v1/openapi.json describes them, and for a browser
/drafts, to send or drop what waits for you. Whoever has the token can do what you can do.")]
pub(crate) struct ServeArguments {
    /// Answer over HTTP too, on an address of this machine
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) http: Option<SocketAddr>,
    /// The file with the token for that; made if it is not there [default: PROFILE.http-token in the
    /// folder of the configuration]
    #[arg(long, value_name = "FILE", requires = "http")]
    pub(crate) token_file: Option<PathBuf>,
}
