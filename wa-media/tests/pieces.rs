//! However a file is cut, it comes back as it was; whatever is done to its blob is noticed.

use std::{fs, path::Path};

use proptest::prelude::*;
use wa_media::{
    Decryptor, Digests, Encryptor, MediaKey, MediaType, OpenError, Verifier, decrypt, encrypt,
};

fn cut(bytes: &[u8], sizes: &[usize]) -> Vec<Vec<u8>> {
    let (mut pieces, mut rest) = (Vec::new(), bytes);
    for &size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, left) = rest.split_at(size.min(rest.len()));
        pieces.push(piece.to_vec());
        rest = left;
    }
    pieces
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(1..100usize, 1..8)
}

fn media_type() -> impl Strategy<Value = MediaType> {
    proptest::sample::select(MediaType::ALL.to_vec())
}

proptest! {
    #[test]
    fn any_file_in_any_pieces_comes_back(
        file in proptest::collection::vec(any::<u8>(), 0..600),
        key: [u8; 32],
        media_type in media_type(),
        inward in sizes(),
        outward in sizes(),
    ) {
        let key = MediaKey::from(key);
        let mut encryptor = Encryptor::new(&key, media_type);
        let mut blob = Vec::new();
        for piece in cut(&file, &inward) {
            encryptor.update(&piece, &mut blob);
        }
        let sealed = encryptor.finish(&mut blob);
        prop_assert_eq!(&(blob.clone(), sealed.clone()), &encrypt(&key, media_type, &file));

        let mut decryptor = Decryptor::new(&key, media_type, Digests::of(&sealed));
        let mut verifier = Verifier::new(&key, media_type);
        let mut opened = Vec::new();
        for piece in cut(&blob, &outward) {
            decryptor.update(&piece, &mut opened);
            verifier.update(&piece);
        }
        let told = decryptor.finish(&mut opened).unwrap();
        prop_assert_eq!((told.sha256, told.length), (sealed.sha256, file.len() as u64));
        prop_assert_eq!(verifier.finish(Some(&sealed.enc_sha256)), Ok(()));
        prop_assert_eq!(opened, file);
    }

    #[test]
    fn a_changed_bit_a_cut_and_another_type_are_noticed_by_the_mac_alone(
        file in proptest::collection::vec(any::<u8>(), 0..200),
        at: prop::sample::Index,
        bit in 0..8u8,
    ) {
        let key = MediaKey::from([5; 32]);
        let (blob, _) = encrypt(&key, MediaType::Image, &file);
        let mut changed = blob.clone();
        let at = at.index(blob.len());
        changed[at] ^= 1 << bit;
        let open = |media_type, blob: &[u8]| decrypt(&key, media_type, Digests::default(), blob);
        prop_assert_eq!(open(MediaType::Image, &changed), Err(OpenError::Mac));
        prop_assert!(open(MediaType::Image, &blob[..at]).is_err());
        prop_assert_eq!(open(MediaType::Document, &blob), Err(OpenError::Mac));
    }
}

#[test]
fn each_thing_that_is_wrong_has_its_own_error() {
    let key = MediaKey::from([5; 32]);
    let (blob, sealed) = encrypt(&key, MediaType::Document, b"a document");
    let right = Digests::of(&sealed);
    let open = |digests, blob: &[u8]| decrypt(&key, MediaType::Document, digests, blob);
    assert_eq!(open(right, &blob).as_deref(), Ok(&b"a document"[..]));
    assert_eq!(open(right, &blob[1..]), Err(OpenError::Length));
    assert_eq!(open(right, &[]), Err(OpenError::Length));
    assert_eq!(open(right, &blob[16..]), Err(OpenError::Length), "a MAC and no ciphertext");
    let other_blob = Digests { enc_sha256: Some([0; 32]), ..right };
    assert_eq!(open(other_blob, &blob), Err(OpenError::EncryptedHash));
    let other_file = Digests { sha256: Some([0; 32]), ..right };
    assert_eq!(open(other_file, &blob), Err(OpenError::PlainHash));
    let stranger = decrypt(&MediaKey::from([6; 32]), MediaType::Document, right, &blob);
    assert_eq!(stranger, Err(OpenError::Mac));
}

#[test]
fn blobs_of_the_corpus_and_their_mutations_are_survived() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/media");
    let mut count = 0;
    for entry in fs::read_dir(dir).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        wa_media::fuzzing::media(&bytes);
        for cut in 0..bytes.len().min(200) {
            wa_media::fuzzing::media(&bytes[..cut]);
            let mut changed = bytes.clone();
            changed[cut] ^= 0x11;
            wa_media::fuzzing::media(&changed);
        }
        count += 1;
    }
    assert!(count > 0, "the corpus is empty");
}
