"""Readers of tables: csv, tsv, txt, JSON, parquet, arrow and xlsx, plain, zipped or gzipped."""
