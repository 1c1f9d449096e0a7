//! `policy`: what may be done with the account, and where that is written.

use serde::Serialize;
use wa_bridge::{Profile, policy::Policy};

use crate::{args::GlobalArguments, failure::Failure, output::Output, session};

/// The policy in `--json`.
#[derive(Debug, Serialize)]
struct PolicyView {
    /// Where the policy is looked for; the first file that is there counts.
    places: Vec<String>,
    /// The file that counts; null where there is none and the defaults hold.
    file: Option<String>,
    /// What it allows, in a line.
    summary: String,
    /// All of it.
    policy: Policy,
}

/// Reads the files itself: a policy that keeps the account closed is to be seen too.
pub(crate) fn run(global: &GlobalArguments, output: &Output) -> Result<(), Failure> {
    let options = session::options(global)?;
    let profile =
        Profile::locate(&options.profile, options.store.as_deref(), &options.environment)?;
    let policy = Policy::load(&profile)?;
    let places = Policy::places(&profile);
    let file = places.iter().find(|place| place.exists()).map(|file| file.display().to_string());
    let view = PolicyView {
        places: places.iter().map(|place| place.display().to_string()).collect(),
        summary: policy.summary(),
        file,
        policy,
    };
    output.result(&view, &lines(&view, output))
}

fn lines(view: &PolicyView, output: &Output) -> String {
    let mut lines = format!("{}\n", output.bold(&view.summary));
    for place in &view.places {
        let counts = view.file.as_ref() == Some(place);
        let note = if counts { "this one counts" } else { "not used" };
        lines.push_str(&format!("    {place}  {}\n", output.dim(note)));
    }
    if view.file.is_none() {
        lines.push_str("    neither is there: the defaults hold\n");
    }
    lines
}
