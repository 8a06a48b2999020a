//! The schema that ships is made from the types, and a test compares.
use super::Document;
use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;

/// No object has a field that the schema does not name. How wide a number is, is no reader's business.
fn strict(schema: &mut Schema) {
    schema.remove("format");
    if schema.get("properties").is_some() && schema.get("additionalProperties").is_none() {
        schema.insert("additionalProperties".into(), false.into());
    }
    transform_subschemas(&mut strict, schema);
}

/// The name of a definition: `first_att` for `FirstAtt`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

#[test]
fn the_schema_that_ships_is_that_of_the_types() {
    let settings = SchemaSettings::draft2020_12().for_serialize().with_transform(strict);
    let schema = settings.into_generator().into_root_schema_for::<Document<'_>>();
    let made = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
    let types = schema.get("$defs").and_then(|types| types.as_object()).expect("definitions");
    let made = types.keys().fold(made, |made, name| {
        let word = snake(name);
        let made = made.replace(&format!("\"#/$defs/{name}\""), &format!("\"#/$defs/{word}\""));
        made.replace(&format!("\n    \"{name}\": {{"), &format!("\n    \"{word}\": {{"))
    });
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/report.schema.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &made).expect("written");
    }
    assert!(
        made == super::SCHEMA_TEXT || std::env::var_os("UPDATE_DOCS").is_some(),
        "UPDATE_DOCS=1 makes it anew"
    );
}
