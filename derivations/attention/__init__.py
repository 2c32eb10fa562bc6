"""Attention, embeddings, unit vectors, rotary positions and recurrent cells, beyond the lectures."""

from __future__ import annotations

from .cells import (
    gru_cell_gradients,
    lstm_cell_gradients,
    rnn_cell_gradients,
)
from .dot_product import (
    attention_scores_have_gradients_that_sum_to_zero,
    attention_weights_sum_to_one,
    cosine_similarity_gradients,
    embedding_vjp,
    rotary_positions,
    scaled_dot_product_attention,
    scaled_dot_product_attention_vjp,
    unit_vectors,
)

__all__ = [
    "scaled_dot_product_attention",
    "attention_weights_sum_to_one",
    "scaled_dot_product_attention_vjp",
    "attention_scores_have_gradients_that_sum_to_zero",
    "embedding_vjp",
    "unit_vectors",
    "cosine_similarity_gradients",
    "rotary_positions",
    "rnn_cell_gradients",
    "lstm_cell_gradients",
    "gru_cell_gradients",
]
