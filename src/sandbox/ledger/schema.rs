//! What the API offers: entities and their properties, read from the recorded reference.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

/// The table itself; its first lines say how it is written.
const TABLE: &str = include_str!("entities.txt");

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::read(TABLE));

/// All entities of the API.
pub(super) struct Schema {
    entities: Vec<Entity>,
    by_path: FxHashMap<String, usize>,
}

/// One resource: where it lies, what may be done with it, what it holds.
pub(super) struct Entity {
    pub(super) id: usize,
    /// `salesorder/SalesOrders`
    pub(super) path: &'static str,
    /// `SalesOrders`
    pub(super) name: &'static str,
    pub(super) key: u16,
    pub(super) methods: Methods,
    /// Rows a page.
    pub(super) page: usize,
    pub(super) filter: FilterRule,
    pub(super) select_mandatory: bool,
    /// The entity whose rows this one shows.
    pub(super) source: Option<usize>,
    pub(super) properties: Vec<Property>,
    by_name: FxHashMap<&'static str, u16>,
}

/// Which methods an entity answers.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "four methods, each offered or not")]
pub(super) struct Methods {
    pub(super) get: bool,
    pub(super) post: bool,
    pub(super) put: bool,
    pub(super) delete: bool,
}

/// What `$filter` may and must name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FilterRule {
    Free,
    /// Only the properties marked as filterable.
    Listed,
    /// At least one of them, and no other.
    Mandatory,
}

/// One property of an entity.
#[expect(clippy::struct_excessive_bools, reason = "four independent columns of the reference")]
pub(super) struct Property {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) required: bool,
    pub(super) on_post: bool,
    pub(super) on_put: bool,
    pub(super) filterable: bool,
    /// Longest text, in UTF-16 units, where a source tells.
    pub(super) longest: Option<usize>,
    pub(super) refers: Option<Reference>,
    pub(super) child: Option<Child>,
    pub(super) origin: Origin,
    /// Codes and what they mean.
    pub(super) values: Vec<(&'static str, String)>,
}

/// EDM type of a property.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Guid,
    Text,
    Int16,
    Int32,
    Int64,
    Byte,
    Boolean,
    Double,
    DateTime,
    Binary,
    /// A navigation to other rows.
    Collection,
    /// A nested object; the sandbox has none of them filled.
    Complex,
}

/// What a value points at.
#[derive(Clone, Copy)]
pub(super) struct Reference {
    pub(super) entity: usize,
    /// The property that is compared: the key, or the code.
    pub(super) property: u16,
}

/// The rows behind a navigation: those whose `parent` is this row's key.
#[derive(Clone, Copy)]
pub(super) struct Child {
    pub(super) entity: usize,
    /// `None`: the rows exist in a request only.
    pub(super) parent: Option<u16>,
}

/// Where an answer's value comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Stored,
    /// The property of the row that `base` points at.
    Through {
        base: u16,
        property: u16,
    },
    /// What the code in `base` means.
    Meaning(u16),
    /// A property of the row that is shown.
    Shown(u16),
    Computed(Computed),
}

/// Values that are worked out whenever they are asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Computed {
    Version,
    Division,
    User,
    UserName,
    ProjectedStock,
    FreeStock,
    ItemStock,
    ItemPrice,
    IsMainContact,
    IsCustomer,
    CountryName,
}

/// The one schema of the process.
pub(super) fn schema() -> &'static Schema {
    &SCHEMA
}

/// The entity of a path that the sandbox's own code names.
pub(super) fn entity(path: &str) -> &'static Entity {
    schema().find(path).expect("the sandbox names entities of its own table")
}

impl Schema {
    /// The entity at `path`; upper and lower case are the same.
    pub(super) fn find(&self, path: &str) -> Option<&Entity> {
        self.by_path.get(&path.to_ascii_lowercase()).map(|id| &self.entities[*id])
    }

    /// The entity of an id from this schema.
    pub(super) fn get(&self, id: usize) -> &Entity {
        &self.entities[id]
    }

    pub(super) fn entities(&self) -> &[Entity] {
        &self.entities
    }

