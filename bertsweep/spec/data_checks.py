"""Rules of `data` about columns, how a table is written, and files of labels."""

from __future__ import annotations

from bertsweep.spec.data_models import Data, SourceFiles, Table
from bertsweep.spec.problems import Problems
from bertsweep.spec.words import nearest, quoted

_TABLE = ("data", "table")


def check_columns(section: Data, problems: Problems, *, labelled: bool = True) -> None:
    """Columns that differ: numbers or listed names without a header, names with one.

    Without `labelled` nothing is said of the label column.
    """
    if len(set(section.text)) < len(section.text):
        rule = f"the two text columns must differ, but got `{section.text[0]}` twice"
        problems.add(("data", "text"), rule, "Name the other column, or only one.")
    if labelled and section.label in section.text:
        rule = f"the label column must not be a text column, but got `{section.label}` for both"
        remedy = "Name the column that holds the classes."
        problems.add(("data", "label"), rule, remedy, needs=[("data", "text")])
    for column in section.text:
        _check_column(section.table, column, "text", problems)
    if labelled and section.labels is None:
        _check_column(section.table, section.label, "label", problems)


def check_table(section: Data, problems: Problems) -> None:
    """Characters that can be told apart, an encoding that exists, no key without effect."""
    table = section.table
    _check_characters(table, problems)
    _check_names(table, problems)
    if table.encoding != "auto" and not _is_text_encoding(table.encoding):
        rule = f"the encoding must be one that Python knows, but got {table.encoding}"
        remedy = "Type for example utf-8, utf-16, latin-1 or windows-1252."
        problems.add((*_TABLE, "encoding"), rule, remedy)
    if section.format != "auto":
        for key in table.unused(section.format):
            rule = f"`{key}` has no effect on `format: {section.format}`, but got both"
            problems.add(
                (*_TABLE, key), rule, "Leave one of the two out.", needs=[("data", "format")]
            )


def check_labels(section: Data, problems: Problems) -> None:
    """Files of labels stand beside as many text files, and make a label column needless."""
    if section.labels is None:
        return
    path = ("data", "labels")
    needs = [("data", "source"), path]
    if section.format not in ("auto", "txt"):
        rule = "`labels` go with texts of one a line (`format: txt`), but got "
        rule += f"`format: {section.format}`"
        problems.add(path, rule, "Name the label column in `label` instead.", needs=needs)
    if problems.given("data", "label"):
        rule = "labels are either a column (`label`) or files (`labels`), but got both"
        problems.add(("data", "label"), rule, "Leave one of the two out.", needs=needs)
    texts, labels = section.files(), section.label_files()
    by_split = isinstance(section.source, SourceFiles), isinstance(section.labels, SourceFiles)
    if by_split[0] != by_split[1] or texts.keys() != labels.keys():
        there = quoted(texts) if by_split[0] else "one for all"
        rule = f"`labels` must name files for the splits of `source` ({there}), but got "
        rule += quoted(labels) if by_split[1] else "one for all"
        problems.add(path, rule, "Give each text file its file of labels.", needs=needs)
        return
    for split, files in texts.items():
        if len(files) != len(labels[split]):
            rule = f"each file of `source` must have one of `labels`, but got {len(files)} and "
            rule += f"{len(labels[split])} for {split}"
            problems.add(path, rule, "List them in the same order.", needs=needs)


def _check_column(table: Table, column: str | int, key: str, problems: Problems) -> None:
    path = ("data", key)
    needs = [path, _TABLE]
    if isinstance(column, int):
        if table.header:
            rule = f"a column has a number only where there is no header, but got `{key}: {column}`"
            remedy = "Type the name of the column, or `table: {header: false}`."
            problems.add(path, rule, remedy, needs=needs)
        elif table.columns and column > len(table.columns):
            rule = f"`{key}` must be one of the {len(table.columns)} columns, but got {column}"
            problems.add(path, rule, f"Columns: {quoted(table.columns)}.", needs=needs)
    elif not table.header and column not in table.columns:
        rule = "a column of a table without a header is a number or a name in `table.columns`, "
        rule += f"but got `{key}: {column}`"
        close = nearest(column, table.columns)
        other = "Type its number, counted from 1, or `table: {header: true}`."
        remedy = f"Did you mean `{close[0]}`?" if close else other
        problems.add(path, rule, remedy, needs=needs)


def _check_names(table: Table, problems: Problems) -> None:
    path = (*_TABLE, "columns")
    if table.columns and table.header:
        rule = "`columns` names the columns of a table without a header, but `header` is true"
        problems.add(path, rule, "Add `header: false`, or leave `columns` out.", needs=[_TABLE])
    twice = [name for name in table.columns if table.columns.count(name) > 1]
    if twice:
        rule = f"the names of columns must differ, but got `{twice[0]}` twice"
        problems.add(path, rule, "Rename one.", needs=[_TABLE])


def _check_characters(table: Table, problems: Problems) -> None:
    given: dict[str, str] = {}
    for key in ("separator", "quote", "escape"):
        value = getattr(table, key)
        if value in ("auto", "none"):
            continue
        character = "\t" if value == "tab" else value
        if character in "\r\n" or (character == " " and key != "separator"):
            rule = f"`{key}` must be a character that is not blank, but got {character!r}"
            problems.add((*_TABLE, key), rule, "Type the character itself, in quotes.")
        elif character in given:
            rule = f"`{key}` must differ from `{given[character]}`, but both are {character!r}"
            problems.add((*_TABLE, key), rule, "Leave one of the two out.")
        given.setdefault(character, key)


def _is_text_encoding(name: str) -> bool:
    try:
        "".encode(name)
        b"".decode(name)
    except (LookupError, UnicodeError):
        return False
    return True
