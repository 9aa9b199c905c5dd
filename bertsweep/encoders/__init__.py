"""Any pre-trained BERT → one folder that the native encoder is built from."""

from bertsweep.encoders.config import EncoderConfig
from bertsweep.encoders.prepared import PreparedEncoder
from bertsweep.encoders.sources import absolute, prepare_encoder

__all__ = ["EncoderConfig", "PreparedEncoder", "absolute", "prepare_encoder"]