    fn read(table: &'static str) -> Self {
        let mut heads: Vec<Head> = Vec::new();
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let words: Vec<_> = line.split(' ').collect();
            if words[0] == "=" {
                heads.push(Head { words, lines: Vec::new(), names: FxHashMap::default() });
            } else {
                let head = heads.last_mut().expect("the table begins with an entity");
                let at = u16::try_from(head.lines.len()).expect("no entity has that many properties");
                head.names.insert(words[0], at);
                head.lines.push(words);
            }
        }
        let by_path = heads.iter().enumerate().map(|(id, head)| (head.words[1].to_ascii_lowercase(), id)).collect();
        let reader = Reader { heads: &heads, by_path: &by_path };
        let entities = (0..heads.len()).map(|id| reader.entity(id)).collect();
        Self { entities, by_path }
    }
}

impl Entity {
    /// The place of a property, if the entity has one of that name (case counts).
    pub(super) fn find(&self, name: &str) -> Option<u16> {
        self.by_name.get(name).copied()
    }

    /// The place of a property that the sandbox's own code names.
    pub(super) fn at(&self, name: &str) -> u16 {
        self.find(name).unwrap_or_else(|| panic!("{} has no {name}", self.path))
    }

    pub(super) fn property(&self, at: u16) -> &Property {
        &self.properties[usize::from(at)]
    }

    /// `sync/` resources: rows by version, and only `Timestamp` may be asked for.
    pub(super) fn is_sync(&self) -> bool {
        self.path.starts_with("sync/")
    }

    /// The name of the type in `__metadata` and in messages.
    pub(super) fn type_name(&self) -> String {
        let sub = if self.is_sync() { "Sync." } else { "" };
        format!("Exact.Web.Api.Models.{sub}{}", singular(self.name))
    }
}

/// One record of an English plural; names that are none stay.
fn singular(name: &str) -> String {
    if let Some(stem) = name.strip_suffix("ies") {
        return format!("{stem}y");
    }
    let stem = ["sses", "xes"].iter().find(|end| name.ends_with(**end)).and_then(|_| name.strip_suffix("es"));
    stem.or_else(|| name.strip_suffix('s')).unwrap_or(name).to_owned()
}

/// An entity's lines before they are understood.
struct Head {
    words: Vec<&'static str>,
    lines: Vec<Vec<&'static str>>,
    names: FxHashMap<&'static str, u16>,
}

/// Reads lines of the table, with all names known beforehand.
struct Reader<'a> {
    heads: &'a [Head],
    by_path: &'a FxHashMap<String, usize>,
}

