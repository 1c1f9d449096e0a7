//! The compiled messages against `proto/schema.txt`, which lists every message, field and enum.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet};

const SCHEMA: &str = include_str!("../../proto/schema.txt");
const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// What there is: by the name of each message or enum, one line per field or value.
type Described = BTreeMap<String, BTreeSet<String>>;

#[test]
fn every_message_field_and_enum_of_the_schema_is_compiled_and_nothing_else() {
    let schema = schema();
    let compiled = compiled();
    assert!(schema.len() > 500, "the schema has hundreds of messages");
    for (name, lines) in &schema {
        let found = compiled.get(name).unwrap_or_else(|| panic!("{name} is missing"));
        assert_eq!(found, lines, "{name}");
    }
    let unknown: Vec<_> = compiled.keys().filter(|name| !schema.contains_key(*name)).collect();
    assert!(unknown.is_empty(), "not in the schema: {unknown:?}");
}

#[test]
fn a_bomb_of_nested_messages_is_an_error() {
    let mut message = super::Message { conversation: Some("x".into()), ..Default::default() };
    for _ in 0..60 {
        let wrapper = super::message::FutureProofMessage { message: Some(Box::new(message)) };
        message =
            super::Message { ephemeral_message: Some(Box::new(wrapper)), ..Default::default() };
    }
    assert!(super::Message::decode(message.encode_to_vec().as_slice()).is_err());
}

#[test]
fn a_missing_required_field_reads_as_its_default() {
    assert!(super::WebMessageInfo::decode(&[][..]).is_ok());
}

fn schema() -> Described {
    let mut described = Described::new();
    let mut name = String::new();
    for line in SCHEMA.lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix("  ") {
            Some(entry) => {
                let lines = described.get_mut(&name).expect("an entry follows its message");
                let words: Vec<_> = entry.split(' ').collect();
                assert!(lines.insert(match words.as_slice() {
                    [number, value] => format!("{number} {value}"),
                    [number, label, kind, field, extra @ ..] => {
                        let extra = extra.join(" ").replace('_', "").to_lowercase();
                        format!("{number} {label} {kind} {} {extra}", plain(field))
                    }
                    _ => panic!("not a line of a schema: {line}"),
                }));
            }
            None => {
                name = line.split_once(' ').expect("a line has a keyword and a name").1.to_owned();
                assert!(described.insert(name.clone(), BTreeSet::new()).is_none(), "{name} twice");
            }
        }
    }
    described
}

fn compiled() -> Described {
    let mut described = Described::new();
    for file in FileDescriptorSet::decode(DESCRIPTORS).expect("written by build.rs").file {
        assert_eq!(
            (file.package(), file.syntax()),
            ("wa", ""),
            "{}: proto2 is unnamed",
            file.name()
        );
        for message in &file.message_type {
            describe_message("", message, &mut described);
        }
        for values in &file.enum_type {
            describe_enum("", values, &mut described);
        }
    }
    described
}

fn describe_message(parent: &str, message: &DescriptorProto, described: &mut Described) {
    let name = format!("{parent}{}", message.name());
    let fields = message.field.iter().map(|field| describe_field(message, field)).collect();
    assert!(described.insert(name.clone(), fields).is_none(), "{name} twice");
    let parent = format!("{name}.");
    for nested in &message.nested_type {
        describe_message(&parent, nested, described);
    }
    for values in &message.enum_type {
        describe_enum(&parent, values, described);
    }
}

fn describe_enum(parent: &str, values: &EnumDescriptorProto, described: &mut Described) {
    let lines = values.value.iter().map(|value| format!("{} {}", value.number(), value.name()));
    described.insert(format!("{parent}{}", values.name()), lines.collect());
}

fn describe_field(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let label = match field.label() {
        Label::Optional => "optional",
        Label::Required => "required",
        Label::Repeated => "repeated",
    };
    let kind = match field.r#type() {
        Type::Message | Type::Enum => field.type_name().trim_start_matches(".wa.").to_owned(),
        scalar => scalar.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
    };
    let extra = if let Some(index) = field.oneof_index {
        let oneof = &message.oneof_decl[usize::try_from(index).expect("an index")];
        format!("oneof={}", plain(oneof.name()))
    } else if let Some(default) = &field.default_value {
        format!("default={}", plain(default))
    } else if field.options.as_ref().is_some_and(|options| options.packed()) {
        "packed".to_owned()
    } else {
        String::new()
    };
    format!("{} {label} {kind} {} {extra}", field.number(), plain(field.name()))
}

/// A name without what tells `camelCase` from `snake_case`.
fn plain(name: &str) -> String {
    name.replace('_', "").to_lowercase()
}
