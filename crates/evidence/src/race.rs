//! Race detector reports.
