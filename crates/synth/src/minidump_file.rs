//! Minidumps as `MiniDumpWriteDump` and Breakpad lay them out: header, directory, streams, then what
//! the streams point to, and full memory last (minidumpapiset.h; Breakpad's minidump_format.h).

use crate::bytes::Bytes;

/// A thread.
#[derive(Clone, Debug)]
pub struct ThreadContext {
    /// Thread id.
    pub tid: u32,
    /// Its `CONTEXT`.
    pub context: Vec<u8>,
    /// Address and bytes of its stack.
    pub stack: (u64, Vec<u8>),
}

/// A loaded executable or library.
#[derive(Clone, Debug, Default)]
pub struct ModuleEntry {
    /// Where it is.
    pub base: u64,
    /// How large it is.
    pub size: u32,
    /// `CheckSum` and `TimeDateStamp`.
    pub stamps: (u32, u32),
    /// Its file.
    pub name: String,
    /// CodeView record, with its signature.
    pub code_view: Vec<u8>,
}

/// What ended the process.
#[derive(Clone, Debug, Default)]
pub struct ExceptionRecord {
    /// The thread.
    pub tid: u32,
    /// Signal or exception code.
    pub code: u32,
    /// Signal code or flags.
    pub flags: u32,
    /// Address.
    pub address: u64,
    /// Parameters, up to 15.
    pub parameters: Vec<u64>,
    /// The thread's `CONTEXT` at that time; empty for none.
    pub context: Vec<u8>,
}

/// A minidump to be written.
#[derive(Clone, Debug)]
pub struct MinidumpFile {
    /// `PROCESSOR_ARCHITECTURE_*`: 9 is amd64, 12 arm64, 0 x86.
    pub processor: u16,
    /// Platform: 0x8201 is Linux, 2 Windows.
    pub platform: u32,
    /// Process id.
    pub pid: u32,
    /// Threads.
    pub threads: Vec<ThreadContext>,
    /// Modules, the executable first.
    pub modules: Vec<ModuleEntry>,
    /// Exception.
    pub exception: Option<ExceptionRecord>,
    /// Memory besides the stacks.
    pub memory: Vec<(u64, Vec<u8>)>,
    /// Writes that memory as a full dump has it: one list with 64-bit sizes, and the bytes at the end.
    pub full: bool,
    /// Puts four bytes between the number and the entries of lists.
    pub padded: bool,
    /// More streams, by kind: 0x47670007 and so on.
    pub streams: Vec<(u32, Vec<u8>)>,
}

impl Default for MinidumpFile {
    /// A Linux process with nothing in it.
    fn default() -> Self {
        Self {
            processor: 9,
            platform: 0x8201,
            pid: 1,
            threads: Vec::new(),
            modules: Vec::new(),
            exception: None,
            memory: Vec::new(),
            full: false,
            padded: false,
            streams: Vec::new(),
        }
    }
}

/// An amd64 `CONTEXT` (winnt.h): `registers` are rax rcx rdx rbx rsp rbp rsi rdi r8-r15 rip.
pub fn amd64_context(registers: [u64; 17]) -> Vec<u8> {
    let mut bytes = Bytes::default();
    // P1Home to P6Home, ContextFlags for everything, MxCsr, six segments, EFlags, six debug registers.
    bytes.fixed("", 48).word(0x10_001f).word(0x1f80).fixed("", 12).word(0x246).fixed("", 48);
    for register in registers {
        bytes.long(register);
    }
    // FltSave, VectorRegister, VectorControl, five more.
    bytes.fixed("", 512 + 26 * 16 + 6 * 8);
    bytes.0
}

/// An arm64 `CONTEXT` (winnt.h): `registers` are x0-x30, sp and pc.
pub fn arm64_context(registers: [u64; 33]) -> Vec<u8> {
    let mut bytes = Bytes::default();
    // ContextFlags for everything, Cpsr.
    bytes.word(0x40_001f).word(0x6000_0000);
    for register in registers {
        bytes.long(register);
    }
    // V, Fpcr, Fpsr, break points and watch points.
    bytes.fixed("", 32 * 16 + 8 + 8 * 4 + 8 * 8 + 2 * 4 + 2 * 8);
    bytes.0
}

/// The CodeView record with an ELF build ID: Breakpad's `MDCVInfoELF`.
pub fn elf_code_view(build_id: &[u8]) -> Vec<u8> {
    [b"LEpB", build_id].concat()
}

/// A file under construction: what streams point to lies behind them.
#[derive(Default)]
struct Layout {
    /// The streams' kinds and bytes.
    streams: Vec<(u32, Bytes)>,
    /// What they point to.
    extra: Bytes,
    /// Where `extra` will lie.
    extra_at: usize,
}

impl Layout {
    /// Puts `bytes` behind the streams; size and offset.
    fn put(&mut self, bytes: &[u8]) -> (u32, u32) {
        self.extra.align(8);
        let at = self.extra_at + self.extra.len();
        self.extra.raw(bytes);
        (bytes.len() as u32, if bytes.is_empty() { 0 } else { at as u32 })
    }

