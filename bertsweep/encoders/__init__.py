"""Any pre-trained BERT → one folder that the native encoder is built from."""

from bertsweep.encoders.prepared import EncoderConfig, PreparedEncoder
from bertsweep.encoders.sources import prepare

__all__ = ["EncoderConfig", "PreparedEncoder", "prepare"]
