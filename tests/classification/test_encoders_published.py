"""Published weights: files written in the published layouts, read back, compared, refused, and trained on.

The layouts are written out here, from Google's and Hugging Face's own files; only the numbers are random.
"""

import json
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from zenn.classification.encoders import Shape, build_encoder
from zenn.classification.encoders._torchvision import import_timm, import_transformers
from zenn.classification.encoders.language import LlamaSizes, TextTransformer
from zenn.classification.encoders.lora import Lora
from zenn.classification.encoders.vit import ImageTransformer, ViTSizes, npz_shapes, published_vit
from zenn.errors import InputError
from zenn.given import Given

SIZES = ViTSizes(patch=4, width=24, depth=2, heads=3)
LLAMA = LlamaSizes(40, 32, 2, 4, 2, 48, 16, 0)


def google_arrays(patch, width, depth, heads, side, head=21843, seed=0):
    """What ViT-*.npz of imagenet21k hold: kernels with the input first, queries, keys and values apart."""
    random = np.random.default_rng(seed)

    def draw(*shape):
        return (0.05 * random.standard_normal(shape, np.float32)).astype(np.float32)

    one, inner = width // heads, 4 * width
    arrays = {
        "cls": draw(1, 1, width),
        "embedding/kernel": draw(patch, patch, 3, width),
        "embedding/bias": draw(width),
        "Transformer/posembed_input/pos_embedding": draw(1, 1 + (side // patch) ** 2, width),
        "Transformer/encoder_norm/scale": 1 + draw(width),
        "Transformer/encoder_norm/bias": draw(width),
        "pre_logits/kernel": draw(width, width),
        "pre_logits/bias": draw(width),
        "head/kernel": np.zeros((width, head), np.float32),
        "head/bias": np.zeros(head, np.float32),
    }
    for i in range(depth):
        block = f"Transformer/encoderblock_{i}"
        for norm in ("LayerNorm_0", "LayerNorm_2"):
            arrays[f"{block}/{norm}/scale"], arrays[f"{block}/{norm}/bias"] = 1 + draw(width), draw(width)
        attention = f"{block}/MultiHeadDotProductAttention_1"
        for name in ("query", "key", "value"):
            arrays[f"{attention}/{name}/kernel"] = draw(width, heads, one)
            arrays[f"{attention}/{name}/bias"] = draw(heads, one)
        arrays[f"{attention}/out/kernel"] = draw(heads, one, width)
        arrays[f"{attention}/out/bias"] = draw(width)
        arrays[f"{block}/MlpBlock_3/Dense_0/kernel"] = draw(width, inner)
        arrays[f"{block}/MlpBlock_3/Dense_0/bias"] = draw(inner)
        arrays[f"{block}/MlpBlock_3/Dense_1/kernel"] = draw(inner, width)
        arrays[f"{block}/MlpBlock_3/Dense_1/bias"] = draw(width)
    return arrays


def google_forward(w, pixels, heads):
    """The class token of Google's transformer, in numpy; pixels (B, H, W, 3)."""

    def normed(x, name):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6)
        return x * w[f"{name}/scale"] + w[f"{name}/bias"]

    number, height, _, _ = pixels.shape
    patch = w["embedding/kernel"].shape[0]
    grid = height // patch
    tiles = pixels.reshape(number, grid, patch, grid, patch, 3)
    x = np.einsum("biujvc,uvcd->bijd", tiles, w["embedding/kernel"]) + w["embedding/bias"]
    x = x.reshape(number, grid * grid, -1)
    x = np.concatenate([np.repeat(w["cls"], number, 0), x], 1) + w["Transformer/posembed_input/pos_embedding"]
    for i in range(
        1 + max(int(name.split("_")[-1]) for name in {k.split("/")[1] for k in w if "block_" in k})
    ):
        block = f"Transformer/encoderblock_{i}"
        attention, y = f"{block}/MultiHeadDotProductAttention_1", normed(x, f"{block}/LayerNorm_0")
        q, k, v = (
            np.einsum("btd,dhe->bhte", y, w[f"{attention}/{name}/kernel"])
            + w[f"{attention}/{name}/bias"][:, None]
            for name in ("query", "key", "value")
        )
        scores = np.exp(q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1]))
        mixed = scores / scores.sum(-1, keepdims=True) @ v
        x = x + np.einsum("bhte,hed->btd", mixed, w[f"{attention}/out/kernel"]) + w[f"{attention}/out/bias"]
        y = normed(x, f"{block}/LayerNorm_2") @ w[f"{block}/MlpBlock_3/Dense_0/kernel"]
        y = nn.functional.gelu(torch.from_numpy(y + w[f"{block}/MlpBlock_3/Dense_0/bias"])).numpy()
        x = x + y @ w[f"{block}/MlpBlock_3/Dense_1/kernel"] + w[f"{block}/MlpBlock_3/Dense_1/bias"]
    return normed(x, "Transformer/encoder_norm")[:, 0]