    fn list(&mut self, kind: u32, count: usize, padded: bool) -> &mut Bytes {
        let mut bytes = Bytes::default();
        bytes.word(count as u32);
        if padded {
            bytes.word(0);
        }
        self.streams.push((kind, bytes));
        &mut self.streams.last_mut().expect("pushed").1
    }
}

impl MinidumpFile {
    /// The file.
    ///
    /// # Panics
    ///
    /// When it contradicts itself, which is a mistake here.
    pub fn write(&self) -> Vec<u8> {
        // What streams point to needs their size first: lay it out for no place, then for the right one.
        let streams_size: usize = self.lay_out(0).streams.iter().map(|(_, bytes)| bytes.len() + 8).sum();
        let head = 32 + 12 * (self.streams.len() + 8);
        let extra_at = (head + streams_size).next_multiple_of(8);
        let mut layout = self.lay_out(extra_at);
        let extra_end = extra_at + layout.extra.len();
        if self.full {
            let mut bytes = Bytes::default();
            bytes.long(self.memory.len() as u64).long(extra_end as u64);
            for (address, memory) in &self.memory {
                bytes.long(*address).long(memory.len() as u64);
            }
            let place = layout.streams.iter_mut().find(|(kind, _)| *kind == 9).expect("laid out");
            place.1 = bytes;
        }
        let mut file = Bytes::default();
        file.raw(b"MDMP").word(0x1234_a793).word(layout.streams.len() as u32).word(32);
        file.word(0).word(1_700_000_000).long(0);
        let mut at = head.next_multiple_of(8);
        for (kind, bytes) in &layout.streams {
            file.word(*kind).word(bytes.len() as u32).word(at as u32);
            at = (at + bytes.len()).next_multiple_of(8);
        }
        file.fixed("", head - file.len());
        for (_, bytes) in &layout.streams {
            file.align(8).raw(&bytes.0);
        }
        assert!(file.len() <= extra_at, "the streams have outgrown their place");
        file.fixed("", extra_at - file.len()).raw(&layout.extra.0);
        if self.full {
            for (_, memory) in &self.memory {
                file.raw(memory);
            }
        }
        file.0
    }

    fn lay_out(&self, extra_at: usize) -> Layout {
        let mut layout = Layout { extra_at, ..Layout::default() };
        let threads: Vec<_> = self
            .threads
            .iter()
            .map(|thread| (thread, layout.put(&thread.context), layout.put(&thread.stack.1)))
            .collect();
        let list = layout.list(3, threads.len(), self.padded);
        for (thread, context, stack) in &threads {
            // Suspended once, two priorities, no TEB.
            list.word(thread.tid).word(1).word(0).word(0).long(0);
            list.long(thread.stack.0).word(stack.0).word(stack.1).word(context.0).word(context.1);
        }
        let modules: Vec<_> = self
            .modules
            .iter()
            .map(|module| (module, layout.put(&utf16(&module.name)), layout.put(&module.code_view)))
            .collect();
        let list = layout.list(4, modules.len(), self.padded);
        for (module, name, code_view) in &modules {
            list.long(module.base).word(module.size).word(module.stamps.0).word(module.stamps.1);
            // The name, VS_FIXEDFILEINFO, the record, no other record, two reserved.
            list.word(name.1).fixed("", 52).word(code_view.0).word(code_view.1).fixed("", 24);
        }
        if let Some(exception) = &self.exception {
            let context = layout.put(&exception.context);
            let mut bytes = Bytes::default();
            bytes.word(exception.tid).word(0).word(exception.code).word(exception.flags).long(0);
            bytes.long(exception.address).word(exception.parameters.len() as u32).word(0);
            let parameters = exception.parameters.iter().copied().chain(std::iter::repeat(0));
            for parameter in parameters.take(15) {
                bytes.long(parameter);
            }
            bytes.word(context.0).word(context.1);
            layout.streams.push((6, bytes));
        }
        let mut system = Bytes::default();
        // Level, revision, processors and product type, version 6.1.7601, platform, no service pack.
        system.half(self.processor).half(0).half(0).half(0).word(6).word(1).word(7601).word(self.platform);
        system.word(0).word(0).fixed("", 24);
        layout.streams.push((7, system));
        let mut misc = Bytes::default();
        misc.word(24).word(1).word(self.pid).fixed("", 12);
        layout.streams.push((15, misc));
        if self.full {
            // Written when its place in the file is known.
            let mut bytes = Bytes::default();
            bytes.fixed("", 16 * (self.memory.len() + 1));
            layout.streams.push((9, bytes));
        } else {
            let ranges: Vec<_> =
                self.memory.iter().map(|(address, bytes)| (*address, layout.put(bytes))).collect();
            let list = layout.list(5, ranges.len(), self.padded);
            for (address, place) in ranges {
                list.long(address).word(place.0).word(place.1);
            }
        }
        for (kind, bytes) in &self.streams {
            let mut stream = Bytes::default();
            stream.raw(bytes);
            layout.streams.push((*kind, stream));
        }
        layout
    }
}

/// A `MINIDUMP_STRING`.
fn utf16(text: &str) -> Vec<u8> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let mut bytes = Bytes::default();
    bytes.word(units.len() as u32 * 2);
    for unit in units {
        bytes.half(unit);
    }
    bytes.half(0);
    bytes.0
}
