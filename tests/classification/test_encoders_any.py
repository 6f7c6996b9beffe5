"""Any model of timm and transformers: against the libraries' own, and what is refused."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.classification.own_models import DECODERS, SIZES, configuration, published
from zenn.classification.encoders import Shape, build_encoder
from zenn.classification.encoders._torchvision import import_timm, import_transformers
from zenn.classification.encoders.timm_model import timm_model
from zenn.classification.encoders.transformers_model import longest_text, lora_targets, plain_configuration
from zenn.errors import InputError
from zenn.given import Given

IMAGES = Shape("images", 3, 12, 10, 3)
TEXTS = Shape("texts", 3, vocabulary=75, padding=0, maximum_length=9)
TIMM = {
    "kind": "timm",
    "model": "test_resnet.r160_in1k",
    "size": [32, 32],
    "options": {},
    "weights": "random",
}


def built(params, shape, weights=None, seed=0):
    """What `build_encoder` makes of parameters that went through a file, all of them asked for."""
    torch.manual_seed(seed)
    given = Given(json.loads(json.dumps(params)))
    if weights is not None:
        given = Given({**given.values, "weights": "published"})
    made = build_encoder(given, shape, weights)
    given.refuse_unused()
    return made


def of_texts(kind, lora=None, **changes):
    tuned = {"method": "all"} if lora is None else {"method": "lora", "rank": 2, "alpha": 4, "dropout": 0.0}
    if lora is not None:
        tuned["target_modules"] = list(lora)
    said = configuration(kind, **changes)
    return {"kind": "transformers", "configuration": said, "fine_tune": tuned, "weights": "random"}


def pixels(number=2):
    return {"pixels": torch.randn(number, 3, 12, 10, generator=torch.Generator().manual_seed(1))}


def texts(lengths=(9, 5, 1), width=9):
    tokens = torch.randint(1, 75, (len(lengths), width), generator=torch.Generator().manual_seed(2))
    mask = (torch.arange(width) < torch.tensor(lengths)[:, None]).long()
    return {"input_ids": tokens * mask, "attention_mask": mask}


@pytest.fixture(scope="module")
def timm_file(tmp_path_factory):
    """Weights as timm publishes them, for 1000 classes."""
    torch.manual_seed(5)
    model = import_timm().create_model("test_resnet.r160_in1k")
    path = tmp_path_factory.mktemp("timm") / "model.safetensors"
    save_file(model.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("transformers")
    return {kind: published(folder / kind, kind) for kind in SIZES}


def test_a_model_of_timm_with_weights_is_timms_own(timm_file):
    ours = built(TIMM, IMAGES, timm_file).eval()
    theirs = import_timm().create_model("test_resnet.r160_in1k").eval()
    theirs.load_state_dict(load_file(timm_file))
    image = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(ours.network.forward_features(image), theirs.forward_features(image))
    smaller = pixels()
    brought = torch.nn.functional.interpolate(smaller["pixels"], (32, 32), mode="bilinear", antialias=True)
    torch.testing.assert_close(ours(smaller), ours.network(brought))
    assert ours(smaller).shape == (2, 3)
    torch.testing.assert_close(built(TIMM, IMAGES, timm_file.parent).eval()(smaller), ours(smaller))


def test_models_of_timm_by_name():
    found = timm_model("timm/resnet18.a1_in1k")
    assert found == timm_model("resnet18")
    assert (found.name, found.size, found.repository) == (
        "resnet18.a1_in1k", (224, 224), "timm/resnet18.a1_in1k",
    )  # fmt: skip
    assert found.mean == pytest.approx((0.485, 0.456, 0.406))
    made = built({**TIMM, "model": found.name}, IMAGES)
    assert made(pixels()).shape == (2, 3)
    for name, message in (
        ("resnet188", r"'resnet188', expected a name of timm. did you mean 'resnet18\w*'"),
        ("resnet18.a9_in1k", r"expected one of .*resnet18.a1_in1k.* did you mean 'resnet18.a\d_in1k'"),
    ):
        with pytest.raises(InputError, match=message):
            timm_model(name)


def test_weights_of_another_model_of_timm_are_refused(tmp_path, timm_file):
    def refused(tensors, message):
        save_file(tensors, tmp_path / "other.safetensors")
        with pytest.raises(InputError, match=message):
            built(TIMM, IMAGES, tmp_path / "other.safetensors")

    whole = load_file(timm_file)
    name = "layer1.0.conv1.weight"
    refused({k: v for k, v in whole.items() if k != name}, f"found no {name}, expected the .* arrays")
    refused({**whole, name: whole[name][:1].clone()}, f"found {name} of shape")
    refused({**whole, "layer9.conv.weight": torch.zeros(1)}, "layer9.conv.weight, which the model lacks")
    older = {k: v for k, v in whole.items() if "num_batches" not in k and not k.startswith("fc.")}
    save_file(older, tmp_path / "older.safetensors")
    built(TIMM, IMAGES, tmp_path / "older.safetensors")
    torch.save(whole, tmp_path / "model.pth")
    with pytest.raises(InputError, match=r"model.pth: found something else, expected a .safetensors file"):
        built(TIMM, IMAGES, tmp_path / "model.pth")
    (tmp_path / "cut.safetensors").write_bytes(timm_file.read_bytes()[:-9])
    with pytest.raises(InputError, match="expected a whole safetensors file"):
        built(TIMM, IMAGES, tmp_path / "cut.safetensors")


@pytest.mark.parametrize("kind", SIZES)
def test_a_model_of_transformers_with_weights_is_transformers_own(folders, kind):
    """The states of the published model, and transformers' own reading of them but for the new head."""
    transformers = import_transformers()
    ours = built(of_texts(kind), TEXTS, folders[kind]).eval()
    config = transformers.AutoConfig.from_pretrained(folders[kind], num_labels=3, pad_token_id=0)
    theirs = transformers.AutoModelForSequenceClassification.from_pretrained(folders[kind], config=config)
    state = ours.model.state_dict()
    prefix = f"{ours.prefix}."
    for name, tensor in theirs.state_dict().items():
        if name.startswith(prefix) and "pooler" not in name:
            torch.testing.assert_close(state[name], tensor)
    theirs.load_state_dict(state)
    batch = texts()
    torch.testing.assert_close(ours(batch), theirs.eval()(**batch).logits)
    wider = {name: torch.nn.functional.pad(value, (0, 4)) for name, value in batch.items()}
    torch.testing.assert_close(ours(batch), ours(wider), rtol=1e-4, atol=1e-6)


