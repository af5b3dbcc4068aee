"""The benchmark: methods against methods on labelled data sets, with tables and a page."""
