"""Tables of labelled text: csv, tsv, jsonl and parquet, plain, zipped or gzipped."""
