"""Vision transformers of timm: the published ones with Google's ImageNet-21k weights, and scaled-down ones.

The weights are those of https://storage.googleapis.com/vit_models/imagenet21k/, one .npz per model; they were
trained on pixels of mean and standard deviation 0.5 per channel, and so are the inputs to be normalised.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from torch import Tensor, nn

from zenn.classification.encoders._torchvision import import_timm
from zenn.classification.encoders._weights import Shapes, refuse_differences
from zenn.errors import InputError

PUBLISHED_MEAN = PUBLISHED_STD = (0.5, 0.5, 0.5)
"""What pixels in [0, 1] were normalised with when the published weights were trained."""

PUBLISHED_SIZE = 224
"""Height and width of the images that the published models see."""

_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError),
    *(SyntaxError, TokenError, TypeError, MemoryError),  # numpy reads a header as Python's literals
    RuntimeError,  # a password, a compression that is not known, a header nested too deeply
)
"""What an .npz that is damaged leads to."""

UNUSED = ("head/", "pre_logits/")
"""Layers of a weight file that a classifier of other classes leaves out, as Google's own fine-tuning does."""


@dataclass(frozen=True)
class ViTSizes:
    """Side of a patch, width of a token, number of blocks and of attention heads in each."""

    patch: int
    width: int
    depth: int
    heads: int


PUBLISHED = {
    "vit_base_patch32_224": ViTSizes(32, 768, 12, 12),
    "vit_large_patch32_224": ViTSizes(32, 1024, 24, 16),
    "vit_large_patch16_224": ViTSizes(16, 1024, 24, 16),
}


