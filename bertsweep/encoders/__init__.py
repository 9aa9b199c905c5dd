"""Any pre-trained BERT encoder → one folder that the native encoder is built from, without TensorFlow."""

from bertsweep.encoders.prepared import EncoderConfig, PreparedEncoder
from bertsweep.encoders.sources import prepare

__all__ = ["EncoderConfig", "PreparedEncoder", "prepare"]
