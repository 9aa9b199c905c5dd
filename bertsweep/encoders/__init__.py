"""Pre-trained BERT encoders of every source, prepared as one folder from which a model is built."""

from bertsweep.encoders.config import EncoderConfig
from bertsweep.encoders.prepared import PreparedEncoder
from bertsweep.encoders.sources import absolute, encoder_at_hand, prepare_encoder

__all__ = ["EncoderConfig", "PreparedEncoder", "absolute", "encoder_at_hand", "prepare_encoder"]
