//! `doctor`: what is wrong with the account on this machine, and what to do about it.

use serde::Serialize;
use wa_bridge::doctor::{Finding, Verdict, examine};

use crate::{
    args::GlobalArguments,
    failure::{Cause, Failure},
    output::Output,
    session,
};

/// What was found, in `--json`.
#[derive(Debug, Serialize)]
struct Examined {
    /// Whether nothing is wrong.
    healthy: bool,
    checks: Vec<Finding>,
}

pub(crate) async fn run(global: &GlobalArguments, output: &Output) -> Result<(), Failure> {
    let checks = examine(&session::options(global)?).await?;
    let bad = checks.iter().filter(|check| check.verdict == Verdict::Bad).count();
    let text = lines(&checks, output);
    output.result(&Examined { healthy: bad == 0, checks }, &text)?;
    match bad {
        0 => Ok(()),
        1 => Err(Failure::new(Cause::Failed, "something is wrong")),
        bad => Err(Failure::new(Cause::Failed, format!("{bad} things are wrong"))),
    }
}

fn lines(checks: &[Finding], output: &Output) -> String {
    let mut lines = String::new();
    for check in checks {
        let verdict = match check.verdict {
            Verdict::Good => "good   ".to_owned(),
            Verdict::Skipped => output.dim("skipped"),
            Verdict::Bad => output.bold("BAD    "),
        };
        lines.push_str(&format!("{verdict}  {:<8} {}\n", check.what, check.detail));
        if let Some(remedy) = &check.remedy {
            lines.push_str(&format!("                   {}\n", output.dim(remedy)));
        }
    }
    lines
}
