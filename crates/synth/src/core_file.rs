//! ELF cores in the order of the kernel's `elf_core_dump`: headers, notes, memory and, when there
//! are too many segments for the header, one section header.

use crate::bytes::{Bytes, ProgramHeader};

const PAGE: usize = 4096;
/// `EM_AARCH64`.
const AARCH64: u16 = 183;

/// A thread's notes.
#[derive(Clone, Debug)]
pub struct ThreadNotes {
    /// LWP id.
    pub tid: i32,
    /// `pr_cursig`.
    pub signal: u16,
    /// On amd64 `struct user_regs_struct`: r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi
    /// rdi orig_rax rip cs rflags rsp ss fs_base gs_base ds es fs gs. On arm64 `struct
    /// user_pt_regs`: x0 to x30 sp pc pstate.
    pub registers: Vec<u64>,
    /// A `siginfo_t` of its own, as debuggers write.
    pub siginfo: Option<Vec<u8>>,
}

/// A segment.
#[derive(Clone, Debug)]
pub struct Memory {
    /// Where it was.
    pub address: u64,
    /// How much there was of it.
    pub size: u64,
    /// What was dumped of it.
    pub dumped: Vec<u8>,
    /// `PF_X` 1, `PF_W` 2, `PF_R` 4.
    pub flags: u32,
}

/// Who wrote a core: the notes that there are differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// Linux (`fs/binfmt_elf.c`), with the register sets of the machine (`arch/*/kernel/ptrace.c`).
    Kernel,
    /// qemu's user mode (`linux-user/elfload.c`): threads, process and auxiliary vector alone.
    Qemu,
}

/// A core to be written.
#[derive(Clone, Debug)]
pub struct CoreFile {
    /// `e_machine`.
    pub machine: u16,
    /// Whose notes it has.
    pub writer: Writer,
    /// `struct user_pac_mask` of an arm64 core: the mask of signed bits in data and code addresses.
    pub pac_masks: (u64, u64),
    /// The first is the one that dumped the core.
    pub threads: Vec<ThreadNotes>,
    /// Process and parent.
    pub ids: (i32, i32),
    /// User and group.
    pub owner: (u32, u32),
    /// Name and command line.
    pub names: (String, String),
    /// The process' `siginfo_t`.
    pub siginfo: Vec<u8>,
    /// Auxiliary vector, without its end.
    pub auxv: Vec<(u64, u64)>,
    /// Start, end and offset in pages of mapped files.
    pub files: Vec<(u64, u64, u64, String)>,
    /// Memory.
    pub memory: Vec<Memory>,
    /// Counts segments in a section header even when there are few of them.
    pub extended_numbering: bool,
}

impl Default for CoreFile {
    /// A process with nothing in it.
    fn default() -> Self {
        Self {
            machine: 62,
            writer: Writer::Kernel,
            pac_masks: (0, 0),
            threads: Vec::new(),
            ids: (1, 0),
            owner: (0, 0),
            names: ("a.out".to_owned(), "./a.out".to_owned()),
            siginfo: siginfo_sent(6, -6, 1),
            auxv: Vec::new(),
            files: Vec::new(),
            memory: Vec::new(),
            extended_numbering: false,
        }
    }
}

/// A `siginfo_t` of a signal that a process sent.
pub fn siginfo_sent(number: i32, code: i32, sender: i32) -> Vec<u8> {
    let mut bytes = siginfo_start(number, code);
    bytes.word(sender.cast_unsigned()).fixed("", 128 - 20);
    bytes.0
}

/// A `siginfo_t` of a fault.
pub fn siginfo_fault(number: i32, code: i32, address: u64) -> Vec<u8> {
    let mut bytes = siginfo_start(number, code);
    bytes.long(address).fixed("", 128 - 24);
    bytes.0
}

fn siginfo_start(number: i32, code: i32) -> Bytes {
    let mut bytes = Bytes::default();
    bytes.word(number.cast_unsigned()).word(0).word(code.cast_unsigned()).word(0);
    bytes
}

impl ThreadNotes {
    /// A thread at `pc` with its stack at `sp`.
    pub fn at(tid: i32, pc: u64, sp: u64) -> Self {
        let mut registers = vec![0; 27];
        registers[16] = pc;
        registers[19] = sp;
        Self { tid, signal: 0, registers, siginfo: None }
    }

    /// An arm64 thread at `pc`, its stack at `sp`, with `lr` to return to.
    pub fn at_arm64(tid: i32, pc: u64, sp: u64, lr: u64) -> Self {
        let mut registers = vec![0; 34];
        registers[30] = lr;
        registers[31] = sp;
        registers[32] = pc;
        Self { tid, signal: 0, registers, siginfo: None }
    }

    fn status(&self) -> Vec<u8> {
        let mut bytes = Bytes::default();
        // pr_info, pr_cursig, pr_sigpend, pr_sighold.
        bytes.word(u32::from(self.signal)).word(0).word(0).half(self.signal).half(0).long(0).long(0);
        // pr_pid, pr_ppid, pr_pgrp, pr_sid, four timevals.
        bytes.word(self.tid.cast_unsigned()).word(0).word(0).word(0).fixed("", 64);
        for &register in &self.registers {
            bytes.long(register);
        }
        // pr_fpvalid.
        bytes.word(1).word(0);
        bytes.0
    }
}

/// Vector registers of 16 bytes: 0x5000 and their number, below all ones.
fn vectors(count: u64) -> Vec<u8> {
    let mut bytes = Bytes::default();
    for number in 0..count {
        bytes.long(0x5000 + number).long(u64::MAX);
    }
    bytes.0
}

