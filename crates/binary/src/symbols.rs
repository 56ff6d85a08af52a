//! The symbol table, by name and by address.

use std::{borrow::Cow, collections::HashMap, sync::OnceLock};

use object::{Object, ObjectSymbol, SymbolIndex, SymbolKind};

/// A symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// Link-time address.
    pub address: u64,
    /// Size in bytes, 0 where the table does not tell: PE files' do not.
    pub size: u64,
}

/// Both indices are made when they are first asked for: most files are only identified. Names are
/// copied or looked up anew: borrowed ones in a cell would tie the executable to one lifetime.
#[derive(Debug, Default)]
pub(crate) struct Symbols {
    by_name: OnceLock<HashMap<Box<[u8]>, Symbol>>,
    /// Functions, by address.
    functions: OnceLock<Vec<(Symbol, SymbolIndex)>>,
}

impl Symbols {
    pub(crate) fn by_name<'a>(&self, file: &impl Object<'a>, name: &str) -> Option<Symbol> {
        let symbols = self.by_name.get_or_init(|| {
            defined(file)
                .filter_map(|symbol| Some((symbol.name_bytes().ok()?.into(), found(&symbol))))
                .collect()
        });
        symbols.get(name.as_bytes()).copied()
    }

    pub(crate) fn at<'a>(&self, file: &impl Object<'a>, address: u64) -> Option<(Cow<'a, str>, Symbol)> {
        let functions = self.functions.get_or_init(|| {
            let mut functions: Vec<_> = defined(file)
                .filter(|symbol| symbol.kind() == SymbolKind::Text)
                .map(|symbol| (found(&symbol), symbol.index()))
                .collect();
            // Of several names at one address the one with a size comes last, and is found.
            functions.sort_by_key(|&(symbol, _)| (symbol.address, symbol.size));
            functions
        });
        let after = functions.partition_point(|(function, _)| function.address <= address);
        let &(function, index) = functions.get(after.checked_sub(1)?)?;
        // Assembly may leave the size out; then it goes on to the next function.
        let inside = function.size == 0 || address - function.address < function.size;
        let name = inside.then(|| file.symbol_by_index(index).ok()?.name_bytes().ok()).flatten()?;
        Some((String::from_utf8_lossy(name), function))
    }
}

fn defined<'a: 'f, 'f, F: Object<'a>>(file: &'f F) -> impl Iterator<Item = F::Symbol<'f>> {
    file.symbols().filter(|symbol| !symbol.is_undefined())
}

fn found<'a>(symbol: &impl ObjectSymbol<'a>) -> Symbol {
    Symbol { address: symbol.address(), size: symbol.size() }
}