def test_a_text_may_end_with_the_padding(folders):
    """A decoder without padding fills up with the end of a text; transformers would not read that end."""
    ours = built(of_texts("gpt2"), TEXTS, folders["gpt2"]).eval()
    batch = texts((5,), 5)
    batch["input_ids"][0, -1] = 0
    longer = {"input_ids": batch["input_ids"][:, :4], "attention_mask": batch["attention_mask"][:, :4]}
    assert not torch.allclose(ours(batch), ours(longer))


@pytest.mark.parametrize("kind", SIZES)
def test_an_adapter_and_the_head_learn(folders, kind):
    targets = lora_targets(configuration(kind))
    expected = {
        "bert": ("query", "value"), "roberta": ("query", "value"), "gpt2": ("c_attn",),
        "llama": ("q_proj", "v_proj"), "distilbert": ("k_lin", "lin1", "lin2", "out_lin", "q_lin", "v_lin"),
    }  # fmt: skip
    assert targets == expected[kind]
    plain, adapted = (built(of_texts(kind, lora), TEXTS, folders[kind]).eval() for lora in (None, targets))
    adapted.model.get_base_model()
    learned = {name for name, value in adapted.named_parameters() if value.requires_grad}
    assert any("lora_A" in name for name in learned)
    heads = {"bert": {"classifier", "pooler"}, "distilbert": {"pre_classifier", "classifier"}}
    head = heads.get(kind, {"score"} if kind in DECODERS else {"classifier"})
    assert set(adapted.head) == head
    for name in learned:
        assert "lora_" in name or any(f".{part}.modules_to_save." in name for part in head), name
    for part in head:
        assert any(f".{part}.modules_to_save." in name for name in learned)
        assert not any(f".{part}." in name and "lora_" in name for name in learned)
    adapted(texts()).sum().backward()
    assert all(value.grad is not None for value in adapted.parameters() if value.requires_grad)
    state, reached = plain.model.state_dict(), adapted.model.get_base_model()
    theirs = {
        name.replace(".base_layer", "").replace(".modules_to_save.default", ""): value
        for name, value in reached.state_dict().items()
        if "lora_" not in name and ".original_module." not in name
    }
    assert theirs.keys() == state.keys()
    plain.model.load_state_dict(theirs)  # B is 0 at first: the adapter adds nothing
    torch.testing.assert_close(plain(texts()), adapted(texts()))


