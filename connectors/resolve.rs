//! From a connector file as people write it to the complete table: what it `extends`, and the field lists it names.
//! Compiled into the build of the enclave, into the checker and into the host's catalogue, so that all read the same.

/// Reads a connector file. `find` gives the text of another one by its id.
pub fn resolve(text: &str, find: &dyn Fn(&str) -> Option<String>) -> Result<toml::Table, String> {
    let mut table: toml::Table = toml::from_str(text).map_err(|error| error.to_string())?;
    if let Some(base) = table.remove("extends") {
        let id = base.as_str().ok_or("extends: expected the id of a connector")?;
        let text = find(id).ok_or_else(|| format!("extends: there is no connector `{id}`"))?;
        let mut base: toml::Table = toml::from_str(&text).map_err(|error| error.to_string())?;
        if base.contains_key("extends") {
            return Err(format!("extends: `{id}` extends another one itself"));
        }
        // What was recorded of one exchange says nothing of another.
        base.remove("conformance");
        for name in names(table.remove("without"))? {
            base.remove(&name).ok_or_else(|| format!("without: `{id}` has no `{name}`"))?;
        }
        merge(&mut base, table);
        table = base;
    }
    let named = match table.remove("fields") {
        Some(toml::Value::Table(named)) => named,
        Some(_) => return Err("fields: expected tables".to_owned()),
        None => toml::Table::new(),
    };
    name_fields(&mut table, &named)?;
    Ok(table)
}

/// What the file takes nothing of, although it extends another one.
fn names(without: Option<toml::Value>) -> Result<Vec<String>, String> {
    let wrong = || "without: expected a list of names".to_owned();
    match without {
        None => Ok(Vec::new()),
        Some(list) => list.try_into().map_err(|_| wrong()),
    }
}

/// Tables are merged member by member; everything else takes the place of what was there.
fn merge(base: &mut toml::Table, over: toml::Table) {
    for (name, value) in over {
        match (base.get_mut(&name), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => merge(below, above),
            (_, value) => {
                base.insert(name, value);
            }
        }
    }
}

/// `fields = "NAME"` stands for the table `fields.NAME`.
fn name_fields(table: &mut toml::Table, named: &toml::Table) -> Result<(), String> {
    for (name, value) in table.iter_mut() {
        match value {
            toml::Value::String(list) if name == "fields" => {
                let fields = named.get(list.as_str()).ok_or_else(|| format!("fields: no list `{list}`"))?;
                *value = fields.clone();
            }
            toml::Value::Table(inner) => name_fields(inner, named)?,
            toml::Value::Array(items) => {
                for item in items.iter_mut().filter_map(toml::Value::as_table_mut) {
                    name_fields(item, named)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}
