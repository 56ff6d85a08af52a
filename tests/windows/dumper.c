/* Starts a program as its debugger and, when it dies, writes what Windows Error Reporting would keep of it:
 *
 *   dumper.exe small.dmp full.dmp program.exe
 *
 * Go's runtime ends itself with RaiseFailFastException under GOTRACEBACK=wer, which asks no handler. Wine has
 * no error reporting and ends the process there, so the dumps are taken at its entry, with the exception
 * record that it was given. All of it is done with Windows' own functions. */
#include <windows.h>
#include <dbghelp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether a full dump keeps the memory at an address: what the program allocated, what the executable can
 * write to, and the start of the executable with its headers and build ID. The rest is in files, Wine's and
 * the executable itself. */
static int is_kept(HANDLE process, char *executable, char *address)
{
    MEMORY_BASIC_INFORMATION info;
    const DWORD writable = PAGE_READWRITE | PAGE_WRITECOPY | PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY;
    if (!VirtualQueryEx(process, address, &info, sizeof info)) return 0;
    if (info.Type == MEM_PRIVATE) return 1;
    if (info.Type != MEM_IMAGE || (char *)info.AllocationBase != executable) return 0;
    return (info.Protect & writable) || address < executable + 0x1000;
}

/* Leaves the other memory out of a full dump; of the executable's text the first page stays. */
static void shorten(HANDLE process, char *executable, const char *path)
{
    FILE *file = fopen(path, "rb");
    fseek(file, 0, SEEK_END);
    size_t size = ftell(file);
    char *dump = malloc(size), *kept = malloc(size);
    rewind(file);
    fread(dump, 1, size, file);
    fclose(file);

    MINIDUMP_HEADER *header = (MINIDUMP_HEADER *)dump;
    MINIDUMP_DIRECTORY *entry = (MINIDUMP_DIRECTORY *)(dump + header->StreamDirectoryRva);
    while (entry->StreamType != Memory64ListStream) entry++;
    MINIDUMP_MEMORY64_LIST *list = (MINIDUMP_MEMORY64_LIST *)(dump + entry->Location.Rva);
    char *from = dump + list->BaseRva, *to = kept;
    ULONG64 count = 0;
    for (ULONG64 i = 0; i < list->NumberOfMemoryRanges; i++) {
        MINIDUMP_MEMORY_DESCRIPTOR64 range = list->MemoryRanges[i];
        char *address = (char *)range.StartOfMemoryRange;
        SIZE_T length = range.DataSize;
        int text = address == executable + 0x1000;
        if (text && length > 0x1000) length = 0x1000;
        if (text || is_kept(process, executable, address)) {
            memcpy(to, from, length);
            to += length;
            list->MemoryRanges[count].StartOfMemoryRange = range.StartOfMemoryRange;
            list->MemoryRanges[count++].DataSize = length;
        }
        from += range.DataSize;
    }
    list->NumberOfMemoryRanges = count;
    entry->Location.DataSize = sizeof *list + count * sizeof(MINIDUMP_MEMORY_DESCRIPTOR64);

    file = fopen(path, "wb");
    fwrite(dump, 1, list->BaseRva, file);
    fwrite(kept, 1, to - kept, file);
    fclose(file);
}

static int write_dump(PROCESS_INFORMATION *process, const char *path, DWORD kind,
                      MINIDUMP_EXCEPTION_INFORMATION *exception)
{
    HANDLE file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    BOOL done = MiniDumpWriteDump(process->hProcess, process->dwProcessId, file, kind, exception, NULL, NULL);
    CloseHandle(file);
    return done;
}

int main(int argc, char **argv)
{
    STARTUPINFOA startup = { sizeof startup };
    PROCESS_INFORMATION process;
    if (argc != 4) return 2;
    if (!CreateProcessA(NULL, argv[3], NULL, NULL, TRUE, DEBUG_ONLY_THIS_PROCESS, NULL, NULL, &startup, &process))
        return 2;
    char *raise = (char *)GetProcAddress(GetModuleHandleA("kernelbase.dll"), "RaiseFailFastException");
    char *executable = NULL, breakpoint = (char)0xcc;
    int started = 0;
    for (;;) {
        DEBUG_EVENT event;
        DWORD answer = DBG_CONTINUE;
        if (!WaitForDebugEvent(&event, 60000)) return 3;
        if (event.dwDebugEventCode == EXIT_PROCESS_DEBUG_EVENT) return 4;
        if (event.dwDebugEventCode == CREATE_PROCESS_DEBUG_EVENT)
            executable = event.u.CreateProcessInfo.lpBaseOfImage;
        if (event.dwDebugEventCode == EXCEPTION_DEBUG_EVENT) {
            EXCEPTION_RECORD record = event.u.Exception.ExceptionRecord;
            if (record.ExceptionCode == EXCEPTION_BREAKPOINT && !started) {
                started = 1;
                WriteProcessMemory(process.hProcess, raise, &breakpoint, 1, NULL);
                FlushInstructionCache(process.hProcess, raise, 1);
            } else if (record.ExceptionAddress == raise) {
                CONTEXT context = { .ContextFlags = CONTEXT_FULL };
                HANDLE thread = OpenThread(THREAD_ALL_ACCESS, FALSE, event.dwThreadId);
                GetThreadContext(thread, &context);
                context.Rip = (DWORD64)raise;
                SetThreadContext(thread, &context);
                /* The first argument, and FAIL_FAST_GENERATE_EXCEPTION_ADDRESS: the return address. */
                ReadProcessMemory(process.hProcess, (void *)context.Rcx, &record, sizeof record, NULL);
                ReadProcessMemory(process.hProcess, (void *)context.Rsp, &record.ExceptionAddress, 8, NULL);
                record.ExceptionFlags |= EXCEPTION_NONCONTINUABLE;
                EXCEPTION_POINTERS pointers = { &record, &context };
                MINIDUMP_EXCEPTION_INFORMATION exception = { event.dwThreadId, &pointers, FALSE };
                int done = write_dump(&process, argv[1], MiniDumpNormal, &exception)
                    && write_dump(&process, argv[2], MiniDumpWithFullMemory, &exception);
                if (done) shorten(process.hProcess, executable, argv[2]);
                TerminateProcess(process.hProcess, 1);
                return !done;
            } else {
                answer = DBG_EXCEPTION_NOT_HANDLED;
            }
        }
        ContinueDebugEvent(event.dwProcessId, event.dwThreadId, answer);
    }
}
