import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_code.data import records
from model_code.data.records import Example
from model_code.errors import DataError

names = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
labels = st.lists(st.integers(0, 2**40), max_size=3).map(tuple)


@st.composite
def examples(draw):
    ids = draw(labels)
    return Example(
        filename=draw(st.text(min_size=1, max_size=20)),
        encoded=draw(st.binary(min_size=1, max_size=50)),
        format="PNG",
        height=draw(st.integers(1, 9000)),
        width=draw(st.integers(1, 9000)),
        labels=ids,
        texts=tuple(f"class {label}" for label in ids),
        slices=draw(st.dictionaries(names, st.text(max_size=10), max_size=3)),
        meta=draw(st.dictionaries(names, st.floats(width=32), max_size=3)),
    )


def _comparable(example: Example) -> tuple[object, ...]:
    # A missing number is NaN, which equals nothing.
    meta = {name: repr(value) for name, value in example.meta.items()}
    return replace(example, meta={}), meta


@given(examples())
def test_what_is_encoded_decodes_to_the_same(example):
    assert _comparable(records.decode(records.encode(example))) == _comparable(example)


@given(examples(), st.randoms(use_true_random=False))
def test_equal_examples_are_equal_bytes(example, rng):
    slices = list(example.slices.items())
    rng.shuffle(slices)
    assert records.encode(replace(example, slices=dict(slices))) == records.encode(
        example
    )


def test_a_file_name_need_not_be_unicode():
    name = b"caf\xe9\n.jpg".decode("utf-8", "surrogateescape")
    example = Example(name, b"x", "PNG", 1, 1, (0,), ("a",))
    assert records.decode(records.encode(example)).filename == name


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_framed_records_are_read_back(contents):
    stream = io.BytesIO(b"".join(records.frame(content) for content in contents))
    assert list(records.read_frames(stream, "shard")) == contents


@given(st.binary(min_size=1, max_size=40), st.data())
def test_any_flipped_bit_of_a_frame_is_noticed(content, data):
    framed = bytearray(records.frame(content))
    position = data.draw(st.integers(0, len(framed) * 8 - 1))
    framed[position // 8] ^= 1 << (position % 8)
    with pytest.raises(DataError, match="Shard file is damaged"):
        list(records.read_frames(io.BytesIO(framed), "file"))


@given(st.binary(max_size=40), st.data())
def test_a_stream_that_ends_early_is_noticed(content, data):
    framed = records.frame(content)
    kept = framed[: data.draw(st.integers(1, len(framed) - 1))]
    with pytest.raises(DataError, match="ends inside"):
        list(records.read_frames(io.BytesIO(kept), "shard"))


def test_tensorflow_reads_what_is_written(tmp_path):
    import tensorflow as tf

    example = Example(
        filename="a/b.png",
        encoded=b"\x89PNG",
        format="PNG",
        height=3,
        width=4,
        labels=(1, 5),
        texts=("one", "five"),
        slices={"cell_type": "mono"},
        meta={"defect_probability": 0.25},
    )
    file = tmp_path / "shard"
    file.write_bytes(records.frame(records.encode(example)))
    [serialized] = tf.data.TFRecordDataset(str(file)).as_numpy_iterator()
    features = tf.train.Example.FromString(serialized).features.feature
    assert features["image/encoded"].bytes_list.value[0] == b"\x89PNG"
    assert features["image/sha256"].bytes_list.value[0] == (
        example.sha256.hex().encode()
    )
    assert list(features["image/class/label"].int64_list.value) == [1, 5]
    assert list(features["image/class/text"].bytes_list.value) == [b"one", b"five"]
    assert features["image/height"].int64_list.value[0] == 3
    assert features["slice/cell_type"].bytes_list.value[0] == b"mono"
    assert features["meta/defect_probability"].float_list.value[0] == 0.25
