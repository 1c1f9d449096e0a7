//! The demo: it holds, and it can be read by people and by scripts.

use std::process::Command;

use serde_json::Value;

fn demo(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_wa-cli"))
        .arg("demo")
        .args(arguments)
        .env_remove("WA_SERVER_URL")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn every_step_is_an_object_and_the_last_says_that_all_held() {
    let (code, stdout) = demo(&["--json", "--seed", "5"]);
    assert_eq!(code, Some(0), "{stdout}");
    let lines: Vec<Value> =
        stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (last, steps) = lines.split_last().unwrap();
    assert_eq!((&last["ok"], last["steps"].as_u64()), (&true.into(), Some(steps.len() as u64)));
    assert!(steps.iter().all(|step| step["ms"].is_number()));
    let names: Vec<&str> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
    let story = "serve link link send reply receipts phone group image voice reaction edit poll \
                 restart search transcript close";
    assert_eq!(names.join(" "), story);
}

#[test]
fn a_pipe_gets_plain_text_with_codes_and_the_transcript() {
    let (code, stdout) = demo(&[]);
    assert_eq!(code, Some(0), "{stdout}");
    assert!(!stdout.contains('\x1b'));
    assert!(stdout.contains("█▄█") && stdout.contains("the [café]"), "{stdout}");
    assert!(stdout.contains("All 17 steps held"), "{stdout}");
}