def small_vit():
    return ImageTransformer(SIZES, (12, 12), 3, 5)


@pytest.fixture
def small_npz(tmp_path):
    arrays = google_arrays(4, 24, 2, 3, 12, head=7)
    np.savez(tmp_path / "small.npz", **arrays)
    return tmp_path / "small.npz", arrays


def test_a_vision_transformer_with_googles_weights_is_googles(small_npz):
    path, arrays = small_npz
    model = small_vit().eval()
    model.load_npz(path)
    pixels = np.random.default_rng(1).standard_normal((2, 12, 12, 3)).astype(np.float32)
    token = torch.from_numpy(google_forward(arrays, pixels, 3))
    found = model({"pixels": torch.from_numpy(pixels).permute(0, 3, 1, 2)})
    torch.testing.assert_close(found, model.network.head(token.float()), rtol=1e-4, atol=1e-5)
    assert model.unused_weights == ("head/bias", "head/kernel", "pre_logits/bias", "pre_logits/kernel")


def test_the_head_is_the_models_own(small_npz):
    model = small_vit()
    before = model.network.head.weight.detach().clone()
    model.load_npz(small_npz[0])
    assert torch.equal(model.network.head.weight, before)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ((2, 24, 2, 3, 6), r"embedding/kernel of shape \(2, 2, 3, 24\) for \(4, 4, 3, 24\); expected"),
        ((4, 24, 3, 3, 12), r"encoderblock_2/\S+, which the model lacks; .* 12 more differences"),
        ((4, 24, 1, 3, 12), r"no Transformer/encoderblock_1/"),
        ((4, 24, 2, 3, 16), r"pos_embedding of shape \(1, 17, 24\) for \(1, 10, 24\)"),
        ((4, 24, 2, 2, 12), r"query/kernel of shape \(24, 2, 12\) for \(24, 3, 8\)"),
    ],
)
def test_weights_of_another_vision_transformer_are_refused(tmp_path, other, message):
    """The first three timm itself takes without a word; the model is as it was."""
    np.savez(tmp_path / "other.npz", **google_arrays(*other, head=7))
    model = small_vit()
    before = [parameter.detach().clone() for parameter in model.parameters()]
    with pytest.raises(InputError, match=message.replace("; expected", ", expected")):
        model.load_npz(tmp_path / "other.npz")
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_npz_files_that_cannot_be_used(tmp_path, small_npz):
    path, arrays = small_npz
    broken = tmp_path / "broken.npz"
    with pytest.raises(InputError, match=r"expected a whole \.npz file"):
        npz_shapes(tmp_path / "absent.npz")
    broken.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"expected a whole \.npz file"):
        small_vit().load_npz(broken)
    np.savez(broken, **{**arrays, "cls": np.array([{"a": 1}], dtype=object)})
    with pytest.raises(InputError, match="cls: found object, expected numbers of type float32"):
        small_vit().load_npz(broken)
    with zipfile.ZipFile(broken, "w") as archive:
        archive.writestr("cls.npy", b"no array")
    with pytest.raises(InputError, match=r"expected a whole \.npz file"):
        small_vit().load_npz(broken)
    whole = bytearray(path.read_bytes())
    place = whole.index(arrays["Transformer/encoderblock_1/LayerNorm_0/bias"].tobytes())
    whole[place] ^= 1
    broken.write_bytes(whole)
    with pytest.raises(InputError, match=r"expected a whole \.npz file"):
        small_vit().load_npz(broken)


def test_small_images_are_brought_to_the_size_of_a_published_model():
    """Where all pixels are equal, no matter how they are interpolated."""
    model = ImageTransformer(SIZES, (12, 12), 3, 5, resize=True).eval()
    for side in (4, 24):
        small = torch.tensor([0.3, -0.2, 0.9])[None, :, None, None].expand(2, 3, side, side)
        full = torch.tensor([0.3, -0.2, 0.9])[None, :, None, None].expand(2, 3, 12, 12)
        torch.testing.assert_close(model({"pixels": small}), model({"pixels": full}))


def llama_tensors(sizes, seed=0, dtype=torch.bfloat16):
    """What model.safetensors of SmolLM2 holds; the layer that predicts tokens is tied and not stored."""
    random = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return (0.04 * torch.randn(shape, generator=random)).to(dtype)

    width, kv = sizes.width, sizes.width // sizes.heads * sizes.key_value_heads
    tensors = {
        "model.embed_tokens.weight": draw(sizes.vocabulary, width),
        "model.norm.weight": 1 + draw(width),
    }
    for i in range(sizes.depth):
        block = f"model.layers.{i}"
        for name, rows in (("q_proj", width), ("k_proj", kv), ("v_proj", kv), ("o_proj", width)):
            tensors[f"{block}.self_attn.{name}.weight"] = draw(rows, width)
        for name in ("gate_proj", "up_proj"):
            tensors[f"{block}.mlp.{name}.weight"] = draw(sizes.intermediate, width)
        tensors[f"{block}.mlp.down_proj.weight"] = draw(width, sizes.intermediate)
        for name in ("input_layernorm", "post_attention_layernorm"):
            tensors[f"{block}.{name}.weight"] = 1 + draw(width)
    return tensors