impl CoreFile {
    /// The file.
    pub fn write(&self) -> Vec<u8> {
        const HEADER: usize = 64;
        const PROGRAM_HEADER: usize = 56;
        let count = self.memory.len() + 1;
        let notes = self.notes();
        let notes_at = HEADER + count * PROGRAM_HEADER;
        let first_page = (notes_at + notes.len()).next_multiple_of(PAGE);
        let mut offset = first_page;
        let mut headers = Bytes::default();
        headers.program_header(&ProgramHeader {
            kind: 4,
            flags: 0,
            offset: notes_at as u64,
            address: 0,
            file_size: notes.len() as u64,
            memory_size: 0,
            align: 4,
        });
        for memory in &self.memory {
            headers.program_header(&ProgramHeader {
                kind: 1,
                flags: memory.flags,
                offset: offset as u64,
                address: memory.address,
                file_size: memory.dumped.len() as u64,
                memory_size: memory.size,
                align: PAGE as u64,
            });
            offset = (offset + memory.dumped.len()).next_multiple_of(PAGE);
        }
        let extended = self.extended_numbering || count >= 0xffff;
        let mut file = Bytes::default();
        file.elf_identification().half(4).half(self.machine).word(1).long(0).long(HEADER as u64);
        file.long(if extended { offset as u64 } else { 0 }).word(0).half(HEADER as u16);
        file.half(PROGRAM_HEADER as u16).half(if extended { 0xffff } else { count as u16 });
        file.half(if extended { 64 } else { 0 }).half(u16::from(extended)).half(0);
        file.raw(&headers.0).raw(&notes);
        for memory in &self.memory {
            file.align(PAGE).raw(&memory.dumped);
        }
        file.align(PAGE);
        if extended {
            // sh_info has the number of program headers.
            file.word(0).word(0).long(0).long(0).long(0).long(1).word(0).word(count as u32).long(0).long(0);
        }
        file.0
    }

    fn notes(&self) -> Vec<u8> {
        let mut notes = Bytes::default();
        let mut threads = self.threads.iter();
        let kernel = self.writer == Writer::Kernel;
        if let Some(first) = threads.next() {
            notes.note("CORE", 1, &first.status());
            Self::thread_signal(&mut notes, first);
        }
        notes.note("CORE", 3, &self.process());
        if kernel {
            notes.note("CORE", 0x5349_4749, &self.siginfo);
        }
        let mut auxv = Bytes::default();
        for &(key, value) in self.auxv.iter().chain(&[(0, 0)]) {
            auxv.long(key).long(value);
        }
        notes.note("CORE", 6, &auxv.0);
        if kernel {
            notes.note("CORE", 0x4649_4c45, &self.mapped_files());
            self.register_sets(&mut notes);
        }
        for next in threads {
            notes.note("CORE", 1, &next.status());
            Self::thread_signal(&mut notes, next);
            if kernel && self.machine == AARCH64 {
                self.register_sets(&mut notes);
            }
        }
        notes.0
    }

    fn thread_signal(notes: &mut Bytes, thread: &ThreadNotes) {
        if let Some(siginfo) = &thread.siginfo {
            notes.note("CORE", 0x5349_4749, siginfo);
        }
    }

    fn mapped_files(&self) -> Vec<u8> {
        let mut files = Bytes::default();
        files.long(self.files.len() as u64).long(PAGE as u64);
        for (start, end, page, _) in &self.files {
            files.long(*start).long(*end).long(*page);
        }
        for (.., path) in &self.files {
            files.raw(path.as_bytes()).raw(&[0]);
        }
        files.0
    }

    /// What follows a thread's general registers.
    fn register_sets(&self, notes: &mut Bytes) {
        if self.machine != AARCH64 {
            // What FXSAVE writes: 160 bytes of state and x87, then xmm0 to xmm15, then nothing. After
            // it something that nobody knows.
            let mut saved = Bytes::default();
            saved.fixed("", 160).raw(&vectors(16)).fixed("", 96);
            notes.note("CORE", 2, &saved.0).note("LINUX", 0x202, &[0; 16]);
            return;
        }
        // v0 to v31, then two words of state and padding.
        notes.note("CORE", 2, Bytes::default().raw(&vectors(32)).fixed("", 16).0.as_slice());
        // NT_ARM_TLS, HW_BREAK, HW_WATCH, SYSTEM_CALL, PAC_MASK, TAGGED_ADDR_CTRL.
        notes.note("LINUX", 0x401, &[0; 16]).note("LINUX", 0x402, &[0; 264]).note("LINUX", 0x403, &[0; 264]);
        let mut masks = Bytes::default();
        masks.long(self.pac_masks.0).long(self.pac_masks.1);
        notes.note("LINUX", 0x404, &[0; 4]).note("LINUX", 0x406, &masks.0).note("LINUX", 0x409, &[0; 8]);
    }

    fn process(&self) -> Vec<u8> {
        let mut bytes = Bytes::default();
        // pr_state, pr_sname, pr_zomb, pr_nice, padding, pr_flag, pr_uid, pr_gid.
        bytes.raw(b"\0R\0\0\0\0\0\0").long(0).word(self.owner.0).word(self.owner.1);
        // pr_pid, pr_ppid, pr_pgrp, pr_sid.
        bytes.word(self.ids.0.cast_unsigned()).word(self.ids.1.cast_unsigned()).word(0).word(0);
        bytes.fixed(&self.names.0, 16).fixed(&self.names.1, 80);
        bytes.0
    }
}
