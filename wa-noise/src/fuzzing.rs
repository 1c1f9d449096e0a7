//! What the fuzzer calls: total functions over foreign bytes, one per parser.
//!
//! The same functions run over `fuzz/corpus/` in the tests.

use wa_crypto::{KeyPair, PrivateKey};

use crate::{
    CertificatePolicy, ClientHandshake, ClientResumption, FrameDecoder, HeaderDecoder, Prologue,
    Resumed, ServerHandshake, ServerReply, WHATSAPP_ROOT_KEY,
};

/// The beginning of a connection as a server reads it: header, then frames. The first byte says
/// in what portions the rest arrives; the frames must not depend on it.
///
/// # Panics
/// If they do, which is what the fuzzer looks for.
pub fn frames(data: &[u8]) {
    let Some((&portion, stream)) = data.split_first() else {
        return;
    };
    let portion = usize::from(portion).max(1);
    assert_eq!(frames_of(stream, portion), frames_of(stream, stream.len().max(1)));
}

/// Every message of the handshake, at every side and state that could receive it.
pub fn handshake(data: &[u8]) {
    let [client, server, client_ephemeral, server_ephemeral] =
        [1, 2, 3, 4].map(|byte| KeyPair::from_private(PrivateKey::from_bytes([byte; 32])));
    let policy = CertificatePolicy { root: WHATSAPP_ROOT_KEY, now: 0 };
    let prologue = Prologue::CURRENT;
    let new_server = |chain: &[u8]| ServerHandshake::new(server.clone(), chain.to_vec(), prologue);
    let new_client =
        || ClientHandshake::start_with(client.clone(), client_ephemeral.clone(), prologue);

    // As it comes, at the first state of each side.
    let _ = new_server(&[]).receive_with(data, server_ephemeral.clone());
    let _ = new_client().0.receive(data, &policy);
    let resumption = ClientResumption::start_with(
        client.clone(),
        client_ephemeral.clone(),
        server.public,
        data,
        prologue,
    );
    let Ok((resumption, resuming_hello)) = resumption else {
        return;
    };
    if let Ok(Resumed::FellBack(verified)) = resumption.receive(data, &policy) {
        verified.finish(data);
    }

    // As a client finish, and as what honest peers encrypt: certificate chain and payload.
    let (client, hello) = new_client();
    let reply = new_server(data).receive_with(&hello, server_ephemeral.clone());
    if let Ok(ServerReply::AwaitFinish { message, state }) = reply {
        let _ = state.receive(data);
        let _ = client.receive(&message, &policy);
    }
    let reply = new_server(data).receive_with(&resuming_hello, server_ephemeral);
    if let Ok(ServerReply::Established { accepted, .. }) = reply {
        let (_, mut opener) = accepted.transport.split();
        let _ = opener.open(data);
    }
}

/// A certificate chain, judged by WhatsApp's root and by one whose chains are in the corpus.
pub fn certificate(data: &[u8]) {
    let server = PrivateKey::from_bytes([2; 32]).public();
    let corpus_root = PrivateKey::from_bytes([1; 32]).public();
    for root in [WHATSAPP_ROOT_KEY, corpus_root] {
        let _ = CertificatePolicy { root, now: 1_750_000_000 }.verify(data, &server);
    }
}

/// What a stream holds when it arrives in portions: the frames, and whether it ended in an error.
fn frames_of(stream: &[u8], portion: usize) -> (Vec<bytes::Bytes>, bool) {
    let (mut header, mut decoder) = (HeaderDecoder::new(), None::<FrameDecoder>);
    let mut frames = Vec::new();
    for part in stream.chunks(portion) {
        match &mut decoder {
            Some(decoder) => decoder.push(part),
            None => match header.push(part) {
                Ok(Some((_, begun))) => decoder = Some(begun),
                Ok(None) => {}
                Err(_) => return (frames, true),
            },
        }
        while let Some(next) = decoder.as_mut().map(FrameDecoder::next_frame) {
            match next {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(_) => return (frames, true),
            }
        }
    }
    (frames, false)
}