def published_configuration(sizes, **changes):
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": sizes.vocabulary,
        "hidden_size": sizes.width,
        "num_hidden_layers": sizes.depth,
        "num_attention_heads": sizes.heads,
        "num_key_value_heads": sizes.key_value_heads,
        "intermediate_size": sizes.intermediate,
        "max_position_embeddings": sizes.maximum_length,
        "rope_theta": 100000,
        "rms_norm_eps": 1e-05,
        "tie_word_embeddings": True,
        **changes,
    }


@pytest.fixture
def small_folder(tmp_path):
    save_file(llama_tensors(LLAMA), tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(published_configuration(LLAMA)))
    return tmp_path


@pytest.mark.parametrize("lora", [None, Lora(rank=4, dropout=0.0)])
def test_a_language_model_with_published_weights_is_transformers_own(small_folder, lora):
    """Loaded by transformers itself, from the same folder; an adapter begins without effect."""
    model = TextTransformer(LLAMA, 3, small_folder, lora).eval()
    reference = import_transformers().LlamaModel.from_pretrained(small_folder, dtype=torch.float32).eval()
    tokens = torch.randint(1, 40, (2, 9), generator=torch.Generator().manual_seed(3))
    mask = torch.tensor([[1] * 9, [1] * 4 + [0] * 5])
    states = reference(input_ids=tokens, attention_mask=mask).last_hidden_state
    expected = model._base().score(torch.stack([states[0, 8], states[1, 3]]))
    found = model({"input_ids": tokens, "attention_mask": mask})
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert model.unused_weights == ()
    frequencies = 100000.0 ** -(torch.arange(4) / 4)  # of pairs of components, for heads of width 8
    torch.testing.assert_close(model._base().model.rotary_emb.inv_freq, frequencies)


def test_the_layer_that_predicts_tokens_is_left_out_where_it_is_stored(small_folder):
    tensors = llama_tensors(LLAMA)
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].clone()
    save_file(tensors, small_folder / "model.safetensors")
    assert TextTransformer(LLAMA, 3, small_folder).unused_weights == ("lm_head.weight",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"depth": 3}, r"model\.layers\.2\.\S+, which the model lacks"),
        ({"depth": 1}, r"no model\.layers\.1\."),
        ({"vocabulary": 39}, r"embed_tokens\.weight of shape \(39, 32\) for \(40, 32\)"),
        ({"key_value_heads": 4}, r"k_proj\.weight of shape \(32, 32\) for \(16, 32\)"),
    ],
)
def test_weights_of_another_language_model_are_refused(tmp_path, changes, message):
    other = LlamaSizes(**{**LLAMA.__dict__, **changes})
    save_file(llama_tensors(other), tmp_path / "model.safetensors")
    with pytest.raises(InputError, match=message):
        TextTransformer(LLAMA, 3, tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rope_theta": 10000.0}, "rope_theta: found 10000.0, expected 100000.0"),  # SmolLM, the first one
        ({"num_attention_heads": 8}, "num_attention_heads: found 8, expected 4"),
        ({"model_type": "gpt2"}, "model_type: found gpt2, expected llama"),
    ],
)
def test_weights_that_only_their_description_tells_apart_are_refused(small_folder, changes, message):
    (small_folder / "config.json").write_text(json.dumps(published_configuration(LLAMA, **changes)))
    with pytest.raises(InputError, match=message):
        TextTransformer(LLAMA, 3, small_folder)


def test_folders_that_cannot_be_used(tmp_path, small_folder):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="expected a whole safetensors file"):
        TextTransformer(LLAMA, 3, empty)
    (small_folder / "config.json").write_text("{")
    with pytest.raises(InputError, match="expected JSON"):
        TextTransformer(LLAMA, 3, small_folder)
    (small_folder / "config.json").unlink()
    weights = small_folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    with pytest.raises(InputError, match="expected a whole safetensors file"):
        TextTransformer(LLAMA, 3, small_folder)


