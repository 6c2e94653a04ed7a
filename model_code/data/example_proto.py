"""The message `tf.train.Example`, without TensorFlow.

Built from its definition (tensorflow/core/example/{example,feature}.proto) in a
pool of its own, so that it does not collide with TensorFlow's where that is
imported too. Importing TensorFlow for it would cost 5 s. Unlike tfx_bsl's
encoder, protobuf can serialise maps in a fixed order, and equal examples must
be equal bytes.
"""

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Field = descriptor_pb2.FieldDescriptorProto
_FILE = "tensorflow/core/example/example.proto"


@cache
def example_class() -> Any:
    """The class of `tf.train.Example` messages."""
    pool = descriptor_pool.DescriptorPool()
    pool.Add(_definition())
    example = pool.FindMessageTypeByName("tensorflow.Example")
    return message_factory.GetMessageClass(example)


def _definition() -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name=_FILE, package="tensorflow", syntax="proto3"
    )
    for name, kind in (
        ("BytesList", _Field.TYPE_BYTES),
        ("FloatList", _Field.TYPE_FLOAT),
        ("Int64List", _Field.TYPE_INT64),
    ):
        value = file.message_type.add(name=name).field.add(
            name="value", number=1, type=kind, label=_Field.LABEL_REPEATED
        )
        if kind != _Field.TYPE_BYTES:
            value.options.packed = True
    feature = file.message_type.add(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, name in enumerate(("bytes_list", "float_list", "int64_list"), start=1):
        kind = "".join(word.capitalize() for word in name.split("_"))
        _add_message(feature, name, number, kind).oneof_index = 0
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    entry.field.add(
        name="key", number=1, type=_Field.TYPE_STRING, label=_Field.LABEL_OPTIONAL
    )
    _add_message(entry, "value", 2, "Feature")
    _add_message(
        features, "feature", 1, "Features.FeatureEntry"
    ).label = _Field.LABEL_REPEATED
    _add_message(file.message_type.add(name="Example"), "features", 1, "Features")
    return file


def _add_message(message: Any, name: str, number: int, kind: str) -> Any:
    return message.field.add(
        name=name,
        number=number,
        type=_Field.TYPE_MESSAGE,
        type_name=f".tensorflow.{kind}",
        label=_Field.LABEL_OPTIONAL,
    )
