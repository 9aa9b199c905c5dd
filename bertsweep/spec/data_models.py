"""The section `data` of a search space file: where the rows are, and how they are written."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from bertsweep.spec.fields import (
    Character,
    Column,
    Columns,
    Count,
    Files,
    Section,
    Seed,
    ShareOrCount,
    Text,
    as_tuple,
    one_or_more,
)


class SourceFiles(Section):
    """Files for each split; those left out are cut from the train files by `data.split`."""

    train: Files = Field(
        title="path, glob or address of the training rows, or a list", examples=["train.csv"]
    )
    validation: Files | None = Field(None, title="the same of the validation rows")
    test: Files | None = Field(None, title="the same of the test rows")


class LabelFiles(SourceFiles):
    """Files of labels for the splits that `source` names, as many and in the same order."""


class Split(Section):
    """Stratified parts, cut one after the other: train, then validation, then test.

    A number below 1 is a share of the rows still there when its turn comes, a whole number is a
    count of rows, and `rest` is what the others leave.
    """

    train: ShareOrCount | Literal["rest"] = Field("rest", title="training rows")
    validation: ShareOrCount = Field(0.1, title="validation rows: stop, rank and set thresholds")
    test: ShareOrCount | Literal["rest"] = Field(0.1, title="test rows: untouched by the sweep")
    random_state: Seed = Field(42, title="seed of the split")


Format = Literal["csv", "tsv", "txt", "jsonl", "json", "parquet", "arrow", "xlsx"]

_USED_KEYS: dict[str, frozenset[str]] = {
    "csv": frozenset({"separator", "quote", "escape", "header", "columns", "encoding"}),
    "tsv": frozenset({"separator", "quote", "escape", "header", "columns", "encoding"}),
    "txt": frozenset({"encoding"}),
    "jsonl": frozenset({"encoding"}),
    "json": frozenset({"encoding"}),
    "parquet": frozenset(),
    "arrow": frozenset(),
    "xlsx": frozenset({"header", "columns"}),
}
"""Format → the keys of `Table` that it uses besides `class_names`."""


class Table(Section):
    """How a table is written. What is `auto` is recognised, and a note says what was taken."""

    separator: Literal["auto", "tab"] | Character = Field(
        "auto", title="csv, tsv: character between two fields, in quotes"
    )
    quote: Literal["auto", "none"] | Character = Field(
        "auto", title="csv, tsv: character around a field that holds the separator, in quotes"
    )
    escape: Literal["auto", "none"] | Character = Field(
        "auto", title="csv, tsv: character that makes a quote or separator after it plain text"
    )
    header: bool = Field(
        default=True, title="csv, tsv, xlsx: whether the first row names the columns"
    )
    columns: Annotated[tuple[Text, ...], BeforeValidator(as_tuple)] = Field(
        (), title="csv, tsv, xlsx: names of the columns where there is no header"
    )
    encoding: Text = Field(
        "auto", title="csv, tsv, txt, json: encoding of the text, such as utf-16 or latin-1"
    )
    class_names: bool = Field(
        default=True,
        title="Hugging Face data: take the names of a ClassLabel column for its numbers",
    )

    def unused(self, table_format: str) -> list[str]:
        """The keys that are set here and have no effect on files of a format."""
        used = _USED_KEYS[table_format] | {"class_names"}
        return [
            name
            for name, field in type(self).model_fields.items()
            if name not in used and getattr(self, name) != field.default
        ]


class Data(Section):
    """Labelled text: where it is, which columns count, how it is split."""

    source: Files | SourceFiles = Field(
        title="path, glob, http(s)/s3/gs address, Hugging Face folder or `builtin:questions`, "
        "a list of files, or a mapping with these for each split",
        examples=["questions.csv"],
    )
    text: Columns = Field(
        ("text",),
        title="text column, or a list of two for sentence pairs; a number counts from 1 where "
        "there is no header",
    )
    label: Column = Field("label", title="label column, or its number where there is no header")
    positive: bool | int | float | str | None = Field(
        None,
        title="positive one of two labels; left out, 1, true, yes or positive, else the rarer one",
        examples=["spam"],
    )
    labels: Files | LabelFiles | None = Field(
        None, title="txt: file with one label a line, for each file of `source`"
    )
    format: Literal["auto"] | Format = Field("auto", title="file format; auto goes by the name")
    table: Table = Field(default_factory=Table, title="how the table is written")
    member: Text | None = Field(
        None,
        title="which is meant of several files in a zip, sheets of a workbook or configurations "
        "of a Hugging Face folder",
    )
    max_unpacked_gb: Annotated[float, Field(gt=0)] = Field(
        20.0, title="refuse a zip or gz that unpacks to more than this many GB"
    )
    limit: Count | None = Field(
        None, title="use only this many rows, drawn with `split.random_state`"
    )
    leaks: Literal["drop", "keep"] = Field(
        "drop", title="validation and test rows whose text also stands in train"
    )
    split: Split = Field(default_factory=Split, title="how rows are split")

    def files(self) -> dict[str, tuple[str, ...]]:
        """Split → its paths, patterns and addresses; splits that `source` leaves out are absent."""
        return _by_split(self.source)

    def label_files(self) -> dict[str, tuple[str, ...]]:
        """The same of the files that hold labels; empty where the labels are a column."""
        return {} if self.labels is None else _by_split(self.labels)


def _by_split(files: str | tuple[str, ...] | SourceFiles) -> dict[str, tuple[str, ...]]:
    if not isinstance(files, SourceFiles):
        return {"train": one_or_more(files)}
    parts = {"train": files.train, "validation": files.validation, "test": files.test}
    return {name: one_or_more(part) for name, part in parts.items() if part is not None}