def test_weights_of_another_model_of_transformers_are_refused(tmp_path, folders):
    def refused(message, folder=folders["bert"], **changes):
        with pytest.raises(InputError, match=message):
            built(of_texts("bert", **changes), TEXTS, folder)

    refused("bert.encoder.layer.1.* which the model lacks.*more differences", num_hidden_layers=1)
    refused("found no bert.encoder.layer.2.* more differences.*of another arch", num_hidden_layers=3)
    refused(r"word_embeddings.weight of shape \(75, 16\) for \(80, 16\)", vocab_size=80)
    refused("found no bert.embeddings", folders["gpt2"])
    (tmp_path / "pickled").mkdir()
    torch.save({}, tmp_path / "pickled" / "pytorch_model.bin")
    refused("pickled/model.safetensors: found .*expected a whole safetensors file", tmp_path / "pickled")


def test_weights_under_older_names(tmp_path, folders):
    """Without the prefix, with buffers that are computed now, and with TensorFlow's names of a norm."""
    gpt2 = load_file(folders["gpt2"] / "model.safetensors")
    bare = {name.removeprefix("transformer."): tensor.clone() for name, tensor in gpt2.items()}
    bare["h.0.attn.bias"] = torch.ones(1, 1, 24, 24)
    bert = load_file(folders["bert"] / "model.safetensors")
    older = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): tensor
        for name, tensor in bert.items()
    }
    assert older.keys() != bert.keys()
    for kind, tensors in (("gpt2", bare), ("bert", older)):
        save_file(tensors, tmp_path / f"{kind}.safetensors")
        one, other = (
            built(of_texts(kind), TEXTS, each).eval()
            for each in (folders[kind], tmp_path / f"{kind}.safetensors")
        )
        torch.testing.assert_close(one(texts()), other(texts()))


def test_weights_in_parts(tmp_path, folders):
    whole = load_file(folders["bert"] / "model.safetensors")
    names = sorted(whole)
    parts = {f"model-0000{i + 1}-of-00002.safetensors": names[i::2] for i in range(2)}
    for file, held in parts.items():
        save_file({name: whole[name] for name in held}, tmp_path / file)
    index = {"weight_map": {name: file for file, held in parts.items() for name in held}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    one, other = (built(of_texts("bert"), TEXTS, each).eval() for each in (folders["bert"], tmp_path))
    torch.testing.assert_close(one(texts()), other(texts()))


@pytest.mark.parametrize(
    ("params", "shape", "message"),
    [
        (TIMM, Shape("images", 3, 8, 8, 1), "channels: found 1, expected 3, which test_resnet"),
        (TIMM, TEXTS, "found an encoder of images"),
        ({**TIMM, "model": "resnet188"}, IMAGES, "did you mean 'resnet18"),
        ({**TIMM, "size": [32]}, IMAGES, "expected a height and a width"),
        ({**TIMM, "options": {"no_such": 1}}, IMAGES, "expected options that timm knows"),
        (of_texts("bert"), IMAGES, "found an encoder of texts"),
        (of_texts("bert"), Shape("texts", 3, vocabulary=76, maximum_length=9), "expected at most 75 tokens"),
        (of_texts("bert"), Shape("texts", 3, vocabulary=75, maximum_length=25), "expected at most 24"),
        (of_texts("roberta"), Shape("texts", 3, vocabulary=75, maximum_length=24), "expected at most 23"),
        (of_texts("bert", lora=("q_proj",)), TEXTS, r"found \['q_proj'\], expected some of dense, key,"),
        ({**of_texts("bert"), "configuration": {"model_type": "brt"}}, TEXTS, "found the model_type 'brt'"),
        ({**of_texts("bert"), "configuration": {}}, TEXTS, "found no model_type"),
        ({**of_texts("bert"), "configuration": {"model_type": "t5"}}, TEXTS, "an encoder with a decoder"),
        (
            {**of_texts("bert"), "configuration": {"model_type": "xlnet", "d_model": 8, "n_head": 1}},
            TEXTS,
            "found XLNet.*, expected a model whose classifier tells a text from its padding",
        ),
        ({**of_texts("bert"), "configuration": {"model_type": "vit"}}, TEXTS, "a classifier of texts for"),
        (
            {**of_texts("bert"), "configuration": {"model_type": "bert", "hidden_size": "wide"}},
            TEXTS,
            "expected the configuration of a bert",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_built(params, shape, message):
    with pytest.raises(InputError, match=message):
        built(params, shape)


def test_a_configuration_brings_no_code():
    said = {**configuration("gpt2"), "auto_map": {"AutoModel": "theirs.Model"}, "attn_implementation": "a/b"}
    plain = plain_configuration(said)
    assert "auto_map" not in plain
    assert not any("attn_implementation" in name for name in plain)
    assert longest_text(said) == 24
