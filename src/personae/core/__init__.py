"""Value types, settings and errors that every room shares; knows no other room."""
