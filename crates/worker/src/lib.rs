//! Claims work, runs it in a child process, commits the outcome.