class ImageTransformer(nn.Module):
    """A vision transformer whose class token is read by a linear layer, one output per class.

    image_size : height and width of the images it sees. `resize` : images of another size are brought to it
    (bilinear, smoothed where they shrink) and not refused; so 32 x 32 images need no storage at 224 x 224.
    dropout : after the position embedding, attention and both layers of each perceptron; drop_path : of the
    last block, rising linearly from 0 at the first.

    Raises
    ------
    InputError : the patch does not divide the image, or the heads the width.
    """

    def __init__(
        self,
        sizes: ViTSizes,
        image_size: tuple[int, int],
        channels: int,
        classes: int,
        *,
        dropout: float = 0.0,
        drop_path: float = 0.0,
        resize: bool = False,
    ) -> None:
        super().__init__()
        for name, side in zip(("height", "width"), image_size, strict=True):
            if sizes.patch < 1 or side % sizes.patch or not side:
                found, expected = f"{side} pixels", f"a multiple of the patch, which has {sizes.patch}"
                raise InputError("images", name, found, expected)
        _check(sizes)
        import_timm()
        from timm.models.vision_transformer import VisionTransformer

        self.sizes, self.image_size, self.channels, self.resize = sizes, image_size, channels, resize
        self.unused_weights: tuple[str, ...] = ()
        self.network: nn.Module = VisionTransformer(
            img_size=image_size,
            patch_size=sizes.patch,
            in_chans=channels,
            num_classes=classes,
            embed_dim=sizes.width,
            depth=sizes.depth,
            num_heads=sizes.heads,
            pos_drop_rate=dropout,
            proj_drop_rate=dropout,
            drop_path_rate=drop_path,
        )

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """(B, classes) of normalised `pixels` (B, C, H, W).

        Raises
        ------
        InputError : the images have other channels, or another size and `resize` is off.
        """
        pixels = batch["pixels"]
        channels, *size = pixels.shape[1:]
        if channels != self.channels:
            raise InputError("a batch of images", "pixels", f"{channels} channels", f"{self.channels}")
        if tuple(size) != self.image_size:
            if not self.resize:
                expected = " x ".join(map(str, self.image_size))
                raise InputError("a batch of images", "pixels", f"{size[0]} x {size[1]}", expected)
            pixels = nn.functional.interpolate(pixels, self.image_size, mode="bilinear", antialias=True)
        values: Tensor = self.network(pixels)
        return values

    def load_npz(self, path: Path) -> None:
        """Take the weights of one of Google's .npz files, not its head; `unused_weights` names what is left.

        Names and shapes are compared first: timm's loader would resample another patch size or another
        number of tokens, leave out the blocks that the model lacks, and say nothing.

        Raises
        ------
        InputError : the file cannot be read, or is that of another model.
        """
        found = npz_shapes(path)
        unused = {name for name in found if name.startswith(UNUSED)}
        kept = {name: shape for name, shape in found.items() if name not in unused}
        refuse_differences(path, kept, self.npz_layout())
        try:
            self.network.load_pretrained(str(path))  # type: ignore[operator]  # timm's, for .npz
        except _BROKEN as error:
            raise InputError(path, "", error, "a whole .npz file") from None
        self.unused_weights = tuple(sorted(unused))

    def npz_layout(self) -> Shapes:
        """Names and shapes of this model's parameters in Google's files, without the head's."""
        width, heads, patch = self.sizes.width, self.sizes.heads, self.sizes.patch
        tokens = 1 + (self.image_size[0] // patch) * (self.image_size[1] // patch)
        layout: Shapes = {
            "cls": (1, 1, width),
            "embedding/kernel": (patch, patch, self.channels, width),
            "embedding/bias": (width,),
            "Transformer/posembed_input/pos_embedding": (1, tokens, width),
            "Transformer/encoder_norm/scale": (width,),
            "Transformer/encoder_norm/bias": (width,),
        }
        one_head, inner = (heads, width // heads), 4 * width
        for i in range(self.sizes.depth):
            block = f"Transformer/encoderblock_{i}"
            attention = f"{block}/MultiHeadDotProductAttention_1"
            for norm in ("LayerNorm_0", "LayerNorm_2"):
                layout |= {f"{block}/{norm}/scale": (width,), f"{block}/{norm}/bias": (width,)}
            for name in ("query", "key", "value"):
                layout |= {
                    f"{attention}/{name}/kernel": (width, *one_head),
                    f"{attention}/{name}/bias": one_head,
                }
            layout |= {
                f"{attention}/out/kernel": (*one_head, width),
                f"{attention}/out/bias": (width,),
                f"{block}/MlpBlock_3/Dense_0/kernel": (width, inner),
                f"{block}/MlpBlock_3/Dense_0/bias": (inner,),
                f"{block}/MlpBlock_3/Dense_1/kernel": (inner, width),
                f"{block}/MlpBlock_3/Dense_1/bias": (width,),
            }
        return layout


def published_vit(
    name: str,
    classes: int,
    weights: Path | None = None,
    *,
    channels: int = 3,
    dropout: float = 0.0,
    drop_path: float = 0.0,
) -> ImageTransformer:
    """A model of `PUBLISHED` with a new head, on the weights of an .npz file or on random ones.

    Raises
    ------
    InputError : the images have other than three channels; the file is not that of this model.
    """
    if channels != 3:
        raise InputError("images", "channels", channels, f"3, which {name} was made for")
    size = (PUBLISHED_SIZE, PUBLISHED_SIZE)
    options: dict[str, Any] = {"dropout": dropout, "drop_path": drop_path, "resize": True}
    model = ImageTransformer(PUBLISHED[name], size, channels, classes, **options)
    if weights is not None:
        model.load_npz(weights)
    return model


def npz_shapes(path: Path) -> Shapes:
    """Names and shapes of the arrays of an .npz file, from their headers alone.

    Raises
    ------
    InputError : it cannot be read, is cut, or holds something else than arrays of float32.
    """
    try:
        return dict(_npz_headers(path))
    except _BROKEN as error:
        raise InputError(path, "", error, "a whole .npz file") from None


def _npz_headers(path: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            name = member.removesuffix(".npy")
            with archive.open(member) as file:
                version = np.lib.format.read_magic(file)
                if version == (1, 0):
                    shape, _, kind = np.lib.format.read_array_header_1_0(file)
                else:
                    shape, _, kind = np.lib.format.read_array_header_2_0(file)
            if kind != np.float32:
                raise InputError(path, name, kind, "numbers of type float32")
            yield name, shape


def _check(sizes: ViTSizes) -> None:
    if min(sizes.width, sizes.depth, sizes.heads) < 1 or sizes.width % sizes.heads:
        found = f"{sizes.width} with depth {sizes.depth} and {sizes.heads} heads"
        raise InputError("encoder", "width", found, "a multiple of the heads, all of them 1 or more")
