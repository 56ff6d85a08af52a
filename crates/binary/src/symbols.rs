//! The symbol table, by name and by address.

use std::{
    borrow::Cow,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::OnceLock,
};

use object::{
    Object, ObjectSection as _, ObjectSymbol, ObjectSymbolTable as _, SectionKind, SymbolIndex, SymbolKind,
};

/// A symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// Link-time address.
    pub address: u64,
    /// Size in bytes, 0 where the table does not tell: PE files' do not.
    pub size: u64,
}

/// Both indices are made when they are first asked for: most files are only identified. Names are
/// looked up anew: borrowed ones in a cell would tie the executable to one lifetime, and copies could take
/// more memory than the file has, since symbols may share a name.
#[derive(Debug, Default)]
pub(crate) struct Symbols {
    /// By a hash of the name, 16 bytes each, whatever the name.
    by_name: OnceLock<Vec<(u64, SymbolIndex)>>,
    /// Functions, by address.
    functions: OnceLock<Functions>,
}

#[derive(Debug, Default)]
struct Functions {
    /// Those that say they are functions.
    typed: Vec<(Symbol, SymbolIndex)>,
    /// Labels of assembly that has not said so (`crosscall1` of runtime/cgo).
    labels: Vec<(Symbol, SymbolIndex)>,
    /// From the dynamic symbol table, which is all that a stripped library has.
    dynamic: bool,
}

impl Functions {
    fn read<'a>(file: &impl Object<'a>) -> Self {
        let mut functions = Self::of(file, file.symbols());
        if functions.typed.is_empty() {
            functions = Self { dynamic: true, ..Self::of(file, file.dynamic_symbols()) };
        }
        // Of several names at one address the one with a size comes last, and is found.
        functions.typed.sort_by_key(|&(symbol, _)| (symbol.address, symbol.size));
        functions.labels.sort_by_key(|&(symbol, _)| symbol.address);
        functions
    }

    fn of<'a, S: ObjectSymbol<'a>>(file: &impl Object<'a>, symbols: impl Iterator<Item = S>) -> Self {
        let mut functions = Self::default();
        let mut code: Vec<_> = file
            .sections()
            .filter(|section| section.kind() == SectionKind::Text)
            .map(|section| (section.address(), section.address().saturating_add(section.size())))
            .collect();
        code.sort_unstable();
        // Sections of an executable do not overlap, so the last that begins before an address decides.
        let in_code = |address: u64| {
            let after = code.partition_point(|&(start, _)| start <= address);
            after.checked_sub(1).is_some_and(|last| address < code[last].1)
        };
        let mut budget = MOST_NAME_BYTES;
        let mut is_label = |name: Result<&[u8], object::Error>| {
            let cost = name.map_or(UNREADABLE, <[u8]>::len);
            budget = budget.saturating_sub(cost);
            // `$x` and `$d` mark code and data on arm64.
            budget > 0 && name.is_ok_and(|name| !name.is_empty() && name[0] != b'$')
        };
        for symbol in symbols.filter(|symbol| !symbol.is_undefined()) {
            let entry = (found(&symbol), symbol.index());
            match symbol.kind() {
                SymbolKind::Text => functions.typed.push(entry),
                SymbolKind::Unknown if in_code(symbol.address()) && is_label(symbol.name_bytes()) => {
                    functions.labels.push(entry);
                }
                _ => {}
            }
        }
        functions
    }

    fn at(&self, address: u64) -> Option<(Symbol, SymbolIndex)> {
        let last = |list: &[(Symbol, SymbolIndex)]| {
            let after = list.partition_point(|(function, _)| function.address <= address);
            list.get(after.checked_sub(1)?).copied()
        };
        let typed = last(&self.typed);
        // Assembly may leave the size out; then it goes on to the next function.
        let inside =
            typed.filter(|(function, _)| function.size == 0 || address - function.address < function.size);
        inside.or_else(|| {
            let (label, index) = last(&self.labels)?;
            let behind = typed
                .is_none_or(|(function, _)| label.address >= function.address.saturating_add(function.size));
            behind.then_some((label, index))
        })
    }
}

/// Bytes of names that are read, those that symbols share counted each time. The largest Go programs have a
/// tenth of this.
const MOST_NAME_BYTES: usize = 1 << 30;
/// What a name costs that has no end, for which the whole table is looked through.
const UNREADABLE: usize = 16 << 20;

impl Symbols {
    pub(crate) fn by_name<'a>(&self, file: &impl Object<'a>, name: &str) -> Option<Symbol> {
        let symbols = self.by_name.get_or_init(|| {
            let mut budget = MOST_NAME_BYTES;
            let mut symbols: Vec<_> = defined(file)
                .map_while(|symbol| {
                    let name = symbol.name_bytes();
                    budget = budget.checked_sub(name.map_or(UNREADABLE, <[u8]>::len))?;
                    Some((hash(name.unwrap_or_default()), symbol.index()))
                })
                .collect();
            symbols.sort_unstable_by_key(|&(hash, index)| (hash, index.0));
            symbols
        });
        let wanted = hash(name.as_bytes());
        let from = symbols.partition_point(|entry| entry.0 < wanted);
        symbols[from..].iter().take_while(|entry| entry.0 == wanted).find_map(|&(_, index)| {
            let symbol = file.symbol_by_index(index).ok()?;
            (symbol.name_bytes() == Ok(name.as_bytes())).then(|| found(&symbol))
        })
    }

    pub(crate) fn at<'a>(&self, file: &impl Object<'a>, address: u64) -> Option<(Cow<'a, str>, Symbol)> {
        let functions = self.functions.get_or_init(|| Functions::read(file));
        let (function, index) = functions.at(address)?;
        let table = if functions.dynamic { file.dynamic_symbol_table() } else { file.symbol_table() };
        let name = table?.symbol_by_index(index).ok()?.name_bytes().ok()?;
        Some((String::from_utf8_lossy(name), function))
    }
}

fn hash(name: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

fn defined<'a: 'f, 'f, F: Object<'a>>(file: &'f F) -> impl Iterator<Item = F::Symbol<'f>> {
    file.symbols().filter(|symbol| !symbol.is_undefined())
}

fn found<'a>(symbol: &impl ObjectSymbol<'a>) -> Symbol {
    Symbol { address: symbol.address(), size: symbol.size() }
}