B32 = {
    "kind": "vit",
    "model": "vit_base_patch32_224",
    "weights": "published",
    "drop_path": 0.1,
    "dropout": 0.0,
}
SMOLLM2 = {
    "kind": "language",
    "model": "SmolLM2-135M",
    "weights": "published",
    "fine_tune": {
        "method": "lora",
        "rank": 8,
        "alpha": 16,
        "dropout": 0.1,
        "target_modules": ["q_proj", "v_proj"],
    },
}
CIFAR = Shape("images", 10, 32, 32, 3)
NEWS = Shape("texts", 5, vocabulary=49152, padding=0, maximum_length=512)


@pytest.mark.parametrize(
    ("params", "shape", "message"),
    [
        ({**B32, "weights": "random"}, Shape("images", 10, 32, 32, 1), "channels: found 1, expected 3"),
        (B32, CIFAR, "weights: found no file"),
        (SMOLLM2, NEWS, "weights: found no file"),
        (SMOLLM2, Shape("texts", 5, 0, 0, 0, 50000, 0, 512), "found a vocabulary of 50000 with padding 0"),
        (SMOLLM2, Shape("texts", 5, 0, 0, 0, 49152, 2, 512), "found a vocabulary of 49152 with padding 2"),
        (SMOLLM2, Shape("texts", 5, 0, 0, 0, 49152, 0, 8193), "found a text of 8193 tokens"),
    ],
)
def test_data_that_a_published_model_cannot_take(params, shape, message):
    with torch.device("meta"), pytest.raises(InputError, match=message):
        build_encoder(Given(params), shape)


def test_random_weights_have_to_be_asked_for(tmp_path):
    with torch.device("meta"):
        build_encoder(Given({**B32, "weights": "random"}), CIFAR)
        with pytest.raises(InputError, match="found weights, expected none"):
            build_encoder(Given({**B32, "weights": "random"}), CIFAR, tmp_path)


@pytest.mark.parametrize("name", ["vit_base_patch32_224", "vit_large_patch32_224", "vit_large_patch16_224"])
def test_published_vision_transformers_are_timms_of_that_name(name):
    with torch.device("meta"):
        ours, theirs = (
            published_vit(name, 7).network,
            import_timm().create_model(name, pretrained=False, num_classes=7),
        )
    assert [(key, value.shape) for key, value in ours.state_dict().items()] == [
        (key, value.shape) for key, value in theirs.state_dict().items()
    ]
    assert str(ours) == str(theirs)


def two_steps(params, shape, weights, batch):
    """Two steps of Algorithm 1's loss at N_T = 1, z = S - S²/25 - E, with an encoder each for E and S."""
    torch.manual_seed(0)
    energy, entropy = (build_encoder(Given(params), shape, weights) for _ in range(2))
    learned = [p for model in (energy, entropy) for p in model.parameters() if p.requires_grad]
    first = [p.detach().clone() for p in learned]
    optimiser = torch.optim.SGD(learned, lr=1e-2)
    losses = []
    for _ in range(2):
        optimiser.zero_grad()
        S = entropy(batch)
        loss = nn.functional.cross_entropy(S - S.square() / 25 - energy(batch), torch.tensor([0, 3]))
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert np.isfinite(losses).all()
    moved = [not torch.equal(a, b) for a, b in zip(first, learned, strict=True)]
    assert np.mean(moved) > 0.9  # a bias of keys has no gradient; a dropped path has none either
    return energy, len(learned)


def test_vit_b32_trains_at_full_size_from_an_npz_in_the_published_layout(tmp_path):
    arrays = google_arrays(32, 768, 12, 12, 224, head=10)
    np.savez(tmp_path / "ViT-B_32.npz", **arrays)
    batch = {"pixels": torch.randn(2, 3, 32, 32)}
    model, learned = two_steps(B32, CIFAR, tmp_path / "ViT-B_32.npz", batch)
    assert learned == 2 * 152
    assert sum(p.numel() for p in model.parameters()) == 87462922
    with torch.device("meta"), pytest.raises(InputError, match="another architecture"):
        published_vit("vit_large_patch32_224", 10, tmp_path / "ViT-B_32.npz")
    (tmp_path / "ViT-B_32.npz").unlink()  # pytest would keep it


def test_smollm2_135m_trains_at_full_size_from_safetensors_in_the_published_layout(tmp_path):
    sizes = LlamaSizes(49152, 576, 30, 9, 3, 1536, 8192, 0)
    save_file(llama_tensors(sizes), tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(published_configuration(sizes)))
    mask = torch.ones(2, 16, dtype=torch.int64)
    mask[1, 9:] = 0
    batch = {"input_ids": torch.randint(1, 49152, (2, 16)) * mask, "attention_mask": mask}
    model, learned = two_steps(SMOLLM2, NEWS, tmp_path, batch)
    assert learned == 2 * (30 * 4 + 1)
    base = model._base().model.embed_tokens.weight
    assert torch.equal(base, llama_tensors(sizes)["model.embed_tokens.weight"].float())
    (tmp_path / "model.safetensors").unlink()  # pytest would keep it
