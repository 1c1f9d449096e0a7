//! Which files an assistant may send, and where it may save some.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use wa_bridge::{
    Bridge, Cause, Failure,
    api::{Approval, DownloadedView, DraftApprove, MediaDownload, Outgoing, SendMessage, SentView},
};
use wa_sim::{FileKind, OutgoingFile};

use crate::support::{ANNA, BEN, MALLORY, World, last, refused, text, until};

async fn send_file(bridge: &Bridge, path: &Path) -> Result<SentView, Failure> {
    let what = Outgoing::File {
        path: path.display().to_string(),
        caption: None,
        send_as: None,
        name: None,
        view_once: false,
    };
    bridge.call(SendMessage { what, ..text(ANNA, "") }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assistant_sends_no_file_from_outside_the_folders_of_the_policy() {
    let world = World::linked().await;
    let (out, secret) = (world.path("out"), world.path("key"));
    fs::create_dir(&out).unwrap();
    fs::write(out.join("letter.txt"), "dear Anna").unwrap();
    symlink(&secret, out.join("link.txt")).unwrap();
    symlink(world.path(""), out.join("way")).unwrap();
    world.set_policy(&format!("[files]\nsend_from = [{out:?}]"));
    let robot = world.assistant().await;
    world.sim.listen();
    for path in [
        secret.clone(),
        out.join("link.txt"),
        out.join("way/key"),
        out.join("../key"),
        world.path("no such file"),
        world.path("account/wa.db"),
        "/proc/self/environ".into(),
        "".into(),
    ] {
        refused(send_file(&robot, &path).await, Cause::Forbidden);
    }
    let socket = out.join("socket");
    let _socket = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for path in [socket, out.clone(), out.join("missing.txt")] {
        refused(send_file(&robot, &path).await, Cause::Usage);
    }
    let said =
        world.sim.heard(&world.device()).into_iter().filter(|stanza| stanza.tag == "message");
    assert_eq!(said.count(), 0);
    send_file(&robot, &out.join("letter.txt")).await.unwrap();
    until("the letter", async || {
        world.anna.messages().iter().any(|message| message.kind == "document").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_folder_in_the_policy_an_assistant_sends_none_and_a_person_any() {
    let world = World::linked().await;
    let file = world.path("letter.txt");
    fs::write(&file, "dear Anna").unwrap();
    let (robot, person) = (world.assistant().await, world.person().await);
    refused(send_file(&robot, &file).await, Cause::Forbidden);
    send_file(&person, &file).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assistant_saves_nothing_outside_the_folders_of_the_policy() {
    let world = World::linked().await;
    let (saved, elsewhere) = (world.path("saved"), world.path("elsewhere"));
    fs::create_dir(&saved).unwrap();
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, saved.join("way")).unwrap();
    world.set_policy(&format!("[files]\nsave_to = [{saved:?}]"));
    let robot = world.assistant().await;
    let before = last(&robot).await;
    let file = OutgoingFile::new(FileKind::Image, b"\x89PNG and more".as_slice());
    let id = world.anna.send_file(&world.ada.jid(), file).unwrap();
    until("the picture", async || (last(&robot).await > before).then_some(())).await;
    let download =
        async |folder: Option<&Path>, output: Option<&Path>| -> Result<DownloadedView, Failure> {
            let shown = |path: Option<&Path>| path.map(|path| path.display().to_string());
            let (folder, output) = (shown(folder), shown(output));
            robot.call(MediaDownload { chat: ANNA.into(), id: id.clone(), folder, output }).await
        };
    for folder in [elsewhere.clone(), saved.join("way"), saved.join("../elsewhere"), "/".into()] {
        refused(download(Some(&folder), None).await, Cause::Forbidden);
        refused(download(None, Some(&folder.join("a.png"))).await, Cause::Forbidden);
    }
    fs::write(saved.join("taken.png"), "mine").unwrap();
    symlink(elsewhere.join("b.png"), saved.join("dangling.png")).unwrap();
    for name in ["taken.png", "dangling.png"] {
        refused(download(None, Some(&saved.join(name))).await, Cause::Usage);
    }
    assert_eq!(fs::read(saved.join("taken.png")).unwrap(), b"mine");
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);

    for path in [
        download(Some(&saved), None).await.unwrap().path,
        download(None, Some(&saved.join("named.png"))).await.unwrap().path,
        download(None, None).await.unwrap().path,
    ] {
        assert_eq!(fs::read(&path).unwrap(), b"\x89PNG and more", "{path}");
    }
}

/// Exchanges a file for a link to a secret and back, as fast as it can, until it is told to end.
fn exchange_all_the_time(file: &Path, secret: &Path) -> Arc<AtomicBool> {
    let done = Arc::new(AtomicBool::new(false));
    let (told, file, secret) = (Arc::clone(&done), file.to_owned(), secret.to_owned());
    let link = file.with_extension("link");
    let letter = file.with_extension("letter");
    fs::write(&letter, fs::read(&file).unwrap()).unwrap();
    std::thread::spawn(move || {
        while !told.load(Ordering::Relaxed) {
            symlink(&secret, &link).unwrap();
            fs::rename(&link, &file).unwrap();
            fs::copy(&letter, &link).unwrap();
            fs::rename(&link, &file).unwrap();
        }
    });
    done
}

/// What a phone got as files.
fn received(phone: &wa_sim::Phone) -> Vec<Vec<u8>> {
    let files = phone.messages().into_iter().filter(|message| message.kind == "document");
    files.map(|message| phone.media(&message.id).unwrap().to_vec()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_exchanged_for_a_link_to_a_secret_all_the_time_gives_no_secret_away() {
    let world = World::linked().await;
    let (out, secret) = (world.path("out"), world.path("secret"));
    fs::create_dir(&out).unwrap();
    fs::write(&secret, "the secret").unwrap();
    let file = out.join("letter.txt");
    fs::write(&file, "dear Anna").unwrap();
    let pace = "[pace]\nbetween_ms = 0\nper_hour = 1000";
    world.set_policy(&format!("{pace}\n[files]\nsend_from = [{out:?}]"));
    let robot = world.assistant().await;
    let done = exchange_all_the_time(&file, &secret);
    let mut sent = 0;
    for round in 0..40 {
        let what = Outgoing::File {
            path: file.display().to_string(),
            caption: None,
            send_as: None,
            name: Some(format!("letter {round}.txt")),
            view_once: false,
        };
        match robot.call(SendMessage { what, ..text(ANNA, "") }).await {
            Ok(_) => sent += 1,
            Err(failure) => assert_eq!(failure.cause, Cause::Forbidden, "{failure}"),
        }
    }
    done.store(true, Ordering::Relaxed);
    until("all letters", async || (received(&world.anna).len() == sent).then_some(())).await;
    assert!(received(&world.anna).iter().all(|file| file == b"dear Anna"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_agreed_to_leaves_though_the_file_changes_while_it_waits_for_its_turn() {
    let world = World::linked().await;
    let out = world.path("out");
    fs::create_dir(&out).unwrap();
    let file = out.join("letter.txt");
    fs::write(&file, "dear Ben").unwrap();
    let policy = format!("[files]\nsend_from = [{out:?}]");
    world.set_policy(&format!("{policy}\n[pace]\nbetween_ms = 1500"));
    let (robot, person) = (world.assistant().await, world.person().await);
    let send = async |bridge: &Bridge| {
        let what = Outgoing::File {
            path: file.display().to_string(),
            caption: None,
            send_as: None,
            name: None,
            view_once: false,
        };
        bridge.call(SendMessage { what, ..text(BEN, "") }).await
    };
    let draft = send(&robot).await.unwrap_err().draft.unwrap();
    // Somebody else's message is first, so that this one has to wait.
    crate::support::send(&person, ANNA, "first").await.unwrap();
    let approve = DraftApprove { id: draft.id, digest: draft.digest, by: Approval::Person };
    let approving = tokio::spawn({
        let person = person.clone();
        async move { person.call(approve).await }
    });
    // It was opened by then, or else it is not what was agreed to: a secret leaves in no case.
    tokio::time::sleep(Duration::from_millis(300)).await;
    fs::write(&file, "the PIN is 1234").unwrap();
    match approving.await.unwrap() {
        Ok(_) => {
            until("the letter", async || (!received(&world.ben).is_empty()).then_some(())).await;
            assert_eq!(received(&world.ben), [b"dear Ben".to_vec()]);
        }
        Err(failure) => assert_eq!(failure.cause, Cause::Forbidden, "{failure}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_recording_is_converted_for_a_chat_that_is_out_of_reach() {
    let world = World::linked().await;
    let out = world.path("out");
    fs::create_dir(&out).unwrap();
    // Whoever would decode it says that it is none.
    fs::write(out.join("bomb.flac"), "fLaC and nothing more").unwrap();
    let policy = format!("[files]\nsend_from = [{out:?}]");
    world.set_policy(&format!("{policy}\n[write]\ncontacts_only = true"));
    let robot = world.assistant().await;
    let voice = async |chat: &str| {
        let path = out.join("bomb.flac").display().to_string();
        let what = Outgoing::Voice { path, view_once: false };
        robot.call(SendMessage { what, ..text(chat, "") }).await
    };
    refused(voice(MALLORY).await, Cause::Forbidden);
    refused(voice(ANNA).await, Cause::Usage);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_archive_are_not_sent_from_a_folder_that_holds_them() {
    let world = World::linked().await;
    world.set_policy(&format!("[files]\nsend_from = [{:?}]", world.path("")));
    let robot = world.assistant().await;
    for name in ["account/wa.db", "account/lock", "config/wa/policy.toml"] {
        refused(send_file(&robot, &world.path(name)).await, Cause::Forbidden);
    }
}
