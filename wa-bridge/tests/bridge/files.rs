//! Which files an assistant may send, and where it may save some.

use std::{fs, os::unix::fs::symlink, path::Path};

use wa_bridge::{
    Bridge, Cause, Failure,
    api::{DownloadedView, MediaDownload, Outgoing, SendMessage, SentView},
};
use wa_sim::{FileKind, OutgoingFile};

use crate::support::{ANNA, World, last, refused, text, until};

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