impl Reader<'_> {
    fn entity(&self, id: usize) -> Entity {
        let head = &self.heads[id];
        let [_, path, key, methods, page, flags, source] = head.words[..] else {
            panic!("the table's line of an entity has seven words")
        };
        Entity {
            id,
            path,
            name: path.rsplit('/').next().unwrap_or(path),
            key: head.names[key],
            methods: Methods {
                get: methods.contains('G'),
                post: methods.contains('P'),
                put: methods.contains('U'),
                delete: methods.contains('D'),
            },
            page: page.parse().expect("a page size is a number"),
            filter: match flags {
                _ if flags.contains('m') => FilterRule::Mandatory,
                _ if flags.contains('f') => FilterRule::Listed,
                _ => FilterRule::Free,
            },
            select_mandatory: flags.contains('s'),
            source: (source != "-").then(|| self.id(source)),
            properties: head.lines.iter().map(|words| self.property(id, words)).collect(),
            by_name: head.names.clone(),
        }
    }

    fn property(&self, id: usize, words: &[&'static str]) -> Property {
        let flags = word(words, 2).unwrap_or_default();
        let kind = kind(words[1]);
        Property {
            name: words[0],
            kind,
            required: flags.contains('r'),
            on_post: flags.contains('p'),
            on_put: flags.contains('u'),
            filterable: flags.contains('f'),
            longest: word(words, 3).map(|text| text.parse().expect("a length is a number")),
            refers: self.reference(words),
            child: self.child(words),
            origin: self.origin(id, words),
            values: word(words, 6).map(meanings).unwrap_or_default(),
        }
    }

    fn reference(&self, words: &[&'static str]) -> Option<Reference> {
        let text = word(words, 4).filter(|text| !text.contains(':'))?;
        let (path, code) = text.split_once('.').map_or((text, None), |(path, code)| (path, Some(code)));
        let entity = self.id(path);
        let head = &self.heads[entity];
        Some(Reference { entity, property: head.names[code.unwrap_or(head.words[2])] })
    }

    fn child(&self, words: &[&'static str]) -> Option<Child> {
        let (path, parent) = word(words, 4)?.split_once(':')?;
        let entity = self.id(path);
        Some(Child { entity, parent: (!parent.is_empty()).then(|| self.heads[entity].names[parent]) })
    }

    fn origin(&self, id: usize, words: &[&'static str]) -> Origin {
        let head = &self.heads[id];
        if let Some(how) = computed(head.words[1], words[0]) {
            return Origin::Computed(how);
        }
        let Some(from) = word(words, 5) else {
            return Origin::Stored;
        };
        if let Some(name) = from.strip_prefix('@') {
            return Origin::Shown(self.heads[self.id(head.words[6])].names[name]);
        }
        let (base, target) = from.split_once(':').expect("a derived property names base and target");
        let at = head.names[base];
        if target == "#" {
            return Origin::Meaning(at);
        }
        let refers = self.reference(&head.lines[usize::from(at)]).expect("the table goes through references");
        Origin::Through { base: at, property: self.heads[refers.entity].names[target] }
    }

    fn id(&self, path: &str) -> usize {
        self.by_path[&path.to_ascii_lowercase()]
    }
}

fn word(words: &[&'static str], at: usize) -> Option<&'static str> {
    words.get(at).copied().filter(|word| *word != "-")
}

fn meanings(text: &'static str) -> Vec<(&'static str, String)> {
    let pairs = text.split('|').filter_map(|pair| pair.split_once('='));
    pairs.map(|(code, meaning)| (code, meaning.replace('_', " "))).collect()
}

/// What no row holds, because it follows from other rows or from the division.
fn computed(path: &str, name: &str) -> Option<Computed> {
    Some(match (path, name) {
        (_, "Timestamp") => Computed::Version,
        (_, "Division") => Computed::Division,
        (_, "Creator" | "Modifier") => Computed::User,
        (_, "CreatorFullName" | "ModifierFullName") => Computed::UserName,
        ("inventory/ItemWarehouses", "ProjectedStock") => Computed::ProjectedStock,
        ("sync/Inventory/StockPositions", "FreeStock") => Computed::FreeStock,
        ("logistics/Items", "Stock") => Computed::ItemStock,
        ("logistics/Items", "StandardSalesPrice") => Computed::ItemPrice,
        ("crm/Contacts", "IsMainContact") => Computed::IsMainContact,
        ("crm/Contacts", "AccountIsCustomer") | ("crm/Accounts", "IsSales") => Computed::IsCustomer,
        ("crm/Accounts" | "crm/Addresses", "CountryName") => Computed::CountryName,
        _ => return None,
    })
}

fn kind(letter: &str) -> Kind {
    match letter {
        "g" => Kind::Guid,
        "s" => Kind::Text,
        "h" => Kind::Int16,
        "i" => Kind::Int32,
        "l" => Kind::Int64,
        "y" => Kind::Byte,
        "b" => Kind::Boolean,
        "d" => Kind::Double,
        "t" => Kind::DateTime,
        "x" => Kind::Binary,
        "c" => Kind::Collection,
        "k" => Kind::Complex,
        other => panic!("the table has no type `{other}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_reference_is_there() {
        assert_eq!(schema().entities().len(), 148);
        let properties: usize = schema().entities().iter().map(|entity| entity.properties.len()).sum();
        assert_eq!(properties, 5026);
    }

    #[test]
    fn an_order_knows_its_rules() {
        let order = schema().find("SalesOrder/salesorders").unwrap();
        assert!(order.filter == FilterRule::Mandatory && order.methods.delete);
        assert_eq!(order.property(order.key).name, "OrderID");
        let lines = order.property(order.at("SalesOrderLines"));
        assert_eq!(schema().get(lines.child.unwrap().entity).path, "salesorder/SalesOrderLines");
        assert_eq!(order.property(order.at("YourRef")).longest, Some(40));
        assert!(matches!(order.property(order.at("OrderedByName")).origin, Origin::Through { .. }));
        assert_eq!(order.type_name(), "Exact.Web.Api.Models.SalesOrder");
        assert_eq!(entity("crm/Addresses").type_name(), "Exact.Web.Api.Models.Address");
        assert_eq!(entity("salesentry/SalesEntries").type_name(), "Exact.Web.Api.Models.SalesEntry");
    }
}
