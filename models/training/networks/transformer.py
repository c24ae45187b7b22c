"""The full model: a causal transformer over the hours of the window, beside an additive path.

Attention knows only how far back an hour lies, never where in the window it stands, and padding is masked, so the
hidden state of an hour is the same whether the window ends there or later. One pass over a stay therefore trains (and
labels for the student) every hour. The additive path says what a sum over columns can say, so that attention is left
with what it cannot: which columns move together, in which order, from which baseline (a wide and a deep part: Cheng et
al. 2016).
"""

import math

import torch
from torch import Tensor, nn

from models.training.columns import WINDOW_H
from models.training.networks.additive import AdditiveModel
from models.training.networks.preparation import Prepared
from models.training.networks.trend import INPUT_COUNT, TrendFeatures

WIDTH = 128
LAYERS = 4
HEADS = 4
FEED_FORWARD = 256
MASKED = -1e4


class Transformer(nn.Module):
    """Prepared tensors to a logit, of the last hour when serving, of every hour when training."""

    causal: Tensor
    itself: Tensor

    def __init__(self, *, width: int = WIDTH, layers: int = LAYERS, heads: int = HEADS, dropout: float = 0.1) -> None:
        """Build `layers` blocks of `width`."""
        super().__init__()
        self.trend = TrendFeatures(hours=WINDOW_H)
        self.additive = AdditiveModel(dropout=0.0)
        self.embed = nn.Linear(INPUT_COUNT, width)
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 1)
        hour = torch.arange(WINDOW_H)
        distance = hour[:, None] - hour[None, :]
        self.register_buffer("causal", (distance >= 0).to(torch.float32))
        self.register_buffer("itself", (distance == 0).to(torch.float32))

    def forward(self, prepared: Prepared) -> Tensor:
        """Return the logit of the window's last hour, [N, 1]."""
        features = self.trend(prepared)
        hidden, visible = self._tokens(features, prepared)
        for block in self.blocks[:-1]:
            hidden = block(hidden, hidden, visible)
        hidden = self.blocks[-1](hidden[:, -1:], hidden, visible[:, :, -1:])
        return self.head(self.norm(hidden))[:, 0] + self.additive(features[:, -1])

    def every_hour(self, prepared: Prepared) -> Tensor:
        """Return the logit of each hour given only what came before it, [N, 48]."""
        features = self.trend(prepared)
        hidden, visible = self._tokens(features, prepared)
        for block in self.blocks:
            hidden = block(hidden, hidden, visible)
        return self.head(self.norm(hidden))[:, :, 0] + self.additive(features.flatten(0, 1)).reshape(-1, WINDOW_H)

    def _tokens(self, features: Tensor, prepared: Prepared) -> tuple[Tensor, Tensor]:
        tokens = self.embed(features.flatten(2))
        # Padding rows must not be attended to; every row may always see itself, so that no row is without a key.
        visible = torch.maximum(self.causal * prepared.begun[:, None, :], self.itself)
        return tokens, ((1.0 - visible) * MASKED)[:, None]


class Block(nn.Module):
    """Pre-norm attention with a learned bias per head and distance, then a feed-forward layer."""

    distance: Tensor

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        """Build one block."""
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(width)
        self.norm_feed_forward = nn.LayerNorm(width)
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.merge = nn.Linear(width, width)
        self.feed_forward = nn.Sequential(nn.Linear(width, FEED_FORWARD), nn.GELU(), nn.Linear(FEED_FORWARD, width))
        self.dropout = nn.Dropout(dropout)
        slopes = torch.tensor([2.0 ** -(1 + 5 * head / heads) for head in range(heads)])
        self.bias = nn.Parameter(-slopes[:, None] * torch.arange(WINDOW_H)[None, :])
        hour = torch.arange(WINDOW_H)
        self.register_buffer("distance", (hour[:, None] - hour[None, :]).clamp(min=0))

    def forward(self, asking: Tensor, context: Tensor, mask: Tensor) -> Tensor:
        """Update the rows `asking` [N, q, width], the last q of `context` [N, 48, width].

        `mask` [N, 1, q, 48] is added to the attention scores.
        """
        batch, rows, width = asking.shape
        each = width // self.heads
        normed = self.norm_attention(context)
        query = self.query(normed[:, WINDOW_H - rows :]).reshape(batch, rows, self.heads, each).transpose(1, 2)
        key, value = (
            self.key_value(normed).reshape(batch, WINDOW_H, 2, self.heads, each).permute(2, 0, 3, 1, 4).unbind(0)
        )
        bias = self.bias[:, self.distance[WINDOW_H - rows :]]
        scores = torch.matmul(query, key.transpose(2, 3)) / math.sqrt(each) + bias + mask
        mixed = torch.matmul(scores.softmax(dim=3), value).transpose(1, 2).reshape(batch, rows, width)
        hidden = asking + self.dropout(self.merge(mixed))
        return hidden + self.dropout(self.feed_forward(self.norm_feed_forward(hidden)))
