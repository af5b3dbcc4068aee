"""Value types, settings, errors and numeric primitives that every room shares."""
