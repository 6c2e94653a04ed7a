"""One number for all that training reads from a dataset.

Covers the images' bytes, labels, extra features and splits, and the class
names. Leaves out where the data lies, how it is cut into shards, and who wrote
it, so the same images give the same fingerprint for any number of workers and
for any history of incremental ingests.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence

from model_code.data.records import Example


def example_digest(example: Example) -> bytes:
    """SHA-256 over the image and everything attached to it but its file name."""
    return digest_of(example.sha256, example.labels, example.slices, example.meta)


def digest_of(
    image: bytes,
    labels: Sequence[int],
    slices: Mapping[str, str],
    meta: Mapping[str, float],
) -> bytes:
    """As `example_digest`, from the digest of the image alone."""
    attached = json.dumps(
        [list(labels), sorted(slices.items()), sorted(meta.items())],
        separators=(",", ":"),
    )
    return hashlib.sha256(image + attached.encode()).digest()


def fingerprint(
    class_names: Sequence[str],
    multi_label: bool,
    digests_by_split: Mapping[str, Iterable[bytes]],
) -> str:
    """Hexadecimal SHA-256 over a dataset, from the digests of its examples."""
    whole = hashlib.sha256(json.dumps([list(class_names), multi_label]).encode())
    for split in sorted(digests_by_split):
        whole.update(f"\0{split}\0".encode())
        for digest in sorted(digests_by_split[split]):
            whole.update(digest)
    return whole.hexdigest()
