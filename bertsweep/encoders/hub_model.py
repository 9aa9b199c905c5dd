"""Models of the Hugging Face Hub, `hf://owner/name[@revision]`, downloaded with huggingface_hub."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from bertsweep.encoders.huggingface import FILES, HuggingFaceFolder
from bertsweep.encoders.prepared import PreparedEncoder
from bertsweep.encoders.store import Store
from bertsweep.errors import DownloadError, EncoderError

SCHEME = "hf://"
_FORM = re.compile(r"hf://([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")


@dataclass(frozen=True)
class HubModel:
    """A model on the Hub. Without a revision it is what `main` was when it was first prepared."""

    address: str
    store: Store = field(repr=False)

    def key(self) -> str:
        return self.address

    def convert(self, out: Path, *, lowercase: bool | None, source: str) -> PreparedEncoder:
        """Downloads what an encoder needs of it, and converts. Raises `DownloadError`,
        `EncoderError`.
        """
        return HuggingFaceFolder(self._downloaded()).convert(
            out, lowercase=lowercase, source=source
        )

    def _downloaded(self) -> Path:
        from huggingface_hub import errors, snapshot_download

        model, revision = parse(self.address)
        try:
            folder = snapshot_download(
                model,
                revision=revision,
                allow_patterns=list(FILES),
                cache_dir=self.store.folder.parent / "hub",
                endpoint=os.environ.get("HF_ENDPOINT") or None,
            )
        except errors.GatedRepoError as error:
            raise EncoderError(
                f"{self.address} is given only to those who accepted its terms. Accept them on its "
                "page, and set HF_TOKEN to a token of yours."
            ) from error
        except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
            raise EncoderError(
                f"there is no {self.address} for you on the Hub. Check owner, name and revision; a "
                "private model needs HF_TOKEN."
            ) from error
        except (errors.LocalEntryNotFoundError, errors.HfHubHTTPError, OSError) as error:
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise DownloadError(
                f"{self.address} could not be downloaded ({first}). Without a network, download it "
                f"elsewhere (`hf download {model} --local-dir FOLDER`) and give the folder."
            ) from error
        return Path(folder)


def parse(address: str) -> tuple[str, str | None]:
    """Model and revision in an address. Raises `EncoderError`."""
    found = _FORM.fullmatch(address)
    if found is None:
        raise EncoderError(
            f"a model of the Hub is hf://owner/name or hf://owner/name@revision, but got "
            f"{address!r}."
        )
    return found[1], found[2]
