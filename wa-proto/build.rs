//! Compiles the `.proto` files into Rust, without `protoc`.
//!
//! Knows nothing of what the messages mean. Two things land in `OUT_DIR`: `wa.rs`, which
//! `src/pb.rs` includes, and `descriptors.bin`, by which a test checks the compiled messages
//! against `proto/schema.txt`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use prost_build::Config;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new("proto");
    println!("cargo:rerun-if-changed=proto");

    let mut files: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "proto"));
    files.sort();

    let descriptors = protox::compile(&files, [folder])?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), prost::Message::encode_to_vec(&descriptors))?;

    Config::new()
        // Media keys, thumbnails and whole encrypted payloads: slices of the buffer they came in.
        .bytes(["."])
        // The files' comments are for readers of the files.
        .disable_comments(["."])
        .compile_fds(descriptors)?;
    Ok(())
}
