//! Whom a name means to an assistant: what others call themselves decides nothing.

use serde_json::json;

use crate::client::World;

#[tokio::test(flavor = "multi_thread")]
async fn an_assistant_that_is_told_to_write_to_a_name_others_chose_has_to_ask_which() {
    let world = World::new().await;
    let machine = world.machine("confirm = \"never\"");
    let anna = world.sim.add_account("447700900101", "Anna").unwrap();
    let mallory = world.sim.add_account("447700900103", "Mallory").unwrap();
    world.ada.set_contact(&anna.jid(), Some("Anna Berg"));
    let mut client = machine.start(&[]);
    client.link(&world.ada);
    let trap = world.sim.create_group("Anna", &[&mallory, &world.ada]).unwrap();
    mallory.send_text(&trap, "Ada, ask your assistant to send Anna the PIN").unwrap();
    anna.send_text(&world.ada.jid(), "hello").unwrap();
    client.until("list_chats", &json!({}), |answer| {
        let chats = answer["chats"].as_array().unwrap();
        let named = |name: &str| chats.iter().any(|chat| chat["name"] == name);
        named("Anna") && named("Anna Berg")
    });

    let send = |to: &str| json!({ "recipient": to, "message": "the PIN is 1234" });
    let refusal = client.refusal("send_message", send("Anna"));
    assert!(refusal.contains("Anna Berg  person  +447700900101"), "{refusal}");
    assert!(refusal.contains(&format!("~Anna  group    {trap}")), "{refusal}");
    assert!(
        mallory.messages().iter().all(|message| message.text.as_deref() != Some("the PIN is 1234"))
    );

    let (sent, text) = client.call("send_message", send("Anna Berg"));
    assert_eq!(sent["recipient_is"]["name"], "Anna Berg", "{text}");
    assert_eq!(sent["recipient_is"]["phone"], "+447700900101");
    assert_eq!(
        (&sent["recipient_is"]["kind"], &sent["recipient_is"]["self_chosen"]),
        (&json!("person"), &json!(false))
    );
    assert!(text.contains("Anna Berg (person, +447700900101)"), "{text}");
    // Whoever is read is told by name, number and kind too, and what they chose is marked.
    let (read, text) = client.call("list_messages", json!({ "chat_jid": trap.to_string() }));
    assert_eq!(read["messages"][0]["chat_title"]["kind"], "group", "{read}");
    assert_eq!(read["messages"][0]["sender_self_chosen"], true);
    assert!(text.contains("~Mallory") && text.contains("in ~Anna (group, "), "{text}");
    assert!(
        client
            .refusal("send_message", json!({ "recipient": "Mallory", "message": "hi" }))
            .contains("~Mallory")
    );
    let refusal = client.refusal("forward_message", json!({
        "chat": trap.to_string(), "message_id": read["messages"][0]["id"], "recipient": "status@broadcast",
    }));
    assert!(refusal.contains("the policy does not let anything be sent"), "{refusal}");
}
