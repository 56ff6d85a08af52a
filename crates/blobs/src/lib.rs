//! Evidence at rest.
