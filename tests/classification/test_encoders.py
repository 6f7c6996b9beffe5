"""Encoders of a small size: against torch's and transformers' own modules, and what each refuses."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from zenn.classification.data import DataSet, Split
from zenn.classification.encoders import Shape, build_encoder
from zenn.errors import InputError
from zenn.given import Given

IMAGES = Shape("images", 10, 8, 8, 1)
TEXTS = Shape("texts", 4, vocabulary=50, padding=1, maximum_length=12)
ADAPTER = {"method": "lora", "rank": 4, "alpha": 8, "dropout": 0.0, "target_modules": ["q_proj", "v_proj"]}
MLP = {"kind": "mlp", "hidden": [16, 12], "dropout": 0.0}
VIT = {
    "kind": "vit",
    "model": "scaled",
    "patch": 2,
    "width": 32,
    "depth": 2,
    "heads": 2,
    "dropout": 0.0,
    "drop_path": 0.0,
}
LANGUAGE = {
    "kind": "language",
    "model": "scaled",
    "width": 32,
    "depth": 2,
    "heads": 4,
    "key_value_heads": 2,
    "intermediate": 48,
    "fine_tune": {"method": "all"},
}
LORA = {**LANGUAGE, "fine_tune": ADAPTER}


def encoder(params, shape, seed=0):
    torch.manual_seed(seed)
    given = Given(params)
    made = build_encoder(given, shape)
    given.refuse_unused()
    return made


def images(number=5, shape=(1, 8, 8)):
    return {"pixels": torch.randn(number, *shape, generator=torch.Generator().manual_seed(1))}


def texts(lengths=(12, 7, 1), width=12, padding=1):
    random = torch.Generator().manual_seed(2)
    tokens = torch.randint(2, 50, (len(lengths), width), generator=random)
    mask = (torch.arange(width) < torch.tensor(lengths)[:, None]).long()
    return {"input_ids": torch.where(mask == 1, tokens, padding), "attention_mask": mask}


EVERY = [(MLP, IMAGES), (VIT, IMAGES), (MLP, TEXTS), (LANGUAGE, TEXTS), (LORA, TEXTS)]


@pytest.mark.parametrize(("params", "shape"), EVERY)
def test_every_class_gets_a_number_and_all_that_learns_a_gradient(params, shape):
    model = encoder(params, shape)
    found = model(images() if shape.kind == "images" else texts())
    assert found.dtype == torch.float32
    assert found.shape == ((5, 10) if shape.kind == "images" else (3, 4))
    found.square().sum().backward()
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    assert learned
    assert all(parameter.grad is not None for parameter in learned)


@pytest.mark.parametrize(("params", "shape"), EVERY)
def test_the_same_seed_gives_the_same_encoder_and_another_seed_another(params, shape):
    first, again, other = (encoder(params, shape, seed) for seed in (3, 3, 4))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert any(not torch.equal(a, b) for a, b in zip(first.parameters(), other.parameters(), strict=True))


def test_the_shape_of_a_data_set():
    def split(inputs, number):
        return Split(inputs, np.zeros(number, np.int64))

    pixels = {"pixels": np.zeros((3, 6, 4, 2), np.uint8)}
    pictures = DataSet(
        "p", "images", ("a", "b"), *[split(pixels, 3)] * 3, (0.5,) * 2, (0.5,) * 2, 0, 0, (), {}
    )
    assert Shape.of(pictures) == Shape("images", 2, 6, 4, 2)

    def words(longest):
        return split({"input_ids": np.ones((2, longest), np.int32), "lengths": np.ones(2, np.int32)}, 2)

    corpus = DataSet("t", "texts", ("a", "b", "c"), words(5), words(9), words(3), (), (), 70, 1, (), {})
    assert Shape.of(corpus) == Shape("texts", 3, vocabulary=70, padding=1, maximum_length=9)


def test_a_perceptron_is_torchs_own_layers():
    model, batch = encoder(MLP, IMAGES), images()
    linears = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    assert [layer.out_features for layer in linears] == [16, 12, 10]
    x = batch["pixels"].reshape(5, 64)
    for layer in linears[:-1]:
        x = nn.functional.gelu(layer(x))
    torch.testing.assert_close(model(batch), linears[-1](x))


def test_a_bag_of_words_is_the_mean_of_the_words_that_are_no_padding():
    model, batch = encoder(MLP, TEXTS), texts()
    bag = nn.functional.embedding_bag(
        torch.cat([ids[mask == 1] for ids, mask in zip(*batch.values(), strict=True)]),
        model.embedding.weight,
        torch.tensor([0, 12, 19]),
        mode="mean",
    )
    torch.testing.assert_close(model(batch), model.layers(bag))


@pytest.mark.parametrize("params", [MLP, LANGUAGE, LORA])
def test_padding_changes_nothing(params):
    model, short = encoder(params, TEXTS).eval(), texts((5, 5), 5)
    longer = {
        "input_ids": torch.cat([short["input_ids"], torch.ones(2, 7, dtype=torch.int64)], 1),
        "attention_mask": torch.cat([short["attention_mask"], torch.zeros(2, 7, dtype=torch.int64)], 1),
    }
    torch.testing.assert_close(model(longer), model(short))


def test_a_language_model_reads_where_transformers_reads():
    """As long as no text holds the token for padding; where one does, its last token still counts."""
    model, batch = encoder(LANGUAGE, TEXTS).eval(), texts()
    torch.testing.assert_close(model(batch), model.model(**batch).logits)
    batch["input_ids"][1, 6] = 1  # the last of seven tokens, the end of the text
    other = {**batch, "input_ids": batch["input_ids"].clone()}
    other["input_ids"][1, 6] = 9
    assert not torch.allclose(model(batch)[1], model(other)[1])


def test_an_adapter_and_the_head_learn_and_nothing_else_does():
    model = encoder(LORA, TEXTS)
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(2):  # the factor B begins at 0: A has no gradient in the first step
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(texts()), torch.tensor([0, 1, 2])).backward()
        optimiser.step()
    changed = {name for name, value in model.named_parameters() if not torch.equal(value, before[name])}
    assert len(changed) == 2 * 2 * 2 + 1  # A and B of q and v of two blocks, and the head
    assert all("lora_" in name or "score.modules_to_save" in name for name in changed)


def test_an_adapter_adds_alpha_over_rank_times_b_a():
    """The same model with the product added to its weights by hand gives the same numbers."""
    model, random = encoder(LORA, TEXTS).eval(), torch.Generator().manual_seed(5)
    state = model.state_dict()
    plain = encoder(LANGUAGE, TEXTS).eval()
    target = plain.state_dict()
    for name, value in target.items():
        inner = "model.base_model.model." + name.removeprefix("model.")
        stem = inner.removesuffix(".weight")
        if f"{stem}.lora_A.default.weight" in state:
            factor = state[f"{stem}.lora_B.default.weight"]
            factor.copy_(torch.randn(factor.shape, generator=random))  # in place: the model has it too
            product = factor @ state[f"{stem}.lora_A.default.weight"]
            value.copy_(state[f"{stem}.base_layer.weight"] + 8 / 4 * product)
        else:
            saved = f"{stem}.modules_to_save.default.weight"
            value.copy_(state[saved if saved in state else inner])
    torch.testing.assert_close(model(texts()), plain(texts()), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(model(texts()), encoder(LORA, TEXTS).eval()(texts()))


def test_two_encoders_with_adapters_learn_at_once():
    """Two adapters on one base would not: peft turns the gradients of the one that is not active off."""
    energy, entropy = encoder(LORA, TEXTS, 0), encoder(LORA, TEXTS, 1)
    (energy(texts()) - entropy(texts())).square().sum().backward()
    for model in (energy, entropy):
        heads = [p for name, p in model.named_parameters() if "lora_B" in name]
        assert all(float(head.grad.abs().sum()) > 0 for head in heads)


def test_drop_path_and_dropout_act_in_training_only():
    model = encoder({**VIT, "drop_path": 0.5, "dropout": 0.2}, IMAGES)
    torch.manual_seed(0)
    assert not torch.equal(model(images()), model(images()))
    model.eval()
    assert torch.equal(model(images()), model(images()))


@pytest.mark.parametrize(
    ("params", "shape", "message"),
    [
        (
            {**VIT, "patch": 3},
            IMAGES,
            "height: found 8 pixels, expected a multiple of the patch",
        ),
        ({**VIT, "heads": 3}, IMAGES, "width: found 32 with depth 2 and 3 heads, expected a multiple"),
        (VIT, TEXTS, "kind: found an encoder of images, expected one of texts"),
        (LANGUAGE, IMAGES, "kind: found an encoder of texts, expected one of images"),
        ({**LANGUAGE, "heads": 3}, TEXTS, "width: found 32, expected a multiple of twice the heads"),
        ({**LANGUAGE, "key_value_heads": 3}, TEXTS, "key_value_heads: found 3, expected a divisor"),
        ({**LANGUAGE, "depth": 0}, TEXTS, "sizes of 1 or more"),
        ({**LORA, "fine_tune": {**ADAPTER, "rank": 0}}, TEXTS, "rank: found 0"),
        ({**LORA, "fine_tune": {**ADAPTER, "target_modules": ["query"]}}, TEXTS, r"found \['query'\]"),
        ({**LORA, "fine_tune": {**ADAPTER, "target_modules": []}}, TEXTS, "target_modules: found none"),
        ({**LORA, "fine_tune": {"method": "prefix"}}, TEXTS, "fine_tune.method: found 'prefix'"),
        ({**MLP, "hidden": [0]}, IMAGES, "hidden: found"),
        ({**MLP, "dropout": 1.0}, IMAGES, "dropout: found 1.0"),
        ({**MLP, "kind": "cnn"}, IMAGES, "kind: found 'cnn'"),
        ({**VIT, "model": "vit_huge"}, IMAGES, "model: found 'vit_huge'"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(params, shape, message):
    with pytest.raises(InputError, match=message):
        encoder(params, shape)


def test_weights_for_an_encoder_without_published_ones_are_refused(tmp_path):
    for params, shape in EVERY:
        with pytest.raises(InputError, match="found weights, expected none"):
            build_encoder(Given(params), shape, tmp_path)


def test_batches_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="found 3 channels, expected 1"):
        encoder(VIT, IMAGES)(images(shape=(3, 8, 8)))
    with pytest.raises(InputError, match="found 6 x 8, expected 8 x 8"):
        encoder(VIT, IMAGES)(images(shape=(1, 6, 8)))
    with pytest.raises(InputError, match="found 13 tokens, expected at most 12"):
        encoder(LANGUAGE, TEXTS)(texts(width=13))
    left = texts()
    left["attention_mask"] = left["attention_mask"].flip(1)
    for params in (MLP, LANGUAGE):
        with pytest.raises(InputError, match="row 1: found no token at all"):
            encoder(params, TEXTS)(texts((5, 0)))
        with pytest.raises(InputError, match="row 1: found padding before the text"):
            encoder(params, TEXTS)(left)


def test_the_libraries_are_imported_only_where_they_are_used():
    code = (
        "import sys, zenn.classification.encoders, zenn.classification.encoders.counts;"
        "print(sorted({'timm', 'torchvision', 'transformers', 'peft'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_libraries_are_imported_beside_any_torchvision():
    """In a process of its own, where nobody has mended torchvision yet; twice is as good as once."""
    code = (
        "from zenn.classification.encoders import _torchvision as mending;"
        "mending.mend_torchvision(); mending.mend_torchvision();"
        "names = [mending.import_peft(), mending.import_timm(), mending.import_transformers()];"
        "import torchvision; print([module.__name__ for module in names])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['peft', 'timm', 'transformers']"
