//! From TOML to the compact form: JSON without white space, members in the order of the file. The table
//! `conformance` is for the checker alone and is left out.

use std::fmt::Write as _;

#[path = "../../../connectors/resolve.rs"]
pub mod resolve;

/// The compact form of a connector file. `find` gives the text of another one, which it may extend.
pub fn from_toml(text: &str, find: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut table = resolve::resolve(text, find)?;
    table.remove("conformance");
    let mut out = String::new();
    write_table(&table, &mut out)?;
    Ok(out)
}

fn write_table(table: &toml::Table, out: &mut String) -> Result<(), String> {
    out.push('{');
    for (index, (name, value)) in table.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_text(name, out)?;
        out.push(':');
        write_value(value, out)?;
    }
    out.push('}');
    Ok(())
}

fn write_value(value: &toml::Value, out: &mut String) -> Result<(), String> {
    match value {
        toml::Value::String(text) => write_text(text, out)?,
        toml::Value::Integer(number) => write!(out, "{number}").map_err(|error| error.to_string())?,
        toml::Value::Boolean(flag) => out.push_str(if *flag { "true" } else { "false" }),
        toml::Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(item, out)?;
            }
            out.push(']');
        }
        toml::Value::Table(table) => write_table(table, out)?,
        toml::Value::Float(_) | toml::Value::Datetime(_) => {
            return Err("floats and dates are not used".to_owned());
        }
    }
    Ok(())
}

fn write_text(text: &str, out: &mut String) -> Result<(), String> {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            control if control < ' ' => {
                write!(out, "\\u{:04x}", control as u32).map_err(|error| error.to_string())?;
            }
            plain => out.push(plain),
        }
    }
    out.push('"');
    Ok(())
}
