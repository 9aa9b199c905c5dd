"""What the reference says below the tables of `data` and `data.table`."""

from __future__ import annotations

DATA = """\
A relative path or pattern is resolved against the working folder, then against the folder of the
search space file. Files that match a pattern are read in the order of their names, part 9 before
part 10. `format: auto` goes by the suffix: `.csv`; `.tsv`, `.tab`; `.txt`; `.jsonl`, `.ndjson`;
`.json`; `.parquet`, `.pq`; `.arrow`, `.feather`; `.xlsx`, `.xlsm` (these need the package
openpyxl); each also followed by `.gz` or inside a zip. JSON is one object per line or one array of
objects. A txt file has one text per line; `labels` names the file with its labels, one per line.

The folder of a Hugging Face dataset (written by `save_to_disk`, a snapshot of the Hub, or a folder
of the datasets cache) has splits of its own: validation (also dev, valid, val) and test are used if
they exist and have labels. The numbers of a ClassLabel column are replaced by the names of its
classes.

One of two classes is positive: average precision, F1, precision and recall are scores of it, and
the threshold is one of its probability. It is the label that `positive` states, as the data writes
it; else the one called 1, true, yes, y, t, positive or pos (in any casing) where the other is not;
else the one with fewer rows, and of equally frequent ones the last in order. A sweep says which one
it is, and warns where most rows are positive. With more than two classes none is.

```yaml
data: {source: "shards/part-*.parquet", text: review, label: stars}
```

```yaml
data:  # one text per line, as TweetEval has them
  source: {train: train_text.txt, test: test_text.txt}
  labels: {train: train_labels.txt, test: test_labels.txt}
```

```yaml
data:  # the SMS spam collection
  source: SMSSpamCollection
  format: tsv
  table: {header: false}
  text: 2
  label: 1
```

```yaml
data:  # 10kGNAD
  source: {train: train.csv, test: test.csv}
  table: {separator: ";", quote: "'", header: false, columns: [topic, text]}
  label: topic
```
"""

TABLE = """\
`auto` is resolved by these rules, and a note reports every choice other than the default:

- `encoding`: a byte-order mark decides (UTF-8, UTF-16, UTF-32); without one it is UTF-8. A file
  with invalid UTF-8 is read as Windows-1252 if every byte is defined there, characters outside
  ASCII are fewer than half the number of ASCII letters, and valid UTF-8 sequences outside ASCII are
  fewer than a tenth of the invalid bytes. Otherwise it is an error that names the first such byte.
- `separator`: the default is the comma, for tsv the tab. It is used if it splits the header into
  two or more fields. Otherwise comma, tab, semicolon and bar are tried: one of them qualifies if it
  splits the header into two or more fields and none of the first rows into more than the header.
  Without a header, a separator qualifies if it splits every one of the first rows into the same
  number of fields, two or more. If no other or more than one other qualifies, the default is used.
- `quote`: `"`, unless the first rows fit only with `'`, or quoted fields contain a doubled `'`
  within words. Tab-separated fields are usually not quoted: quotes are removed from a column if
  they enclose every field that begins with one.
- `escape`: none; a quote inside a quoted field is doubled (RFC 4180). If the rows violate that, or
  a value contains a backslash before a quote, and reading with backslash escapes violates nothing,
  these are used. A backslash makes the quote, separator or backslash after it literal; before any
  other character it is literal itself.

The first rows are 256 KiB of text. A header is never guessed: without `header: false` the first row
is the header, and the error for an unknown column says if that row looks like data. A key that has
no effect on the format of a file is an error.
"""
