//! The entry point for fuzzing: what must hold for any bytes at all. Not part of the protocol and
//! of no use to a client.

use crate::{
    Decryptor, Digests, Encryptor, MediaKey, MediaRetrySeal, MediaType, OpenError, Verifier,
    decrypt,
};

/// Bytes that somebody calls a blob are refused, or opened, alike whether they come whole or in
/// pieces; the same bytes as a file come back from their blob. The first byte says how large the
/// pieces are.
///
/// # Panics
/// If that does not hold.
pub fn media(bytes: &[u8]) {
    let key = MediaKey::from([9; 32]);
    let Some((&first, rest)) = bytes.split_first() else { return };
    let step = usize::from(first) + 1;
    let media_type = MediaType::ALL.get(step % MediaType::ALL.len()).copied();
    let media_type = media_type.unwrap_or(MediaType::Image);

    let whole = decrypt(&key, media_type, Digests::default(), rest);
    assert_eq!(in_pieces(&key, media_type, rest, step), whole);
    let mut verifier = Verifier::new(&key, media_type);
    rest.chunks(step).for_each(|piece| verifier.update(piece));
    let verified = verifier.finish(None);
    match &whole {
        Ok(_) | Err(OpenError::Padding) => assert_eq!(verified, Ok(())),
        Err(error) => assert_eq!(verified, Err(*error)),
    }
    let seal = MediaRetrySeal { media_key: &key, message_id: "3EB0" };
    assert!(seal.open(&[1; 12], rest).is_err(), "nobody forges a seal");

    let mut encryptor = Encryptor::new(&key, media_type);
    let mut blob = Vec::new();
    rest.chunks(step).for_each(|piece| encryptor.update(piece, &mut blob));
    let sealed = encryptor.finish(&mut blob);
    assert_eq!(sealed.enc_length, blob.len() as u64);
    let opened = decrypt(&key, media_type, Digests::of(&sealed), &blob);
    assert_eq!(opened.as_deref(), Ok(rest));
}

fn in_pieces(
    key: &MediaKey,
    media_type: MediaType,
    blob: &[u8],
    step: usize,
) -> Result<Vec<u8>, OpenError> {
    let mut decryptor = Decryptor::new(key, media_type, Digests::default());
    let mut file = Vec::new();
    blob.chunks(step).for_each(|piece| decryptor.update(piece, &mut file));
    decryptor.finish(&mut file)?;
    Ok(file)
}
